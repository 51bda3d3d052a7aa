import { SIGNS, standsAt } from '../../platform/json-bytes.js'
import { parsedObject } from '../../platform/json-object.js'
import type { Frames } from '../exchange.js'
import { families, SPOT } from './families.js'
import { channelOf, isSpot, topicOf } from './names.js'

const { QUOTE } = SIGNS
/** Where a frame's topic stands when it is spelled as most are. */
const USUAL_HEAD = Buffer.from('{"topic":"')
const TOPIC_KEY = Buffer.from('"topic":"')
const ANY_TOPIC = Buffer.from('"topic"')
/** Longer names are not topics, whatever they are. */
const TOPIC_BYTES_MAX = 120
/** The key stands before the data, or right behind them: no text inside the data is looked at. */
const LOOKED_AT_BYTES = 200

/** Where the topic's name starts; -1 where there is none, or it is spelled in a way that only a parser understands. */
export function topicStart(frame: Buffer): number {
  if (standsAt(frame, 0, USUAL_HEAD)) return USUAL_HEAD.length
  const key = frame.subarray(0, LOOKED_AT_BYTES).indexOf(TOPIC_KEY)
  return key < 0 ? -1 : key + TOPIC_KEY.length
}

/** Where the topic's name ends that starts at `from`; -1 where there is none. */
export function topicEnd(frame: Buffer, from: number): number {
  const last = Math.min(frame.length - 1, from + TOPIC_BYTES_MAX)
  for (let at = from; at <= last; at++) if (frame[at] === QUOTE) return at
  return -1
}

/** The topic of a frame in any spelling. */
export function topicIn(frame: Buffer): string | undefined {
  const from = topicStart(frame)
  const end = from < 0 ? -1 : topicEnd(frame, from)
  if (end >= 0) return frame.toString('latin1', from, end)
  return frame.includes(ANY_TOPIC) ? parsedTopic(frame) : undefined
}

function parsedTopic(frame: Buffer): string | undefined {
  const topic = parsedObject(frame)?.['topic']
  return typeof topic === 'string' ? topic : undefined
}

/** The family of books of all levels, and what their topics begin with. */
export const FULL_BOOK = 'book_full'
export const FULL_TOPIC = 'orderbook.full.'
/** An answer names its symbol before its levels. */
const ANSWER_HEAD_BYTES = 250
const ANSWERED_SYMBOL = /"result"\s*:\s*\{\s*"s"\s*:\s*"([^"]*)"/
const RET_CODE = /^\s*\{\s*"retCode"/

const answerHead = (frame: Buffer) => frame.toString('latin1', 0, ANSWER_HEAD_BYTES)

/** Whether a frame is the answer of a method. */
export const isAnswer = (frame: Buffer) => RET_CODE.test(answerHead(frame))

/** The topic that an answer is the book of; undefined for whatever else it may be. */
function topicOfAnswer(frame: Buffer): string | undefined {
  const symbol = isAnswer(frame) ? ANSWERED_SYMBOL.exec(answerHead(frame))?.[1] : undefined
  return symbol === undefined ? undefined : FULL_TOPIC + symbol
}

/** Families whose frames of spot have one of their own. */
const SPOT_TOO: ReadonlySet<string> = new Set(
  families.flatMap(({ name }) => (name.endsWith(SPOT) ? [name.slice(0, -SPOT.length)] : [])),
)

/** What frames say of themselves; only the family of their segment says of which category they are. */
export const frames: Frames = {
  channelOf: (frame, family) => {
    const topic = topicIn(frame) ?? (family.startsWith(FULL_BOOK) ? topicOfAnswer(frame) : undefined)
    return topic === undefined ? undefined : channelOf(family.endsWith(SPOT) ? 'spot' : 'linear', topic)
  },
  channelText: /"(?:topic|result"\s*:\s*\{\s*"s)"\s*:\s*"([^"]*)"/,
  calledIn: (named, family) => {
    const topic = family.startsWith(FULL_BOOK) && !named.includes('.') ? FULL_TOPIC + named : named
    return channelOf(family.endsWith(SPOT) ? 'spot' : 'linear', topic)
  },
  spelledIn: (instrument, family) => {
    const isElsewhere = isSpot(instrument) ? SPOT_TOO.has(family) : family.endsWith(SPOT)
    return isElsewhere ? undefined : topicOf(instrument)
  },
  instrumentText: name => `"(?:s|symbol|topic)"\\s*:\\s*"(?:[^"]*\\.)?${name}"`,
}

const TIMESTAMP = Buffer.from('"ts":')
const DIGITS = 13

/** When the exchange made a pushed frame, ms since the epoch; undefined where it says nothing. */
export function madeMs(frame: Buffer): number | undefined {
  if (topicStart(frame) < 0) return undefined
  const head = frame.subarray(0, LOOKED_AT_BYTES).indexOf(TIMESTAMP)
  const at = head >= 0 ? head : frame.lastIndexOf(TIMESTAMP)
  if (at < 0) return undefined
  const from = at + TIMESTAMP.length
  const digits = frame.toString('latin1', from, from + DIGITS)
  return /^\d{13}$/.test(digits) ? Number(digits) : undefined
}
