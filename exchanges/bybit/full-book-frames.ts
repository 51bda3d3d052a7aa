/**
 * Books of all levels: the socket brings changes alone, and the book that they begin with is asked for, up to 10,000 levels
 * of each side. Numbers are those of other books, but for 1: it says that the book is to be asked for anew.
 */

import type { BookIds } from '../book-chain.js'
import { parsed } from './frames.js'
import { bookIdsIn } from './sequence-bytes.js'

export const FULL_BOOK = 'book_full'
const TOPIC = 'orderbook.full.'
const CHANNEL = /^(?:spot\.)?orderbook\.full\./
/** The book is given up and begun anew where no answer that fits came within this. */
export const ANSWER_WITHIN_MS = 30_000
/** The answer names its symbol before its levels. */
const HEAD_BYTES = 250
const SYMBOL = /"result"\s*:\s*\{\s*"s"\s*:\s*"([^"]*)"/
const RET_CODE = /^\s*\{\s*"retCode"/

export const isFullBook = (channel: string) => CHANNEL.test(channel)

/** What a change says of its place in the sequence. */
export function changeIdsIn(frame: Buffer): BookIds | undefined {
  const ids = bookIdsIn(frame)
  if (ids?.changeId !== 1) return ids
  return { isSnapshot: false, changeId: 1, prevChangeId: 0, beginsAnew: true }
}

export const topicOfSymbol = (symbol: string) => TOPIC + symbol

const headOf = (frame: Buffer) => frame.toString('latin1', 0, HEAD_BYTES)

/** The topic that an answer is the book of; undefined for whatever else it may be. */
export function topicOfAnswer(frame: Buffer): string | undefined {
  const head = headOf(frame)
  if (!RET_CODE.test(head)) return undefined
  const symbol = SYMBOL.exec(head)?.[1] ?? bookIn(frame)?.['s']
  return typeof symbol === 'string' ? topicOfSymbol(symbol) : undefined
}

/** What stands in the answer: members as in `data` of frames, and the times beside them. */
export function bookIn(frame: Buffer): Record<string, unknown> | undefined {
  const result = parsed(frame)?.['result']
  return typeof result === 'object' && result !== null ? (result as Record<string, unknown>) : undefined
}

/** Whether a frame of a book is such an answer, and so holds all of it; undefined where it is a frame of any other book. */
export function isAnswerOfFullBook(frame: Buffer): boolean | undefined {
  const head = headOf(frame)
  if (RET_CODE.test(head)) return true
  return head.includes(`"${TOPIC}`) ? false : undefined
}
