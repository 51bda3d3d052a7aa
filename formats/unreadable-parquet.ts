import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlText, UNREADABLE } from '../platform/duckdb.js'
import { EdgeError, isMachineError, messageOf } from '../platform/edge-error.js'

/**
 * Finds which of some files made a query fail, by reading them one after the other. What fails is rarely named by DuckDB:
 * a file may have both its ends and nothing that can be read between them.
 * @returns PARQUET_UNREADABLE with the path of the first such file; undefined where the failure was another one
 */
export async function unreadableAmong(
  connection: DuckDBConnection,
  paths: Iterable<string>,
  failure: unknown,
): Promise<EdgeError | undefined> {
  if (isMachineError(failure) || !UNREADABLE.test(messageOf(failure))) return undefined
  for (const path of paths) {
    const why = await whyUnreadable(connection, path)
    if (why === undefined) continue
    return new EdgeError('PARQUET_UNREADABLE', `${path} cannot be read: ${why}`, {
      path,
      cause: failure,
      hint: 'move it away and convert it again from raw with edgetape compact --once, or take the copy on the NAS; edgetape verify parquet finds all such',
    })
  }
  return undefined
}

/** Reads every column of a file; undefined where all of it can be read. */
export async function whyUnreadable(connection: DuckDBConnection, path: string): Promise<string | undefined> {
  try {
    await connection.run(
      `SELECT max(hash(COLUMNS(*))) FROM read_parquet([${sqlText(path)}], hive_partitioning = false)`,
    )
    return undefined
  } catch (error) {
    if (isMachineError(error) || !UNREADABLE.test(messageOf(error))) throw error
    return messageOf(error).split('\n')[0] ?? ''
  }
}
