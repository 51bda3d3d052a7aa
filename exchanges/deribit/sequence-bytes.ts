import { endOfPlainString, endOfValue, isText, SIGNS, wholeNumber } from '../../platform/json-bytes.js'
import type { BookIds } from '../book-chain.js'

/**
 * The numbers that say whether something is missing, found in the bytes of a notification's `data`. Members may stand in
 * any order. `undefined` means a spelling that only a parser understands (blanks, escapes, exponents): nothing is guessed.
 */

const { QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, ZERO } = SIGNS

const CHANGE_ID = Buffer.from('change_id')
const PREV_CHANGE_ID = Buffer.from('prev_change_id')
const PREV_MEMBER = Buffer.from('"prev_change_id":')
const TYPE = Buffer.from('type')
const SNAPSHOT = Buffer.from('"snapshot"')
const CHANGE = Buffer.from('"change"')
const INSTRUMENT_NAME = Buffer.from('instrument_name')
const TRADE_SEQ = Buffer.from('trade_seq')

/** The ids of a book frame whose `data` starts at `from`. */
export function bookIdsAt(frame: Uint8Array, from: number): BookIds | undefined {
  if (frame[from] !== OPEN_OBJECT) return undefined
  let isSnapshot: boolean | undefined
  let changeId = -1
  let prevChangeId = -1
  for (let at = from + 1; ;) {
    const keyEnd = endOfPlainString(frame, at)
    if (keyEnd < 0 || frame[keyEnd] !== COLON) return undefined
    const value = keyEnd + 1
    // Today the previous id stands last, behind the levels: those need not be walked.
    if (frame[value] === OPEN_LIST && changeId >= 0) {
      if (isSnapshot === true) return { isSnapshot, changeId, prevChangeId: undefined }
      if (prevChangeId < 0) prevChangeId = lastMember(frame, PREV_MEMBER)
      if (isSnapshot === false && prevChangeId >= 0) return { isSnapshot, changeId, prevChangeId }
    }
    const end = endOfValue(frame, value)
    if (isText(frame, at + 1, keyEnd - 1, CHANGE_ID)) {
      if ((changeId = wholeNumber(frame, value, end)) < 0) return undefined
    } else if (isText(frame, at + 1, keyEnd - 1, PREV_CHANGE_ID)) {
      if ((prevChangeId = wholeNumber(frame, value, end)) < 0) return undefined
    } else if (isText(frame, at + 1, keyEnd - 1, TYPE)) {
      isSnapshot = isText(frame, value, end, SNAPSHOT)
      if (!isSnapshot && !isText(frame, value, end, CHANGE)) return undefined
    }
    if (end < 0) return undefined
    if (frame[end] === CLOSE_OBJECT) break
    if (frame[end] !== COMMA) return undefined
    at = end + 1
  }
  if (changeId < 0) return undefined
  const prev = prevChangeId < 0 ? undefined : prevChangeId
  // Frames of 2019 name no type: the one without a previous id is the snapshot.
  return { isSnapshot: isSnapshot ?? prev === undefined, changeId, prevChangeId: prev }
}

/**
 * Calls `visit` for each trade of a list that starts at `from`, with its `trade_seq` and where its instrument's name
 * stands; those inside `legs` are not of this list. False for a spelling that only a parser understands.
 */
export function eachTradeAt(
  frame: Uint8Array,
  from: number,
  visit: (nameFrom: number, nameTo: number, seq: number) => void,
): boolean {
  if (frame[from] !== OPEN_LIST) return false
  if (frame[from + 1] === CLOSE_LIST) return true
  for (let at = from + 1; ;) {
    const end = tradeAt(frame, at, visit)
    if (end < 0) return false
    if (frame[end] === CLOSE_LIST) return true
    if (frame[end] !== COMMA) return false
    at = end + 1
  }
}

/** One trade; returns where it ends, -1 for an odd spelling. */
function tradeAt(
  frame: Uint8Array,
  from: number,
  visit: (nameFrom: number, nameTo: number, seq: number) => void,
): number {
  if (frame[from] !== OPEN_OBJECT) return -1
  let nameFrom = -1
  let nameTo = -1
  let seq = -1
  for (let at = from + 1; ;) {
    const keyEnd = endOfPlainString(frame, at)
    if (keyEnd < 0 || frame[keyEnd] !== COLON) return -1
    const value = keyEnd + 1
    // Nearly every value is passed over once.
    const plainEnd = frame[value] === QUOTE ? endOfPlainString(frame, value) : -1
    const end = plainEnd < 0 ? endOfValue(frame, value) : plainEnd
    if (end < 0) return -1
    if (isText(frame, at + 1, keyEnd - 1, TRADE_SEQ)) seq = wholeNumber(frame, value, end)
    else if (isText(frame, at + 1, keyEnd - 1, INSTRUMENT_NAME) && frame[value] === QUOTE) {
      if (plainEnd < 0) return -1
      nameFrom = value + 1
      nameTo = end - 1
    }
    if (frame[end] === CLOSE_OBJECT) {
      if (seq < 0 || nameFrom < 0) return -1
      visit(nameFrom, nameTo, seq)
      return end + 1
    }
    if (frame[end] !== COMMA) return -1
    at = end + 1
  }
}

/** A member with digits at the very end of a notification, before its three closing braces; -1 where there is none. */
function lastMember(frame: Uint8Array, member: Buffer): number {
  let at = frame.length - 1
  for (let brace = 0; brace < 3; brace++) if (frame[at--] !== CLOSE_OBJECT) return -1
  const digitsEnd = at + 1
  while (at >= 0 && (frame[at] as number) >= ZERO && (frame[at] as number) <= ZERO + 9) at--
  const digitsFrom = at + 1
  if (!isText(frame, digitsFrom - member.length, digitsFrom, member)) return -1
  return wholeNumber(frame, digitsFrom, digitsEnd)
}
