/**
 * A line of a segment: one frame, byte for byte, with when and where it was received; lines ⇄ frames. Pure.
 * Times are UTC, of the receive clock.
 */

import { parsedJson } from '../platform/json-object.js'

/** How a frame stands in its line: JSON as it came, other text as a JSON string, anything else in base64. */
export type FrameEncoding = 'frame' | 'text' | 'base64'

export interface RawLine {
  /** Receive time, µs since the epoch; below 2^53 until the year 2255. */
  recvUs: number
  /** Connection of this run, e.g. `d1`; what we sent on it is `d1.sent`, what was asked for it over HTTP `d1.http`. */
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
/** Where the stamp stands in a head. */
const STAMP_FROM = '{"recv_us":'.length
/** Digits of a stamp that are written anew for each line; those before them change once in 100 s. */
const LOW_DIGITS = 8
const LOW_END = 10 ** LOW_DIGITS
const [ZERO, NINE] = [0x30, 0x39]

/**
 * Heads of the lines of one source whose frames are JSON, as `lineHead` spells them. The last one is kept: from line to
 * line only the number changes, by one, and from read to read the end of the stamp.
 */
export class LineHead {
  readonly #conn: string
  #bytes = new Uint8Array(0)
  #recvUs = -1
  /** The stamp without its low digits. */
  #high = -1
  #seq = -1
  /** Where the stamp's low digits end; where the number's first digit stands, and its last one. */
  #stampEnd = 0
  #seqFrom = 0
  #seqLast = 0

  constructor(conn: string) {
    this.#conn = conn
  }

  /** Writes the head into `target` at `offset` and returns the offset behind it. */
  write(target: Uint8Array, offset: number, recvUs: number, seq: number): number {
    const isNext = seq === this.#seq + 1 && this.#countOn()
    if (!isNext || recvUs !== this.#recvUs) this.#stamp(isNext, recvUs, seq)
    this.#seq = seq
    target.set(this.#bytes, offset)
    return offset + this.#bytes.length
  }

  /** Adds one to the number as it stands; false where it needs a further digit. */
  #countOn(): boolean {
    const bytes = this.#bytes
    let at = this.#seqLast
    while (at >= this.#seqFrom && bytes[at] === NINE) bytes[at--] = ZERO
    if (at < this.#seqFrom) return false
    bytes[at] = (bytes[at] as number) + 1
    return true
  }

  #stamp(isNext: boolean, recvUs: number, seq: number): void {
    const high = Math.floor(recvUs / LOW_END)
    if (isNext && high === this.#high) this.#setLow(recvUs - high * LOW_END)
    else this.#begin(high, recvUs, seq)
    this.#recvUs = recvUs
  }

  #begin(high: number, recvUs: number, seq: number): void {
    this.#bytes = new Uint8Array(Buffer.from(lineHead(recvUs, this.#conn, seq, 'frame'), 'latin1'))
    // Of a shorter stamp all digits are written anew.
    this.#high = high > 0 ? high : -1
    this.#stampEnd = STAMP_FROM + String(recvUs).length
    this.#seqFrom = this.#stampEnd + `,"conn":"${this.#conn}","seq":`.length
    this.#seqLast = this.#seqFrom + String(seq).length - 1
  }

  #setLow(low: number): void {
    const bytes = this.#bytes
    const end = this.#stampEnd
    // Below 2^31, which the engine divides as integers.
    let rest = low | 0
    for (let at = end - 1; at >= end - LOW_DIGITS; at--) {
      const next = (rest / 10) | 0
      bytes[at] = ZERO + rest - next * 10
      rest = next
    }
  }
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
  const text = parsedJson(payload)
  if (typeof text !== 'string') return undefined
  return { ...facts, frame: Buffer.from(text, facts.encoding === 'text' ? 'utf8' : 'base64') }
}
