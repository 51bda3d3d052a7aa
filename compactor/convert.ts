import { join } from 'node:path'
import { EdgeError } from '../platform/edge-error.js'
import { countOf, type Engine } from './engine.js'
import { KNOWN, sqlText, TO_FRAMES } from './frame-items.js'
import { dropDoubles, type Doubles, type DoublesQuestion } from './doubles.js'
import { findNeighbours, originOf } from './neighbours.js'
import { groupStaged, writeParts, type Part } from './parts.js'
import { quarantineNote } from './quarantine-note.js'
import type { Source } from './source.js'
import { countFrames, countReasons, openStage, stageAgain, stageLines, stageReadings, type Stage } from './stage.js'
import { identityOf, type Table } from '../exchanges/table.js'
import { framesTable, journalTable } from './tables.js'

/** What is known of events that were tabled before, by whatever segment. */
export interface Tabled {
  /** The folders that have `parquet/` with a date's files. */
  rootsOf: (date: string) => readonly string[]
  /** Keeps every copy of an event. */
  keepDoubles: boolean
  /** How far copies of an event without a number may be apart, ms. */
  windowMs: number
  onUnreadable: DoublesQuestion['onUnreadable']
}

/** What became of the lines of a segment; `tabled + doubles + quarantined + known` are all of them. */
export interface Conversion {
  parts: Part[]
  rows: number
  tabled: number
  /** Frames without rows of their own: every event in them is tabled elsewhere. */
  doubles: number
  /** Rows left out because their event is tabled. */
  doubleRows: number
  quarantined: number
  known: number
  /** How often each reason led to quarantine, or to no row for a frame that is understood. */
  reasons: Record<string, number>
  /** The quarantine file in the temporary folder, where there is one. */
  quarantine: string | undefined
}

/**
 * Converts a segment to Parquet files in `folder`, one per table, kind and currency, and checks that every line ended
 * in exactly one place. Same segment, same bytes. Nothing outside of `folder` is touched.
 * @throws EdgeError ACCOUNTS_DIFFER; whatever DuckDB or the disk complain about
 */
export async function convertSegment(
  engine: Engine,
  source: Source,
  earlier: Tabled,
  folder: string,
): Promise<Conversion> {
  await engine.run('CREATE TABLE leftovers (line_no BIGINT, line VARCHAR, bytes BLOB, verdict VARCHAR)')
  const own = await stageReadings(engine, source, folder)
  const staged = await countFrames(engine)
  const reasons = await countReasons(engine)
  const moved = reasons[TO_FRAMES] ?? 0
  const isKnown = (reason: string) => reason.startsWith(KNOWN)
  const known = sumOf(reasons, isKnown)
  const isQuarantined = (reason: string) => reason !== TO_FRAMES && !isKnown(reason)
  const quarantined = sumOf(reasons, isQuarantined)

  const outcomes: Outcome[] = []
  if (quarantined > 0) {
    const wrong = Object.fromEntries(Object.entries(reasons).filter(([reason]) => isQuarantined(reason)))
    outcomes.push(...(await writeNote(engine, own, source, quarantineNote(source, wrong), earlier, folder)))
  }
  outcomes.push(await writeTable(engine, source, source.table, earlier, folder))
  let found = staged
  if (moved > 0) {
    await stageAgain(engine, await openStage(engine, source, framesTable, 0, 'stray'), TO_FRAMES)
    found += await countFrames(engine)
    outcomes.push(await writeTable(engine, source, framesTable, earlier, folder))
  }
  const parts = outcomes.flatMap(outcome => outcome.parts)
  const doubles = outcomes.reduce((sum, outcome) => sum + outcome.doubles.frames, 0)
  const accounted = found + quarantined + known
  if (accounted !== source.frames) {
    throw new EdgeError(
      'ACCOUNTS_DIFFER',
      `${source.segment}: ${accounted} lines are accounted for, its manifest says ${source.frames}; nothing was kept`,
      { path: source.path, hint: 'edgetape verify says whether the file is damaged' },
    )
  }
  return {
    parts,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    tabled: found - doubles,
    doubles,
    doubleRows: outcomes.reduce((sum, outcome) => sum + outcome.doubles.rows, 0),
    quarantined,
    known,
    reasons: Object.fromEntries(Object.entries(reasons).filter(([reason]) => reason !== TO_FRAMES)),
    quarantine: quarantined > 0 ? await writeQuarantine(engine, source, folder) : undefined,
  }
}

/** A row of the journal: in a file of its own, or among the rows of a segment of the journal. */
async function writeNote(
  engine: Engine,
  own: Stage,
  source: Source,
  line: string,
  earlier: Tabled,
  folder: string,
): Promise<Outcome[]> {
  const linesSql = `SELECT 0::BIGINT AS line_no, ${sqlText(line)} AS line`
  if (source.table === journalTable) {
    await stageLines(engine, own, linesSql)
    return []
  }
  await stageLines(engine, await openStage(engine, source, journalTable, 0, 'note'), linesSql)
  const outcome = await writeTable(engine, source, journalTable, earlier, folder)
  await engine.run('USE own')
  return [outcome]
}

/** Files of a table, and what was left out of them. */
interface Outcome {
  parts: Part[]
  doubles: Doubles
}

/** Takes out of `staged` what is tabled elsewhere, and writes the rest. */
async function writeTable(
  engine: Engine,
  source: Source,
  table: Table,
  earlier: Tabled,
  folder: string,
): Promise<Outcome> {
  let groups = await groupStaged(engine, table)
  const identity = earlier.keepDoubles ? undefined : identityOf(table)
  let doubles: Doubles = { rows: 0, frames: 0 }
  if (identity && groups.length > 0) {
    const { name } = source
    const partitions = groups.map(({ partition }) => partition)
    doubles = await dropDoubles(engine, {
      identity,
      origin: originOf(name.host, name.run),
      neighbours: findNeighbours(earlier.rootsOf, name, table, partitions),
      windowMs: earlier.windowMs,
      onUnreadable: earlier.onUnreadable,
    })
    if (doubles.rows > 0) groups = await groupStaged(engine, table)
  }
  const facts = { segments: JSON.stringify([source.sha256]), double_rows: String(doubles.rows) }
  return { parts: await writeParts(engine, table, groups, facts, folder), doubles }
}

const sumOf = (counts: Record<string, number>, wanted: (reason: string) => boolean) =>
  Object.entries(counts).reduce((sum, [reason, count]) => sum + (wanted(reason) ? count : 0), 0)

async function writeQuarantine(engine: Engine, source: Source, folder: string): Promise<string> {
  const path = join(folder, 'quarantine.jsonl')
  const wanted = `verdict <> ${sqlText(TO_FRAMES)} AND NOT starts_with(verdict, ${sqlText(KNOWN)})`
  const [[broken] = []] = await engine.rows(`SELECT count(*) FROM main.leftovers WHERE ${wanted} AND bytes IS NOT NULL`)
  const base64 = countOf(broken) > 0 ? ', to_base64(bytes) AS raw_base64' : ''
  await engine.run(`COPY (
    SELECT verdict AS reason, ${sqlText(source.segment)} AS segment, line_no AS line, coalesce(line, '') AS raw${base64}
    FROM main.leftovers WHERE ${wanted} ORDER BY line_no
  ) TO ${sqlText(path)} (FORMAT json)`)
  return path
}
