import type { BookChange, BookLevel, Books } from '../book.js'
import { dataOf } from './notification.js'

const PREDECESSOR = Buffer.from('"prev_change_id"')
const SNAPSHOT = Buffer.from('"type":"snapshot"')
/** Of intervals, the last is the finest. */
const FINENESS = ['agg2', '100ms', 'raw']

/** Books as the exchange documents them: each change names the change before it; ids jump by any amount and may be 0. */
export const books: Books = {
  family: 'book',
  channelsOf: instrument => [`book.${instrument}`],
  finestOf: channels => {
    const fineness = (channel: string) => FINENESS.indexOf(channel.slice(channel.lastIndexOf('.') + 1))
    // Grouped books have longer names.
    const full = channels.filter(channel => channel.split('.').length === 3)
    return full.sort((a, b) => fineness(b) - fineness(a))[0]
  },
  isSnapshot: frame => frame.includes(SNAPSHOT) || !frame.includes(PREDECESSOR),
  changeOf: text => changeOf(dataOf(text) ?? {}),
  rows: {
    amount: `CASE WHEN amount IS NOT NULL AND action = 'delete' THEN 0 ELSE amount END`,
    changeId: 'change_id',
    prevChangeId: 'prev_change_id',
    isSnapshot: `CASE WHEN "type" IS NULL THEN prev_change_id IS NULL ELSE "type" = 'snapshot' END`,
  },
}

/** `data` of a frame of a full book; frames of 2019 have no `type`. */
interface BookData {
  type?: unknown
  timestamp?: unknown
  change_id?: unknown
  prev_change_id?: unknown
  bids?: unknown
  asks?: unknown
}

function changeOf({ type, timestamp, change_id: changeId, prev_change_id: prev, ...data }: BookData) {
  const bids = levelsOf(data.bids)
  const asks = levelsOf(data.asks)
  if (typeof timestamp !== 'number' || typeof changeId !== 'number' || !bids || !asks) return undefined
  const isSnapshot = type === undefined ? prev === undefined : type === 'snapshot'
  const prevChangeId = typeof prev === 'number' ? prev : undefined
  return { exchangeMs: timestamp, isSnapshot, changeId, prevChangeId, bids, asks } satisfies BookChange
}

/** Undefined where one of them is not understood. */
function levelsOf(value: unknown): BookLevel[] | undefined {
  if (!Array.isArray(value)) return undefined
  const levels: BookLevel[] = []
  for (const level of value as unknown[]) {
    if (!Array.isArray(level)) return undefined
    const [action, price, amount] = level as unknown[]
    const isKnownAction = action === 'new' || action === 'change' || action === 'delete'
    if (!isKnownAction || typeof price !== 'number' || typeof amount !== 'number') return undefined
    levels.push([price, action === 'delete' ? 0 : amount])
  }
  return levels
}
