/**
 * Books of all levels: the socket brings changes alone, and the book that they begin with is asked for, up to 10,000 levels
 * of each side. Numbers are those of other books, but for 1: it says that the book is to be asked for anew.
 */

import { isJsonObject, parsedObject, type JsonObject } from '../../platform/json-object.js'
import type { BookIds } from '../book-chain.js'
import { FULL_TOPIC, isAnswer, topicIn } from './frames.js'
import { bookIdsIn } from './sequence-bytes.js'

const CHANNEL = /^(?:spot\.)?orderbook\.full\./
/** The book is given up and begun anew where no answer that fits came within this. */
export const ANSWER_WITHIN_MS = 30_000

export const isFullBook = (channel: string) => CHANNEL.test(channel)

/** What a change says of its place in the sequence. */
export function changeIdsIn(frame: Buffer): BookIds | undefined {
  const ids = bookIdsIn(frame)
  if (ids?.changeId !== 1) return ids
  return { isSnapshot: false, changeId: 1, prevChangeId: 0, beginsAnew: true }
}

/** What stands in the answer: members as in `data` of frames, and the times beside them. */
export function bookIn(frame: Buffer): JsonObject | undefined {
  const result = parsedObject(frame)?.['result']
  return isJsonObject(result) ? result : undefined
}

/** Whether a frame of a book is such an answer, and so holds all of it; undefined where it is a frame of any other book. */
export function isAnswerOfFullBook(frame: Buffer): boolean | undefined {
  if (isAnswer(frame)) return true
  return topicIn(frame)?.startsWith(FULL_TOPIC) === true ? false : undefined
}
