import { endOfPlainString, SIGNS, standsAt } from '../../platform/json-bytes.js'

const { QUOTE, CLOSE_OBJECT, COMMA, COLON } = SIGNS

/** How a frame of a channel begins. */
const HEAD = Buffer.from('{"arg":{')
/** What stands behind its `arg`: of answers to a subscription it is something else. */
const BEHIND = [Buffer.from(',"data":['), Buffer.from(',"action":"')]
/** Longer ones name no channel of ours, whatever they are. */
const ARG_BYTES_MAX = 300

/** Where the members of `arg` start in a frame of a channel: at one place in all of them. */
export const ARG_START = HEAD.length

/**
 * Where the members of `arg` end in a frame of a channel: they are texts, found in their bytes. -1 for frames of any other
 * kind, and for those spelled in a way that only a parser understands.
 */
export function argEnd(frame: Uint8Array): number {
  if (!standsAt(frame, 0, HEAD)) return -1
  const last = Math.min(frame.length, ARG_START + ARG_BYTES_MAX)
  for (let at = ARG_START; at < last;) {
    const keyEnd = endOfPlainString(frame, at)
    if (keyEnd < 0 || keyEnd >= last || frame[keyEnd] !== COLON || frame[keyEnd + 1] !== QUOTE) return -1
    const end = endOfPlainString(frame, keyEnd + 1)
    if (end < 0 || end >= last) return -1
    if (frame[end] === CLOSE_OBJECT) return BEHIND.some(text => standsAt(frame, end + 1, text)) ? end : -1
    if (frame[end] !== COMMA) return -1
    at = end + 1
  }
  return -1
}
