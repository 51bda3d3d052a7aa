import { openDuckDb } from '../../reading/duckdb.js'
import { assess, type Coverage } from './assess.js'
import { readFacts } from './read-facts.js'
import type { Span } from './spans.js'

const DAY_US = 86_400_000_000

/**
 * Coverage of what is below `root` (a dataDir, or a copy of one), of all time or of one day, `2026-11-22`.
 * @throws EdgeError COVERAGE_NO_PARQUET
 */
export async function measureCoverage(root: string, date?: string): Promise<Coverage> {
  const connection = await openDuckDb()
  try {
    return assess(await readFacts(connection, root, date), windowOf(date))
  } finally {
    connection.closeSync()
  }
}

function windowOf(date: string | undefined): Span {
  if (date === undefined) return { fromUs: 0, toUs: Infinity }
  const fromUs = Date.parse(`${date}T00:00:00Z`) * 1000
  return { fromUs, toUs: fromUs + DAY_US }
}
