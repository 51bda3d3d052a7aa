import { datesOfTree } from '../../formats/tree-place.js'
import type { QuerySession } from './session.js'

/** What examples of ready views speak of. */
const DAY = '2026-11-22'
const DAY_AFTER = '2026-11-23'
const STEP = 'INTERVAL 1 HOUR'
const INSTRUMENT = 'BTC-PERPETUAL'
const COIN = 'BTC'
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** What there is in a tree, for examples that answer something. */
export interface AtHand {
  /** When the last of it was received, ms since the epoch. */
  lastMs: number
  /** When the first of that day was. */
  firstMs?: number | undefined
  /** A perpetual. */
  instrument: string | undefined
  /** Of settlement, of most options. */
  coin?: string | undefined
}

/** Tables of which nearly every tree has one. */
const TABLES = ['quote', 'trades', 'ticker']

/** Looks at the last day of a tree alone; undefined where there is nothing that examples ask for. */
export async function atHand(session: QuerySession, root: string): Promise<AtHand | undefined> {
  const last = datesOfTree(root)?.last
  if (last === undefined) return undefined
  for (const table of TABLES.filter(name => session.tables.includes(name))) {
    const sql = `SELECT epoch_ms(max(recv_ts)) AS last_ms, epoch_ms(min(recv_ts)) AS first_ms, mode(instrument_name) FILTER (kind = 'perpetual') AS often,
      bool_or(instrument_name = '${INSTRUMENT}') AS is_there, mode(currency) FILTER (kind = 'option') AS coin,
      bool_or(currency = '${COIN}') FILTER (kind = 'option') AS has_coin FROM ${table} WHERE date = '${last}'`
    const [row] = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
    const [lastMs, firstMs, often, isThere, mostCoin, hasCoin] = row ?? []
    if (lastMs === null || lastMs === undefined) continue
    const instrument = isThere === true ? INSTRUMENT : typeof often === 'string' ? often : undefined
    const coin = hasCoin !== true && typeof mostCoin === 'string' ? mostCoin : undefined
    return { lastMs: Number(lastMs), firstMs: Number(firstMs), instrument, coin }
  }
  return undefined
}

/** Steps of which at least two fit into what was recorded on the last day. */
function stepOf({ firstMs = -Infinity, lastMs }: AtHand): { name: string; ms: number } {
  const steps = [
    { name: STEP, ms: HOUR_MS },
    { name: 'INTERVAL 1 MINUTE', ms: 60_000 },
  ]
  return steps.find(({ ms }) => lastMs - firstMs >= 2 * ms) ?? { name: 'INTERVAL 1 SECOND', ms: 1000 }
}

/** An example with days, moments and an instrument that are there. Pure. */
export function exampleAtHand(example: string, there: AtHand): string {
  const { lastMs, firstMs = lastMs, instrument = INSTRUMENT, coin = COIN } = there
  const step = stepOf(there)
  // Of a recording that is younger than an hour nothing is known at any full hour.
  const isYoung = step.ms < HOUR_MS && example.includes(STEP)
  const ends: Readonly<Record<string, number>> = { [DAY]: firstMs + step.ms, [DAY_AFTER]: lastMs }
  const moments = [...new Set(example.match(/\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?/g))].sort()
  const shiftMs = Math.floor(lastMs / DAY_MS) * DAY_MS - Date.parse(DAY)
  const hourMs = lastMs - (lastMs % HOUR_MS)
  return example
    .replaceAll(STEP, step.name)
    .replace(/(\d{4}-\d\d-\d\d)( \d\d:\d\d(?::\d\d)?)?/g, (moment, date: string, time?: string) => {
      const end = isYoung && time === undefined ? ends[date] : undefined
      if (end !== undefined) return textOf(end)
      if (time === undefined) return textOf(Date.parse(date) + shiftMs).slice(0, 10)
      if (moments.length === 1) return textOf(lastMs)
      return textOf(moment === moments[0] ? hourMs : hourMs + HOUR_MS).slice(0, 16)
    })
    .replaceAll(INSTRUMENT, instrument)
    .replaceAll(`'${COIN}'`, `'${coin}'`)
    .replaceAll(`'${COIN.toLowerCase()}_usd'`, `'${coin.toLowerCase()}_usd'`)
}

const textOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
