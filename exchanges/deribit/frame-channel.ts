import { SIGNS, standsAt } from '../../platform/json-bytes.js'
import { paramsOf } from './notification.js'

const { QUOTE } = SIGNS
/** How a notification begins, and what stands before its channel, as the exchange spells it today. */
const VERSION = '{"jsonrpc":"2.0",'
const USUAL_HEAD = Buffer.from('"method":"subscription","params":{"channel":"')
const ANY_CHANNEL_KEY = Buffer.from('"channel"')
const CHANNEL_KEY = Buffer.from('"channel":"')
const NOTIFICATION = Buffer.from('"method":"subscription"')
/** What stands between a channel's name and the data, from the closing quote on. */
const TO_DATA = Buffer.from('","data":')
/** Longer names are not channels of ours, whatever they are. */
const CHANNEL_BYTES_MAX = 120

/**
 * The channel of a subscription notification, found in its bytes: no JSON is parsed on the hot path. Undefined for
 * frames of any other kind, and for notifications spelled in a way that only a parser understands.
 */
export function channelOfFrame(frame: Buffer): string | undefined {
  const from = channelStart(frame)
  const end = from < 0 ? -1 : channelEnd(frame, from)
  return end < 0 ? undefined : frame.toString('latin1', from, end)
}

/** The same in any spelling: what only a parser understands is parsed. */
export function namedChannel(frame: Buffer): string | undefined {
  return channelOfFrame(frame) ?? (frame.includes(ANY_CHANNEL_KEY) ? parsedChannel(frame) : undefined)
}

function parsedChannel(frame: Buffer): string | undefined {
  const channel = paramsOf(frame)?.['channel']
  return typeof channel === 'string' ? channel : undefined
}

/** Where the channel's name starts; -1 where `channelOfFrame` finds none. */
export function channelStart(frame: Buffer): number {
  if (standsAt(frame, VERSION.length, USUAL_HEAD)) return VERSION.length + USUAL_HEAD.length
  if (frame.indexOf(NOTIFICATION) < 0) return -1
  const key = frame.indexOf(CHANNEL_KEY)
  return key < 0 ? -1 : key + CHANNEL_KEY.length
}

/** Where the channel's name ends that starts at `from`; -1 where there is none. */
export function channelEnd(frame: Buffer, from: number): number {
  const last = Math.min(frame.length - 1, from + CHANNEL_BYTES_MAX)
  for (let at = from; at <= last; at++) if (frame[at] === QUOTE) return at
  return -1
}

/** Where the data starts behind the channel's name; beyond the frame where something else stands there. */
export function dataStart(frame: Uint8Array, channelEnd: number): number {
  return standsAt(frame, channelEnd, TO_DATA) ? channelEnd + TO_DATA.length : frame.length
}
