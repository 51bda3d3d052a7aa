import { join } from 'node:path'
import { blobValue } from '@duckdb/node-api'
import { messageOf } from '../platform/edge-error.js'
import { countOf, type Engine } from './engine.js'
import { evenLines, type EvenLines } from './even-lines.js'
import { frameItems, sqlText, TO_FRAMES, toReading, type Shape } from './frame-items.js'
import { LONGEST_PLAIN_LINE_BYTES, readLinesSql, separateLines, type HardLine } from './lines.js'
import type { Source } from './source.js'
import type { Table } from '../exchanges/table.js'
import { sharedSql, tableSql } from './tables.js'

/** The way of lines into a table `staged`. */
export interface Stage {
  target: string
  /** From lines to rows, in SQL. */
  rows: (linesSql: string) => string
  /** The short way to the same rows, for most lines. */
  even: (linesSql: string) => EvenLines | undefined
  /** From lines to verdicts on those that cannot be rows. */
  verdicts: (linesSql: string) => string
  /** Whether `staged` was created by the first lines. */
  filled: boolean
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

/** Stages a segment in each of the forms that its table knows. */
export async function stageReadings(engine: Engine, source: Source, folder: string): Promise<Stage> {
  const first = await openStage(engine, source, source.table, 0, 'own')
  await stageSegment(engine, first, source, folder)
  for (let place = 1; place < source.table.readings.length; place++) {
    const verdict = toReading(place)
    if ((await countReasons(engine))[verdict] === undefined) continue
    const stage = await openStage(engine, source, source.table, place, `own_${place}`)
    await stageAgain(engine, { ...stage, target: first.target, filled: true }, verdict)
  }
  await engine.run('USE own')
  return first
}

/** Loads a table's SQL into a schema of its own: macros first, then, starting a line, the query for its rows. */
export async function openStage(
  engine: Engine,
  { channelAt }: Pick<Source, 'channelAt'>,
  table: Table,
  place: number,
  schema: string,
): Promise<Stage> {
  const sql = tableSql(table, place)
  const query = sql.search(/^SELECT\b/m)
  await engine.run(
    `CREATE SCHEMA ${schema}; USE ${schema}; ${channelMacro(channelAt)} ${sharedSql()} ${sql.slice(0, query)}`,
  )
  const [[shapeText] = []] = await engine.rows('SELECT shape()')
  const shape = JSON.parse(String(shapeText)) as Shape
  return {
    target: `${schema}.staged`,
    rows: linesSql => `${frameItems(table, place, shape, linesSql)}\n${sql.slice(query)}`,
    even: linesSql => {
      const even = evenLines(table, shape, linesSql)
      return even && { ...even, frameItems: `${even.frameItems}\n${sql.slice(query)}` }
    },
    verdicts: linesSql =>
      `${frameItems(table, place, shape, linesSql)} SELECT line_no, line, verdict FROM judged WHERE verdict IS NOT NULL`,
    filled: false,
  }
}

/** The columns of a table's files, in order, as its SQL makes them of no line at all. */
export async function columnsOfTable(engine: Engine, table: Table): Promise<{ name: string; type: string }[]> {
  const stage = await openStage(engine, { channelAt: [] }, table, 0, `columns_of_${table.name}`)
  const noLines = 'SELECT NULL::BIGINT AS line_no, NULL::VARCHAR AS line WHERE false'
  const rows = await engine.rows(`SELECT column_name, column_type FROM (DESCRIBE
    ${stage.rows(noLines).replace(/;\s*$/, '')}) WHERE column_name <> 'row_no'`)
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }))
}

/** Brings lines to `staged`, and those that cannot be rows to `leftovers` with the verdict. */
export async function stageLines(engine: Engine, stage: Stage, linesSql: string): Promise<void> {
  const { target } = stage
  await engine.run(
    `${stage.filled ? 'INSERT INTO' : 'CREATE TABLE'} ${target} ${stage.filled ? '' : 'AS'} ${stage.rows(linesSql)}`,
  )
  stage.filled = true
  const [[left] = []] = await engine.rows(`SELECT count(*) FROM ${target} WHERE row_no = 0`)
  if (countOf(left) === 0) return
  await engine.run(`INSERT INTO main.leftovers (line_no, line, verdict) ${stage.verdicts(linesSql)};
    DELETE FROM ${target} WHERE row_no = 0`)
}

