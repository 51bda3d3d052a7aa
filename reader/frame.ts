import { exchangeNamed, exchanges } from '../exchanges/registry.js'
import type { LineFacts } from '../formats/line-head.js'
import { parseLine, type FrameEncoding } from '../formats/raw-line.js'
import type { SegmentName } from '../formats/raw-path.js'

/** One recorded frame: a message as it was received, and when. */
export interface Frame {
  /** Receive time, µs since the epoch. */
  readonly recvUs: number
  /** Connection within the run: `d1` …; what was sent on it `d1.sent`; `http`, `backfill`, `journal`. */
  readonly conn: string
  /** Counts the frames of the connection within the run, over all families, from 1. */
  readonly seq: number
  /** Family of channels whose segment holds it, e.g. `trades`; '' for a file outside of any `raw/`. */
  readonly family: string
  /** Where and when it was recorded; undefined for a file outside of any `raw/`. */
  readonly segment: SegmentName | undefined
  /** The channel that the frame names, e.g. `trades.BTC-PERPETUAL.100ms`; undefined for frames of no channel. */
  readonly channel: string | undefined
  /** The frame as it was received. */
  readonly bytes: Buffer
  /** The same as text. */
  readonly text: string
  /**
   * The frame parsed as JSON, anew each time. Ids beyond 2^53 lose digits there: take those from `text`.
   * @throws SyntaxError the frame is no JSON
   */
  json(): unknown
}

const LINE_FEED = 0x0a

/**
 * One line in a block of decoded lines. All that is not asked for is left in the bytes: a frame costs its head and this
 * object. Whoever keeps one keeps its block of about 1 MiB; `text` is free of it.
 */
export class LineFrame implements Frame {
  readonly recvUs: number
  readonly conn: string
  readonly seq: number
  readonly segment: SegmentName | undefined
  /** What follows the head; -1 for a line that is none of ours, which goes with the one before it. */
  readonly #payloadFrom: number
  readonly #encoding: FrameEncoding
  readonly #block: Buffer
  readonly #from: number
  readonly #to: number

  /** @param to behind the line's last byte, its line feed left out */
  constructor(block: Buffer, from: number, to: number, facts: LineFacts, segment: SegmentName | undefined) {
    this.recvUs = facts.recvUs
    this.conn = facts.conn
    this.seq = facts.seq
    this.#encoding = facts.encoding
    this.#payloadFrom = facts.payloadFrom
    this.segment = segment
    this.#block = block
    this.#from = from
    this.#to = to
  }

  get family(): string {
    return this.segment?.channel ?? ''
  }

  get isOurs(): boolean {
    return this.#payloadFrom >= 0
  }

  /** The whole line, without its line feed. */
  get line(): Buffer {
    return this.#block.subarray(this.#from, this.#to)
  }

  get bytes(): Buffer {
    if (this.#encoding === 'frame') return this.#block.subarray(this.#payloadFrom, this.#to - 1)
    return parseLine(this.line)?.frame ?? Buffer.alloc(0)
  }

  get text(): string {
    if (this.#encoding === 'frame') return this.#block.toString('utf8', this.#payloadFrom, this.#to - 1)
    return this.bytes.toString('utf8')
  }

  get channel(): string | undefined {
    return channelIn(this.bytes, this.segment)
  }

  json(): unknown {
    return JSON.parse(this.text)
  }
}

/** The channel that a frame names to the exchange that it is of; where nobody says which, to the first that finds one. */
function channelIn(bytes: Buffer, segment: SegmentName | undefined): string | undefined {
  if (segment) return exchangeNamed(segment.exchange).frames.channelOf(bytes, segment.channel)
  for (const { frames } of exchanges) {
    const channel = frames.channelOf(bytes, '')
    if (channel !== undefined) return channel
  }
  return undefined
}

/** Where the line that starts at `from` ends; -1 where its line feed is not in the block. */
export function endOfLine(block: Buffer, from: number): number {
  return block.indexOf(LINE_FEED, from)
}
