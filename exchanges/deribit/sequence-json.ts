import { isJsonObject } from '../../platform/json-object.js'
import type { BookIds } from '../book-chain.js'

/** What `sequence-bytes.ts` reads, taken from parsed `data`: for the rare spellings that its scan leaves to a parser. */
export function bookIdsOf(data: unknown): BookIds | undefined {
  if (!isJsonObject(data)) return undefined
  const { type, change_id: changeId, prev_change_id: prev } = data
  if (!isId(changeId)) return undefined
  const prevChangeId = isId(prev) ? prev : undefined
  if (type === undefined) return { isSnapshot: prevChangeId === undefined, changeId, prevChangeId }
  if (type !== 'snapshot' && type !== 'change') return undefined
  return { isSnapshot: type === 'snapshot', changeId, prevChangeId: type === 'snapshot' ? undefined : prevChangeId }
}

export interface TradeRow {
  instrument: string
  seq: number
  /** Time at the exchange, ms; 0 where the row names none. */
  timestampMs: number
}

/** The trades of a list, without those of their legs; what is no trade is left out. */
export function tradeRowsOf(data: unknown): TradeRow[] {
  if (!Array.isArray(data)) return []
  return data.flatMap((row: unknown) => {
    if (!isJsonObject(row)) return []
    const { instrument_name: instrument, trade_seq: seq, timestamp } = row
    if (typeof instrument !== 'string' || !isId(seq)) return []
    return [{ instrument, seq, timestampMs: typeof timestamp === 'number' ? timestamp : 0 }]
  })
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
