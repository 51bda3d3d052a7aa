import { join } from 'node:path'
import { countOf, duckdb, sqlName, sqlText } from '../../platform/duckdb.js'
import { messageOf } from '../../platform/edge-error.js'
import { FEW_BYTES, type Engine } from '../engine.js'
import {
  LONGEST_PLAIN_LINE_BYTES,
  readLinesSql,
  separateLines,
  SMALL_BUFFER_BYTES,
  type SlowLine,
} from '../lines/read-lines.js'
import { inflatedLine } from '../lines/inflated-line.js'
import { noteLine } from './quarantine.js'
import type { Source } from './source.js'
import {
  openLeftovers,
  openStagingTable,
  openStagingTableOfFew,
  stageKnownLines,
  stageLines,
  type Leftovers,
  type StagingTable,
} from '../lines/staging-table.js'
import { framesTable, journalTable } from '../tables.js'
import { isQuarantined, TO_FRAMES, toReading } from '../lines/verdict.js'
import { greatest } from '../../platform/extremes.js'

/** The lines of a segment as rows in DuckDB. */
export interface Staging {
  /** Where the rows of each table are, in the order of its files. */
  tables: StagingTable[]
  /** Lines that have rows. */
  frames: number
  /** Those that have none, in `main.leftovers`: how many for each reason. */
  reasons: Record<string, number>
}

/**
 * Brings every line of a segment to a table's rows, in the first form that fits: its own table's forms, one after the
 * other, then `frames`. What is left stays in `main.leftovers` with the reason, and a row of the journal reports it.
 * @param folder for what is written meanwhile
 */
export async function stageSegment(engine: Engine, source: Source, folder: string): Promise<Staging> {
  const leftovers: Leftovers = { isEmpty: true }
  const own = await openOwnTable(engine, source, leftovers)
  await stageOwnLines(engine, own, source, folder)
  await settle(engine, own)
  for (let place = 1; place < source.table.readings.length; place++) {
    if (!(await isLeft(engine, leftovers, toReading(place)))) continue
    const reading = await openStagingTable(engine, source, source.table, `own_${place}`, leftovers, place)
    const further = { ...reading, target: own.target, filled: true }
    await stageAgain(engine, further, toReading(place))
    own.frames = further.frames
  }
  const tables = [own]
  if (await isLeft(engine, leftovers, TO_FRAMES)) {
    const strays = await openStagingTable(engine, source, framesTable, 'stray', leftovers)
    await stageAgain(engine, strays, TO_FRAMES)
    tables.push(strays)
  }
  const frames = tables.reduce((sum, staging) => sum + staging.frames, 0)
  const reasons = await countReasons(engine, leftovers)
  const note = await stageNote(engine, own, source, reasons)
  return { tables: [...note, ...tables], frames, reasons }
}

const areFew = ({ bytesRaw = Infinity }: Source) => bytesRaw <= FEW_BYTES

const openOwnTable = (engine: Engine, source: Source, leftovers: Leftovers) =>
  areFew(source)
    ? openStagingTableOfFew(engine, source, source.table, 'own', leftovers)
    : openStagingTable(engine, source, source.table, 'own', leftovers)

/** Works out what rows say of one another, once all of them are there. */
async function settle(engine: Engine, { table, target }: StagingTable): Promise<void> {
  for (const [column, value] of Object.entries(table.settled ?? {}))
    await engine.run(`UPDATE ${target} AS each SET ${sqlName(column)} = found.value
      FROM (SELECT rowid AS id, ${value} AS value FROM ${target}) AS found
      WHERE each.rowid = found.id AND each.${sqlName(column)} IS DISTINCT FROM found.value`)
}

/** Reports lines in quarantine to the journal: in a file of its own, or among the rows of a segment of the journal. */
async function stageNote(
  engine: Engine,
  own: StagingTable,
  source: Source,
  reasons: Record<string, number>,
): Promise<StagingTable[]> {
  const wrong = Object.fromEntries(Object.entries(reasons).filter(([reason]) => isQuarantined(reason)))
  if (Object.keys(wrong).length === 0) return []
  const isOwn = source.table === journalTable
  const staging = isOwn ? own : await openStagingTable(engine, source, journalTable, 'note', own.leftovers)
  await stageLines(engine, staging, `SELECT 0::BIGINT AS line_no, ${sqlText(noteLine(source, wrong))} AS line`)
  return isOwn ? [] : [staging]
}