async function stageSegment(engine: Engine, stage: Stage, source: Source, folder: string): Promise<void> {
  if (await stagePlainSegment(engine, stage, source)) return
  await engine.run('DROP TABLE IF EXISTS staged; DELETE FROM main.leftovers')
  stage.filled = false
  const plain = join(folder, 'plain.jsonl.zst')
  for await (const lines of separateLines(source.path, plain)) await stageHardLines(engine, stage, lines)
  await stageLines(engine, stage, `SELECT * FROM (${readLinesSql(plain)}) WHERE line IS NOT NULL`)
}

/** The short way; false where the CSV reader met a line that is not for it. */
async function stagePlainSegment(engine: Engine, stage: Stage, source: Source): Promise<boolean> {
  try {
    await stagePlainLines(engine, stage, readLinesSql(source.path))
  } catch (error) {
    if (/^(Invalid Input|Not implemented) Error/.test(messageOf(error))) return false
    throw error
  }
  // It drops a last line larger than its buffer without a word.
  const [[left] = []] = await engine.rows('SELECT count(*) FROM main.leftovers')
  return (await countFrames(engine)) + countOf(left) === source.frames
}

/** Even lines first; the others, where there are any, in a second pass. */
async function stagePlainLines(engine: Engine, stage: Stage, lines: string): Promise<void> {
  const even = stage.even(lines)
  if (!even) {
    await stageLines(engine, stage, lines)
    return
  }
  await engine.run(`CREATE TABLE ${stage.target} AS ${even.frameItems}`)
  stage.filled = true
  const [[others] = []] = await engine.rows(`SELECT count(*) FROM ${stage.target} WHERE row_no = 0`)
  if (countOf(others) === 0) return
  await engine.run(`DELETE FROM ${stage.target} WHERE row_no = 0`)
  await stageLines(engine, stage, even.others)
}

async function stageHardLines(engine: Engine, stage: Stage, lines: HardLine[]): Promise<void> {
  await engine.run('CREATE OR REPLACE TABLE main.hard_lines (line_no BIGINT, line VARCHAR)')
  for (const { lineNo, bytes, utf8 } of lines) {
    if (utf8) await engine.run('INSERT INTO main.hard_lines VALUES ($1, $2)', [BigInt(lineNo), bytes.toString('utf8')])
    else {
      const values = [BigInt(lineNo), blobValue(bytes)]
      await engine.run(`INSERT INTO main.leftovers VALUES ($1, NULL, $2, 'not UTF-8')`, values)
    }
  }
  const longest = Math.max(...lines.map(({ bytes }) => bytes.length))
  try {
    await engine.withRoomFor(longest, () => stageLines(engine, stage, 'FROM main.hard_lines'))
  } catch (error) {
    if (!messageOf(error).startsWith('Out of Memory Error') || lines.length > 1) throw error
    // A single line that is too much for its table fits into `frames`, where it is not taken apart.
    await engine.run(
      `INSERT INTO main.leftovers SELECT line_no, line, NULL, ${sqlText(TO_FRAMES)} FROM main.hard_lines`,
    )
  }
}

/** Takes the lines with a verdict out of `leftovers` and stages them in another way, long ones one by one. */
export async function stageAgain(engine: Engine, stage: Stage, verdict: string): Promise<void> {
  const wanted = `FROM main.leftovers WHERE verdict = ${sqlText(verdict)}`
  await engine.run(`CREATE OR REPLACE TABLE main.again AS SELECT line_no, line ${wanted}; DELETE ${wanted}`)
  const long = `strlen(line) > ${LONGEST_PLAIN_LINE_BYTES}`
  for (const [lineNo, bytes] of await engine.rows(`SELECT line_no, strlen(line) FROM main.again
      WHERE ${long} ORDER BY line_no`)) {
    const one = `SELECT line_no, line FROM main.again WHERE line_no = ${countOf(lineNo)}`
    await engine.withRoomFor(countOf(bytes), () => stageLines(engine, stage, one))
  }
  await stageLines(engine, stage, `SELECT line_no, line FROM main.again WHERE NOT ${long}`)
  await engine.run('DROP TABLE main.again')
}

/** Lines that have rows in `staged`. */
export async function countFrames(engine: Engine): Promise<number> {
  const [[frames] = []] = await engine.rows('SELECT count(*) FROM staged WHERE row_no = 1')
  return countOf(frames)
}

/** Lines in `leftovers` by verdict. */
export async function countReasons(engine: Engine): Promise<Record<string, number>> {
  const rows = await engine.rows('SELECT verdict, count(*) FROM main.leftovers GROUP BY 1 ORDER BY 1')
  return Object.fromEntries(rows.map(([verdict, count]) => [String(verdict), countOf(count)]))
}
