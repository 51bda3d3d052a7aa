import { openDuckDb } from '../platform/duckdb.js'
import { assess, type Coverage, type Question } from './assess.js'
import type { CoverageFacts } from './facts.js'
import { lastEntries, orderlyEndUs } from '../formats/journal/runs.js'
import { ParquetReader } from './parquet-reader.js'
import { readFacts, type OnTable } from './read-facts.js'
import type { Span } from '../platform/spans.js'

const DAY_US = 86_400_000_000
/** An hour's segments are sealed, converted and shipped within this time of its end; a recorder not heard of for longer is gone. */
const ARRIVES_WITHIN_US = 2 * 3_600_000_000

export interface MeasureOptions extends Omit<Question, 'window'> {
  /** Undefined: from the first to the last that was recorded. */
  window?: Span | undefined
  nowUs?: number
  onTable?: OnTable
}

export interface MeasuredCoverage extends Coverage {
  /** Files that were cut off or overwritten: none of their rows are counted. */
  torn: readonly string[]
}

/**
 * Coverage of what is below `root` (a dataDir, or a copy of one).
 * @throws EdgeError COVERAGE_NO_PARQUET, PARQUET_UNREADABLE
 */
export async function measureCoverage(root: string, options: MeasureOptions = {}): Promise<MeasuredCoverage> {
  const { window: asked = { fromUs: 0, toUs: Infinity }, nowUs = Date.now() * 1000, onTable, ...question } = options
  const connection = await openDuckDb()
  try {
    const tables = new ParquetReader(connection, root)
    const facts = await readFacts(tables, root, asked, onTable)
    const { window, gone } = knownPart(asked, facts, nowUs)
    const entries = [...facts.entries, ...gone].sort((a, b) => a.recvUs - b.recvUs)
    return { ...assess({ ...facts, entries }, { ...question, window }), torn: tables.torn }
  } finally {
    connection.closeSync()
  }
}

/**
 * The part of the span of which anything can be known. Where no end was asked for, it is the last that was heard. What
 * was asked for ends now, or, while a recorder lives, where its rows end; a recorder that is gone is missing all the time.
 */
export function knownPart(
  asked: Span,
  { entries, lastRowUs }: Pick<CoverageFacts, 'entries' | 'lastRowUs'>,
  nowUs: number,
): { window: Span; gone: CoverageFacts['entries'] } {
  const hosts = lastEntries(entries)
  const lives = ({ last, isStopped }: (typeof hosts)[number]) => !isStopped && nowUs - last.recvUs <= ARRIVES_WITHIN_US
  // As if each had said so with its last word.
  const gone = hosts
    .filter(host => !host.isStopped && !lives(host))
    .map(
      ({ last: { exchange, host, run, recvUs } }) =>
        ({ exchange, host, run, recvUs, event: 'ceased', detail: {} }) as const,
    )
  const heardUs = entries.at(-1)?.recvUs ?? 0
  const endUs = Number.isFinite(asked.toUs) ? Math.min(asked.toUs, nowUs) : (orderlyEndUs(entries) ?? heardUs)
  const rowsEndUs = endUs > heardUs && hosts.some(lives) ? Math.min(endUs, lastRowUs) : endUs
  return { window: { fromUs: asked.fromUs, toUs: Math.max(asked.fromUs, rowsEndUs) }, gone }
}

/** @param date `2026-11-22` */
export function dayWindow(date: string): Span {
  const fromUs = Date.parse(`${date}T00:00:00Z`) * 1000
  return { fromUs, toUs: fromUs + DAY_US }
}
