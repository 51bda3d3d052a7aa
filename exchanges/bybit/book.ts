import { parsedObject } from '../../platform/json-object.js'
import { levelsOf, type BookChange, type Books } from '../book.js'
import { ANSWER_WITHIN_MS, isAnswerOfFullBook, isFullBook } from './full-book-frames.js'
import { channelOf, familyOfChannel, isSpot, topicOf } from './names.js'

const SNAPSHOT = Buffer.from('"type":"snapshot"')
/** The service began anew: whatever the frame calls itself, it holds the whole book. */
const FIRST = /"u":1[,}]/
/** The type stands right behind the topic, and `u` right behind the levels. */
const HEAD_BYTES = 250
const TAIL_BYTES = 120

/** Books as the wire shows them: `u` rises by 1 with each change of a topic; sizes are absolute, 0 takes the price away. */
export const books: Books = {
  family: 'book',
  further: ['book.spot', 'book_full', 'book_full.spot'],
  channelsOf: instrument => {
    const category = isSpot(instrument) ? 'spot' : 'linear'
    const symbol = topicOf(instrument)
    return ['full', '50', '200', '1000', '25', '100'].map(depth => channelOf(category, `orderbook.${depth}.${symbol}`))
  },
  finestOf: channels => {
    const depthOf = (channel: string) => (isFullBook(channel) ? Infinity : Number(topicOf(channel).split('.')[1]))
    const full = channels.filter(channel => familyOfChannel(channel).startsWith('book') && depthOf(channel) > 1)
    return full.sort((a, b) => Number(isSpot(a)) - Number(isSpot(b)) || depthOf(b) - depthOf(a))[0]
  },
  answerLagUs: channel => (isFullBook(channel) ? 1000 * ANSWER_WITHIN_MS : 0),
  isSnapshot: frame =>
    isAnswerOfFullBook(frame) ??
    (frame.subarray(0, HEAD_BYTES).includes(SNAPSHOT) ||
      FIRST.test(frame.toString('latin1', Math.max(0, frame.length - TAIL_BYTES)))),
  changeOf,
  rows: {
    amount: 'size',
    changeId: 'update_id',
    // Those of all levels have no depth: with 1 they ask to be asked for.
    prevChangeId: `CASE WHEN "type" = 'delta' AND (update_id > 1 OR depth IS NULL) THEN update_id - 1 END`,
    isSnapshot: `coalesce("type" <> 'delta' OR (update_id = 1 AND depth IS NOT NULL), true)`,
  },
}

/** They stand beside the data of a frame, and among those of an answer. */
type Times = { ts?: unknown; cts?: unknown } | null | undefined

function changeOf(text: string): BookChange | undefined {
  const bytes = Buffer.from(text)
  const isAnswer = isAnswerOfFullBook(bytes)
  const frame = parsedObject(bytes) ?? {}
  const { type, data = frame['result'], ts = (data as Times)?.ts, cts = (data as Times)?.cts } = frame
  if (typeof data !== 'object' || data === null) return undefined
  const { u, b, a } = data as { u?: unknown; b?: unknown; a?: unknown }
  const bids = levelsOf(b)
  const asks = levelsOf(a)
  const exchangeMs = typeof cts === 'number' ? cts : ts
  if (typeof exchangeMs !== 'number' || typeof u !== 'number' || !bids || !asks) return undefined
  const isSnapshot = isAnswer ?? (type !== 'delta' || u === 1)
  return { exchangeMs, isSnapshot, changeId: u, prevChangeId: isSnapshot ? undefined : u - 1, bids, asks }
}
