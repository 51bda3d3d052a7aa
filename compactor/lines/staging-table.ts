import type { Table } from '../../exchanges/table.js'
import { countOf, sqlText } from '../../platform/duckdb.js'
import { rowsOfFew, type Engine, type LoadedSql } from '../engine.js'
import { columnsOf, type Column } from './columns.js'
import { fastPathOf, type FastPath } from './fast-path.js'
import type { LinesLeft } from './line-rows.js'
import { frameItems } from './frame-items.js'
import type { Shape } from '../../exchanges/envelope.js'
import type { Source } from '../segment/source.js'
import { sharedSql, tableSql } from '../tables.js'

/** Lines that are not rows yet, in `main.leftovers`. */
export interface Leftovers {
  /** True where none was ever put there: then there is no such table. */
  isEmpty: boolean
}

/** Makes the table, where this is the first line that cannot be a row. */
export async function openLeftovers(engine: Engine, leftovers: Leftovers): Promise<void> {
  if (!leftovers.isEmpty) return
  leftovers.isEmpty = false
  await engine.run('CREATE TABLE main.leftovers (line_no BIGINT, line VARCHAR, bytes BLOB, verdict VARCHAR)')
}

/** The way of lines into a table `staged`, in a schema of its own; those that cannot be rows go to `main.leftovers`. */
export interface StagingTable {
  table: Table
  loaded: LoadedSql
  /** Where names are looked up: its own tables, then the macros of its SQL. */
  searchPath: string
  target: string
  leftovers: Leftovers
  /** Lines that have rows. */
  frames: number
  /** Of `staged`, once it was filled. */
  columns: () => Promise<readonly Column[]>
  /** From lines to rows, in SQL. */
  rows: (linesSql: string) => string
  /** The short way to the same rows, for most lines of a segment: the statement for rows, and that for numbers of lines that do not fit. */
  fastPath: (Pick<FastPath, 'plan'> & { rows: string; misfits: string }) | undefined
  /** From lines to verdicts on those that cannot be rows. */
  verdicts: (linesSql: string) => string
  /** Whether `staged` is there; the first lines create it. */
  filled: boolean
  /** Few lines at once: the plan of the short way is kept. */
  areFew?: true
}

/** `fed_channel(line)`: the first text or number that the pointers lead to in a frame, where it can be a channel. */
function channelMacro(pointers: readonly string[]): string {
  const found = pointers.map(pointer => {
    const at = sqlText(`/frame${pointer}`)
    return `CASE WHEN json_type(line, ${at}) IN ('VARCHAR', 'UBIGINT', 'BIGINT', 'DOUBLE')
      AND strlen(json_extract_string(line, ${at})) <= 120 THEN json_extract_string(line, ${at}) END`
  })
  return `CREATE MACRO fed_channel(line) AS coalesce(${['NULL::VARCHAR', ...found].join(', ')});`
}

/** What of a segment bears on how its lines are read: where a feed's frames name their channel, and the segment's family. */
type SourceOfLines = Pick<Source, 'channelAt'> & { name: Pick<Source['name'], 'channel'> }

const startOfQuery = (sql: string) => sql.search(/^SELECT\b/m)

/** Loads the SQL of one of a table's readings, where it is not there yet: macros first, then, starting a line, the query for its rows. */
async function loadSql(
  engine: Engine,
  { channelAt, name: { channel: family } }: SourceOfLines,
  table: Table,
  place: number,
  sql: string,
): Promise<LoadedSql> {
  const madeOf = JSON.stringify([table.folder, table.name, place, family, channelAt])
  const known = engine.loaded.get(madeOf)
  if (known) return known
  const schema = `sql_${engine.loaded.size}`
  await engine.run(
    `CREATE SCHEMA memory.${schema}; USE memory.${schema}; ${channelMacro(channelAt)}
      CREATE MACRO own_family() AS ${sqlText(family)}; ${sharedSql()} ${sql.slice(0, startOfQuery(sql))}`,
  )
  const [[shape] = []] = await engine.rows('SELECT shape()')
  const loaded = { schema, shape: String(shape) }
  engine.loaded.set(madeOf, loaded)
  return loaded
}

/**
 * Makes ready for lines to be rows by one of a table's readings.
 * @param schema of `work`, for its tables
 */
export async function openStagingTable(
  engine: Engine,
  source: SourceOfLines,
  table: Table,
  schema: string,
  leftovers: Leftovers,
  place = 0,
): Promise<StagingTable> {
  const sql = tableSql(table, place)
  const query = startOfQuery(sql)
  const loaded = await loadSql(engine, source, table, place, sql)
  const searchPath = `work.${schema},memory.${loaded.schema}`
  await engine.run(`CREATE SCHEMA work.${schema}; SET search_path = '${searchPath}'`)
  const shape = JSON.parse(loaded.shape) as Shape
  const target = `work.${schema}.staged`
  return {
    table,
    loaded,
    searchPath,
    target,
    leftovers,
    frames: 0,
    columns: async () => (loaded.columns ??= await columnsOf(engine, 'staged')),
    rows: linesSql => `${frameItems(table, place, shape, linesSql)}\n${sql.slice(query)}`,
    fastPath: fastPathIn(
      engine,
      place === 0 ? (loaded.fastPath ??= fastPathOf(table, shape)) : undefined,
      sql.slice(query),
    ),
    verdicts: linesSql =>
      `${frameItems(table, place, shape, linesSql)} SELECT line_no, line, verdict FROM judged WHERE verdict IS NOT NULL`,
    filled: false,
  }
}

