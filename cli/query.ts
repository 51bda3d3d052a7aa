import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { EdgeError, hasErrno, messageOf } from '../platform/edge-error.js'
import { withConfig, type ConfigOption } from './config-option.js'

interface QueryOptions extends ConfigOption {
  from?: string
  file?: string
  json?: boolean
}

export function queryCommand(): Command {
  return withConfig(
    new Command('query')
      .description('SQL over the Parquet files, with DuckDB: a view for each table')
      .argument('[sql]', 'e.g. "SELECT kind, count(*) FROM trades GROUP BY kind"')
      .option('--file <file>', 'read the SQL from a file')
      .option('--from <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--json', 'a JSON object a row'),
  ).action(query)
}

async function query(sql: string | undefined, options: QueryOptions): Promise<void> {
  const [{ loadConfig }, { openDuckDb }, { createViews }, { writeLines }] = await Promise.all([
    import('../config/load.js'),
    import('../reading/duckdb.js'),
    import('./query/views.js'),
    import('./output.js'),
  ])
  const text = sqlOf(sql, options.file)
  const connection = await openDuckDb()
  try {
    const tables = await createViews(connection, options.from ?? loadConfig(options.config).dataDir)
    const { jsonRows, tableOf } = await import('./query/results.js')
    try {
      const lines = options.json ? jsonRows(connection, text) : [Buffer.from(await tableOf(connection, text))]
      await writeLines(lines, process.stdout)
    } catch (cause) {
      throw new EdgeError('QUERY_FAILED', messageOf(cause), { cause, hint: `tables here: ${tables.join(', ')}` })
    }
  } finally {
    connection.closeSync()
  }
}

function sqlOf(sql: string | undefined, file: string | undefined): string {
  if ((sql === undefined) === (file === undefined))
    throw new EdgeError('QUERY_MISSING', 'wanted SQL, or --file with SQL, and not both')
  if (file === undefined) return sql ?? ''
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'EISDIR', 'EACCES')) throw cause
    throw new EdgeError('QUERY_MISSING', `cannot read ${file}: ${messageOf(cause)}`, { path: file, cause })
  }
}
