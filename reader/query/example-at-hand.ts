import { datesOfTree } from '../../formats/tree-place.js'
import type { QuerySession } from './session.js'

/** What examples of ready views speak of. */
const DAY = '2026-11-22'
const INSTRUMENT = 'BTC-PERPETUAL'
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** What there is in a tree, for examples that answer something. */
export interface AtHand {
  /** When the last of it was received, ms since the epoch. */
  lastMs: number
  /** A perpetual. */
  instrument: string | undefined
}

/** Tables of which nearly every tree has one. */
const TABLES = ['quote', 'trades', 'ticker']

/** Looks at the last day of a tree alone; undefined where there is nothing that examples ask for. */
export async function atHand(session: QuerySession, root: string): Promise<AtHand | undefined> {
  const last = datesOfTree(root)?.last
  if (last === undefined) return undefined
  for (const table of TABLES.filter(name => session.tables.includes(name))) {
    const sql = `SELECT epoch_ms(max(recv_ts)) AS last_ms, mode(instrument_name) FILTER (kind = 'perpetual') AS often,
      bool_or(instrument_name = '${INSTRUMENT}') AS is_there FROM ${table} WHERE date = '${last}'`
    const [row] = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
    const [lastMs, often, isThere] = row ?? []
    if (lastMs === null || lastMs === undefined) continue
    const instrument = isThere === true ? INSTRUMENT : typeof often === 'string' ? often : undefined
    return { lastMs: Number(lastMs), instrument }
  }
  return undefined
}

/** An example with days, moments and an instrument that are there. Pure. */
export function exampleAtHand(example: string, { lastMs, instrument = INSTRUMENT }: AtHand): string {
  const moments = [...new Set(example.match(/\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?/g))].sort()
  const shiftMs = Math.floor(lastMs / DAY_MS) * DAY_MS - Date.parse(DAY)
  const hourMs = lastMs - (lastMs % HOUR_MS)
  return example
    .replace(/(\d{4}-\d\d-\d\d)( \d\d:\d\d(?::\d\d)?)?/g, (moment, date: string, time?: string) => {
      if (time === undefined) return textOf(Date.parse(date) + shiftMs).slice(0, 10)
      if (moments.length === 1) return textOf(lastMs)
      return textOf(moment === moments[0] ? hourMs : hourMs + HOUR_MS).slice(0, 16)
    })
    .replaceAll(INSTRUMENT, instrument)
}

const textOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
