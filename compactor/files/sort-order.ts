import { countOf } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { PackedColumn } from './packed-columns.js'

export const ORDERED_BY: readonly string[] = ['instrument_name', 'exchange_ts', 'seq', 'conn', 'row_no', 'recv_ts']

/** The order of rows in a file, as far as they differ. */
export const IN_FULL = ORDERED_BY.join(', ')

/** What a BIGINT holds. */
const MOST = 2n ** 63n - 1n

/**
 * The same order by few keys, in SQL on what is carried through the sort: a key of up to 24 bytes is compared as numbers are,
 * and a longer one, or one with a text in it, costs a sixth of writing the file. A row's frame, connection and place in the frame
 * are one number where they fit; no two rows of a segment share all three.
 * @param conn how connections are carried
 */
export async function sortOrder(engine: Engine, conn: PackedColumn | undefined): Promise<string> {
  const [[least, seq, row] = []] = await engine.rows('SELECT min(seq), max(seq), max(row_no) FROM staged')
  if (conn?.texts === undefined || typeof seq !== 'bigint' || countOf(least) < 0) return IN_FULL
  const rows = BigInt(countOf(row)) + 1n
  const { count: connections, number } = conn.texts
  if ((seq + 1n) * BigInt(connections) * rows > MOST) return IN_FULL
  return `instrument_name, exchange_ts, (seq * ${connections} + ${number}) * ${rows} + row_no`
}
