import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'

/** An in-memory DuckDB for reading our files: UTC, bounded memory, one thread, nothing fetched from anywhere. */
export async function openDuckDb(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '256MB',
    threads: '1',
    autoinstall_known_extensions: 'false',
    // What does not fit in memory goes here, and is removed on closing; the default would be the working directory.
    temp_directory: join(tmpdir(), `edgetape-${process.pid}`),
    // Dumps stream; the order of the file's rows is kept at no cost with one thread.
    preserve_insertion_order: 'true',
  })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return connection
}

/** A text as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
