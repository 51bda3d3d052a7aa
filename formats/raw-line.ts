/**
 * A line of a segment: one frame, byte for byte, with when and where it was received; lines ⇄ frames. Pure.
 * Times are UTC, of the receive clock.
 */

/** How a frame stands in its line: JSON as it came, other text as a JSON string, anything else in base64. */
export type FrameEncoding = 'frame' | 'text' | 'base64'

export interface RawLine {
  /** Receive time, µs since the epoch; below 2^53 until the year 2255. */
  recvUs: number
  /** Connection of this run, e.g. `d1`; what we sent on it is `d1.sent`. */
  conn: string
  /** Counts the frames of `conn` within a run, from 1. */
  seq: number
  encoding: FrameEncoding
  /** For `frame`: the text exactly as received. For `text` and `base64`: decoded. */
  frame: Buffer
}

/** The line of a frame up to the frame itself; `}` and a line feed end it. */
export function lineHead(recvUs: number, conn: string, seq: number, encoding: FrameEncoding): string {
  return `{"recv_us":${recvUs},"conn":"${conn}","seq":${seq},"${encoding}":`
}

/** Ends the head of a frame that is JSON; those of others have another key in its place. */
export const FRAME_KEY = '"frame":'
/** What follows a frame. */
export const LINE_END = '}\n'
const HEAD_START = Buffer.from('{"recv_us":')
const HEAD_END = Buffer.from(`,${FRAME_KEY}`)
/** What stands between the two numbers of a head, by connection: a handful. */
const middles = new Map<string, Buffer>()

function middleOf(conn: string): Buffer {
  let middle = middles.get(conn)
  if (!middle) {
    middle = Buffer.from(`,"conn":"${conn}","seq":`)
    middles.set(conn, middle)
  }
  return middle
}

/** Writes the head of a frame that is JSON and returns the offset behind it: as `lineHead`, without a string per frame. */
export function writeLineHead(target: Buffer, offset: number, recvUs: number, conn: string, seq: number): number {
  const middle = middleOf(conn)
  let at = offset
  target.set(HEAD_START, at)
  at = writeDigits(target, at + HEAD_START.length, recvUs)
  target.set(middle, at)
  at = writeDigits(target, at + middle.length, seq)
  target.set(HEAD_END, at)
  return at + HEAD_END.length
}

/** A whole number from 0 to 2^53 in decimal. */
function writeDigits(target: Buffer, at: number, value: number): number {
  // In two halves below 2^31, which the engine divides as integers.
  const high = Math.floor(value / 1e8)
  if (high === 0) return writeSmall(target, at, value, 1)
  return writeSmall(target, writeSmall(target, at, high, 1), value - high * 1e8, 8)
}

function writeSmall(target: Buffer, at: number, value: number, minDigits: number): number {
  let digits = minDigits
  for (let bound = 10 ** minDigits; value >= bound; bound *= 10) digits++
  let rest = value | 0
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (rest / 10) | 0
    target[place] = 0x30 + rest - next * 10
    rest = next
  }
  return at + digits
}

/** What stands between head and end for a frame that is not JSON. */
export function encodePayload(frame: Buffer, encoding: FrameEncoding): Buffer {
  switch (encoding) {
    case 'frame':
      return frame
    case 'text':
      return Buffer.from(JSON.stringify(frame.toString('utf8')))
    case 'base64':
      return Buffer.from(`"${frame.toString('base64')}"`)
  }
}

const HEAD = /^\{"recv_us":(\d{1,16}),"conn":"([A-Za-z0-9._-]{1,32})","seq":(\d{1,16}),"(frame|text|base64)":/

/** The facts before the frame, or undefined where the line does not start like one of ours. */
export function parseLineHead(line: string): (Omit<RawLine, 'frame'> & { headLength: number }) | undefined {
  const match = HEAD.exec(line)
  if (!match) return undefined
  const [head, recvUs, conn = '', seq, encoding] = match
  return {
    recvUs: Number(recvUs),
    conn,
    seq: Number(seq),
    encoding: encoding as FrameEncoding,
    headLength: head.length,
  }
}

/** A whole line (without its line feed) back to its frame, byte for byte; undefined where it is none of ours. */
export function parseLine(line: Buffer): RawLine | undefined {
  // 160 bytes hold the longest head; it is ASCII, so characters are bytes.
  const head = parseLineHead(line.subarray(0, 160).toString('latin1'))
  if (!head || line.at(-1) !== 0x7d) return undefined
  const { headLength, ...facts } = head
  const payload = line.subarray(headLength, line.length - 1)
  if (facts.encoding === 'frame') return { ...facts, frame: payload }
  const text: unknown = JSON.parse(payload.toString('utf8'))
  if (typeof text !== 'string') return undefined
  return { ...facts, frame: Buffer.from(text, facts.encoding === 'text' ? 'utf8' : 'base64') }
}
