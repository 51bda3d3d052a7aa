import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { EdgeError } from '../../platform/edge-error.js'
import { sqlText } from '../../reading/duckdb.js'
import { supersededFiles } from '../superseded-files.js'

/**
 * Makes a view for each table below `root` (a dataDir, or a copy of one), named like it, with the columns of its
 * partitions (exchange, kind, currency, date) beside its own. Files that others replaced are left out.
 * @returns the names of the views
 * @throws EdgeError QUERY_NO_PARQUET
 */
export async function createViews(connection: DuckDBConnection, root: string): Promise<string[]> {
  const parquet = join(root, 'parquet')
  if (!existsSync(parquet)) {
    throw new EdgeError('QUERY_NO_PARQUET', `no Parquet below ${root}`, {
      path: parquet,
      hint: 'edgetape compact --once makes it from sealed segments',
    })
  }
  const folders = readdirSync(parquet).flatMap(exchange =>
    readdirSync(join(parquet, exchange)).filter(name => name.startsWith('table=')),
  )
  const tables = [...new Set(folders.map(name => name.slice('table='.length)))].sort()
  const superseded = supersededFiles(root)
  const current = superseded.length === 0 ? '' : `WHERE filename NOT IN (${superseded.map(sqlText).join(', ')})`
  for (const table of tables) {
    const glob = join(parquet, 'exchange=*', `table=${table}`, '**', '*.parquet')
    await connection.run(
      `CREATE VIEW "${table}" AS SELECT * ${current === '' ? '' : 'EXCLUDE (filename) '}FROM read_parquet(${sqlText(glob)},
        union_by_name = true, hive_partitioning = true${current === '' ? '' : ', filename = true'}) ${current}`,
    )
  }
  return tables
}
