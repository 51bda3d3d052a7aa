import { countOf, sqlText } from '../../platform/duckdb.js'
import { EdgeError } from '../../platform/edge-error.js'
import { conditionOf, dateSql } from './row-stream.js'
import type { ViewSource, FileSpan } from './source.js'
import type { WrittenRows } from './whole-file.js'

export type PlainFormat = 'csv' | 'parquet'

/**
 * Writes a view's rows as they are: a table's by time of receipt, instrument, kind and currency; a ready view's, asked as
 * `name(…)`, as it answers.
 */
export async function writeView(
  path: string,
  view: string,
  format: PlainFormat,
  source: ViewSource,
  file: FileSpan,
): Promise<WrittenRows> {
  const { session } = source
  const columns = await session.ask(`DESCRIBE SELECT * FROM ${view}`, async connection =>
    (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${view}`)).getRows().map(([name]) => String(name)),
  )
  const own = { ...source, ...file }
  const asked = {
    ...own,
    instruments: columns.includes('instrument_name') ? file.instruments : undefined,
    kind: columns.includes('kind') ? file.kind : undefined,
    currency: columns.includes('currency') ? file.currency : undefined,
  }
  for (const name of ['instruments', 'kind', 'currency'] as const)
    if (file[name] !== undefined && asked[name] === undefined)
      throw new EdgeError('EXPORT_OPTIONS', `${view} has no column to choose ${name} by`, {
        hint: 'edgetape query has all of SQL',
      })
  const isTimed = columns.includes('recv_ts')
  const time = `recv_ts >= make_timestamptz(${file.fromUs}) AND recv_ts < make_timestamptz(${file.toUs})`
  const dates = `"date" BETWEEN ${dateSql(file.fromUs, -1)} AND ${dateSql(file.toUs, 0)}`
  const where = [
    columns.includes('exchange') ? conditionOf(asked) : 'true',
    isTimed ? time : 'true',
    isTimed && columns.includes('date') ? dates : 'true',
  ].join(' AND ')
  const order = ['recv_ts', 'conn', 'seq', 'instrument_name'].filter(column => columns.includes(column)).join(', ')
  const select = `SELECT * FROM ${view} WHERE ${where}${isTimed ? ` ORDER BY ${order}` : ''}`
  const options = format === 'csv' ? 'FORMAT csv, HEADER' : 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000'
  const copy = `COPY (${select}) TO ${sqlText(path)} (${options})`
  const rows = await session.ask(copy, async connection => {
    const [[count] = []] = (await connection.runAndReadAll(copy)).getRows()
    return Number(count)
  })
  file.advance(rows)
  if (isTimed) return { rows }
  const notes = { view, not_by_time: true }
  if (!columns.includes('covered')) return { rows, notes }
  const uncovered = await uncoveredIn(path, format, source)
  return { rows, uncovered, notes: { ...notes, rows_not_covered: uncovered } }
}

/** Rows of a ready view that say of themselves that a gap keeps them from knowing. */
async function uncoveredIn(path: string, format: PlainFormat, { session }: ViewSource): Promise<number> {
  const read = format === 'csv' ? `read_csv(${sqlText(path)}, all_varchar = true)` : `read_parquet(${sqlText(path)})`
  const sql = `SELECT count(*) FILTER (covered::VARCHAR = 'false') FROM ${read}`
  return session.ask(sql, async connection => countOf((await connection.runAndReadAll(sql)).getRows()[0]?.[0]))
}