function fastPathIn(engine: Engine, fast: FastPath | undefined, query: string): StagingTable['fastPath'] {
  const lineRows = fast && engine.lineRows()
  if (!lineRows) return undefined
  const { plan, frameItems, misfits } = fast
  const call = lineRows.callOf(plan)
  return { plan, rows: `${frameItems(call)}\n${query}`, misfits: misfits(call) }
}

/** The same, ready for few lines: where they have a short way to rows, its plan is made once. */
export async function openStagingTableOfFew(
  engine: Engine,
  source: SourceOfLines,
  table: Table,
  schema: string,
  leftovers: Leftovers,
): Promise<StagingTable> {
  const staging = await openStagingTable(engine, source, table, schema, leftovers)
  if (!staging.fastPath) return staging
  const target = rowsOfFew(staging.loaded)
  if (staging.loaded.few === undefined)
    await engine.run(`CREATE TABLE ${target} AS FROM (${staging.fastPath.rows.replace(/;\s*$/, '')}) LIMIT 0`)
  staging.loaded.few = 'used'
  return { ...staging, target, filled: true, areFew: true }
}

/** The columns of a table's files, in order, as its SQL makes them of no line at all. */
export async function columnsOfTable(engine: Engine, table: Table): Promise<Column[]> {
  // Tables of several exchanges bear one name.
  const schema = `columns_of_${table.folder.replace(/\W/g, '_')}_${table.name}`
  const source = { channelAt: [], name: { channel: '' } }
  const staging = await openStagingTable(engine, source, table, schema, { isEmpty: true })
  const noLines = 'SELECT NULL::BIGINT AS line_no, NULL::VARCHAR AS line WHERE false'
  const columns = await columnsOf(engine, `(${staging.rows(noLines).replace(/;\s*$/, '')})`)
  return columns.filter(({ name }) => name !== 'row_no')
}

/** Brings lines to `staged`, and those that cannot be rows to `leftovers` with the verdict. */
export async function stageLines(engine: Engine, staging: StagingTable, linesSql: string): Promise<void> {
  if ((await fill(engine, staging, staging.rows(linesSql))) === 0) return
  await openLeftovers(engine, staging.leftovers)
  await engine.run(`INSERT INTO main.leftovers (line_no, line, verdict) ${staging.verdicts(linesSql)}`)
}

/**
 * Brings most lines of a segment to `staged` by the short way.
 * @returns those that are left; undefined where there is no short way, or not for most of them: then `staged` is as it was
 */
export async function stageKnownLines(
  engine: Engine,
  staging: StagingTable,
  source: Pick<Source, 'path' | 'frames'>,
): Promise<LinesLeft | undefined> {
  const { fastPath, target } = staging
  const lineRows = engine.lineRows()
  if (!fastPath || !lineRows) return undefined
  const run = (sql: string) => (staging.areFew ? engine.runAgain(sql) : engine.run(sql))
  const open = (left: Iterable<number>) => lineRows.open(fastPath.plan, source.path, source.frames, left)
  open([])
  const misfits = await fill(engine, staging, fastPath.rows, run)
  if (misfits > 0) {
    open([])
    const numbers = (await engine.rows(fastPath.misfits)).map(([lineNo]) => countOf(lineNo))
    await engine.run(`TRUNCATE ${target}`)
    open(numbers)
    await fill(engine, staging, fastPath.rows, run)
  }
  const left = lineRows.left()
  if (left.count <= source.frames / 2) return left
  await engine.run(`TRUNCATE ${target}`)
  staging.frames = 0
  return undefined
}

/**
 * Adds rows to `staged`, but for the one of each line that has none; how many such lines there are.
 * @param run runs a statement
 */
async function fill(
  engine: Engine,
  staging: StagingTable,
  rowsSql: string,
  run = (sql: string) => engine.run(sql),
): Promise<number> {
  const { target } = staging
  await run(staging.filled ? `INSERT INTO ${target} ${rowsSql}` : `CREATE TABLE ${target} AS ${rowsSql}`)
  staging.filled = true
  const [[others, frames] = []] = await engine.rows(
    `SELECT count(*) FILTER (row_no = 0), count(*) FILTER (row_no = 1) FROM ${target}`,
  )
  staging.frames = countOf(frames)
  if (countOf(others) > 0) await engine.run(`DELETE FROM ${target} WHERE row_no = 0`)
  return countOf(others)
}
