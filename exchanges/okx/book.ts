import { parsedObject } from '../../platform/json-object.js'
import type { BookIds } from '../book-chain.js'
import { levelsOf, type BookChange, type Books } from '../book.js'
import { wholeNumberAt } from '../../platform/json-bytes.js'
import { rowsOf, type Message } from './message.js'

const SNAPSHOT = Buffer.from('"action":"snapshot"')
const UPDATE = Buffer.from('"action":"update"')
const SEQ = Buffer.from('"seqId":')
const PREV = Buffer.from('"prevSeqId":')
/** `prevSeqId` of a snapshot. */
const NONE = -1

/** Books as the exchange documents them: each change names the one before it; ids jump by any amount, and may go back. */
export const books: Books = {
  family: 'books',
  channelsOf: instrument => [`books.${instrument}`],
  finestOf: channels => channels.find(channel => channel.startsWith('books.')),
  isSnapshot: frame => frame.includes(SNAPSHOT),
  changeOf: text => changeOf(parsedObject(text)),
  rows: {
    amount: '"size"',
    changeId: '"seqId"',
    prevChangeId: 'nullif("prevSeqId", -1)',
    isSnapshot: `"action" = 'snapshot'`,
  },
}

/** What a frame of a book does, as far as it has one row, as all that were ever seen. */
function changeOf(message: Message | undefined): BookChange | undefined {
  const rows = rowsOf(message)
  const [row] = rows
  const ids = idsOf(message)
  if (!row || rows.length > 1 || !ids) return undefined
  const exchangeMs = Number(row['ts'])
  const bids = levelsOf(row['bids'])
  const asks = levelsOf(row['asks'])
  if (!(exchangeMs > 0) || !bids || !asks) return undefined
  return { exchangeMs, ...ids, bids, asks }
}

/** The ids of a frame of a book; undefined for frames of before 2022, which have none, and for what is not understood. */
export function bookIds(frame: Buffer): BookIds | undefined {
  const isSnapshot = frame.includes(SNAPSHOT)
  const seqAt = frame.lastIndexOf(SEQ)
  const prevAt = frame.lastIndexOf(PREV)
  // A frame of several rows is left to a parser.
  const isPlain = isSnapshot !== frame.includes(UPDATE) && seqAt >= 0 && frame.indexOf(SEQ) === seqAt
  if (!isPlain || (prevAt >= 0 && frame.indexOf(PREV) !== prevAt)) return idsOf(parsedObject(frame))
  const changeId = wholeNumberAt(frame, seqAt + SEQ.length)
  const prevChangeId = prevAt < 0 || isSnapshot ? undefined : wholeNumberAt(frame, prevAt + PREV.length)
  if (changeId < 0 || (!isSnapshot && (prevChangeId ?? -1) < 0)) return idsOf(parsedObject(frame))
  return { isSnapshot, changeId, prevChangeId }
}

function idsOf(message: Message | undefined): BookIds | undefined {
  const row = rowsOf(message).at(-1)
  const action = message?.['action']
  if (!row || (action !== 'snapshot' && action !== 'update')) return undefined
  const isSnapshot = action === 'snapshot'
  const { seqId, prevSeqId } = row
  // Beyond 2^53 a parser spoils them: better no number than a wrong one.
  if (!Number.isSafeInteger(seqId)) return undefined
  const prev = Number.isSafeInteger(prevSeqId) && prevSeqId !== NONE ? (prevSeqId as number) : undefined
  if (!isSnapshot && prev === undefined) return undefined
  return { isSnapshot, changeId: seqId as number, prevChangeId: isSnapshot ? undefined : prev }
}
