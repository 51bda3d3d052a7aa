/** Where a notification's channel stands when it is spelled as the exchange spells it today. */
const USUAL_HEAD = Buffer.from('{"jsonrpc":"2.0","method":"subscription","params":{"channel":"')
const CHANNEL_KEY = Buffer.from('"channel":"')
const NOTIFICATION = Buffer.from('"method":"subscription"')
const QUOTE = 0x22
/** Longer names are not channels of ours, whatever they are. */
const CHANNEL_BYTES_MAX = 120

/**
 * The channel of a subscription notification, found in its bytes: no JSON is parsed on the hot path. Undefined for
 * frames of any other kind, and for notifications spelled in a way that only a parser understands.
 */
export function channelOfFrame(frame: Buffer): string | undefined {
  const from = channelStart(frame)
  if (from < 0) return undefined
  const end = frame.indexOf(QUOTE, from)
  if (end < 0 || end - from > CHANNEL_BYTES_MAX) return undefined
  return frame.toString('latin1', from, end)
}

function channelStart(frame: Buffer): number {
  if (frame.length > USUAL_HEAD.length && frame.compare(USUAL_HEAD, 0, USUAL_HEAD.length, 0, USUAL_HEAD.length) === 0)
    return USUAL_HEAD.length
  if (frame.indexOf(NOTIFICATION) < 0) return -1
  const key = frame.indexOf(CHANNEL_KEY)
  return key < 0 ? -1 : key + CHANNEL_KEY.length
}