async function stageOwnLines(engine: Engine, staging: StagingTable, source: Source, folder: string): Promise<void> {
  const { decode } = source
  if (!decode) {
    const left = await stageKnownLines(engine, staging, source)
    if (left) return left.count === 0 ? undefined : stageSeparately(engine, staging, source, folder, left.has)
    if (await stageAsPlain(engine, staging, source)) return
    if (staging.filled) await engine.run(`DELETE FROM ${staging.target}`)
    if (!staging.leftovers.isEmpty) await engine.run('DELETE FROM main.leftovers')
    staging.frames = 0
  }
  await stageSeparately(engine, staging, source, folder)
}

/** Those lines by themselves that are not for the CSV reader. */
async function stageSeparately(
  engine: Engine,
  staging: StagingTable,
  { path, decode }: Source,
  folder: string,
  isWanted?: (lineNo: number) => boolean,
): Promise<void> {
  const plain = join(folder, 'plain.jsonl.zst')
  const readLine = decode && ((line: Buffer) => inflatedLine(line, decode))
  for await (const lines of separateLines(path, plain, readLine, isWanted)) await stageSlowLines(engine, staging, lines)
  await stageLines(engine, staging, `SELECT * FROM (${readLinesSql(plain)}) WHERE line IS NOT NULL`)
}

/** All lines at once; false where the CSV reader met one that is not for it. */
async function stageAsPlain(engine: Engine, staging: StagingTable, source: Source): Promise<boolean> {
  try {
    await stageLines(engine, staging, readLinesSql(source.path, areFew(source) ? SMALL_BUFFER_BYTES : undefined))
  } catch (error) {
    if (/^(Invalid Input|Not implemented) Error/.test(messageOf(error))) return false
    throw error
  }
  // It drops a last line larger than its buffer without a word.
  const left = Object.values(await countReasons(engine, staging.leftovers)).reduce((sum, count) => sum + count, 0)
  return staging.frames + left === source.frames
}

async function stageSlowLines(engine: Engine, staging: StagingTable, lines: SlowLine[]): Promise<void> {
  await engine.run('CREATE OR REPLACE TABLE main.slow_lines (line_no BIGINT, line VARCHAR)')
  for (const { lineNo, bytes, utf8 } of lines) {
    if (utf8) await engine.run('INSERT INTO main.slow_lines VALUES ($1, $2)', [BigInt(lineNo), bytes.toString('utf8')])
    else {
      const values = [BigInt(lineNo), duckdb().blobValue(bytes)]
      await openLeftovers(engine, staging.leftovers)
      await engine.run(`INSERT INTO main.leftovers VALUES ($1, NULL, $2, 'not UTF-8')`, values)
    }
  }
  const longest = greatest(lines.map(({ bytes }) => bytes.length))
  try {
    await engine.withRoomFor(longest, () => stageLines(engine, staging, 'FROM main.slow_lines'))
  } catch (error) {
    if (!messageOf(error).startsWith('Out of Memory Error') || lines.length > 1) throw error
    // A single line that is too much for its table fits into `frames`, where it is not taken apart.
    await openLeftovers(engine, staging.leftovers)
    await engine.run(
      `INSERT INTO main.leftovers SELECT line_no, line, NULL, ${sqlText(TO_FRAMES)} FROM main.slow_lines`,
    )
  }
}

/** Takes the lines with a verdict out of `leftovers` and stages them in another way, long ones one by one. */
async function stageAgain(engine: Engine, staging: StagingTable, verdict: string): Promise<void> {
  const wanted = `FROM main.leftovers WHERE verdict = ${sqlText(verdict)}`
  await engine.run(`CREATE OR REPLACE TABLE main.again AS SELECT line_no, line ${wanted}; DELETE ${wanted}`)
  const long = `strlen(line) > ${LONGEST_PLAIN_LINE_BYTES}`
  for (const [lineNo, bytes] of await engine.rows(`SELECT line_no, strlen(line) FROM main.again
      WHERE ${long} ORDER BY line_no`)) {
    const one = `SELECT line_no, line FROM main.again WHERE line_no = ${countOf(lineNo)}`
    await engine.withRoomFor(countOf(bytes), () => stageLines(engine, staging, one))
  }
  await stageLines(engine, staging, `SELECT line_no, line FROM main.again WHERE NOT ${long}`)
  await engine.run('DROP TABLE main.again')
}

async function isLeft(engine: Engine, leftovers: Leftovers, verdict: string): Promise<boolean> {
  return (await countReasons(engine, leftovers))[verdict] !== undefined
}

/** Lines in `leftovers` by verdict. */
async function countReasons(engine: Engine, { isEmpty }: Leftovers): Promise<Record<string, number>> {
  if (isEmpty) return {}
  const rows = await engine.rows('SELECT verdict, count(*) FROM main.leftovers GROUP BY 1 ORDER BY 1')
  return Object.fromEntries(rows.map(([verdict, count]) => [String(verdict), countOf(count)]))
}
