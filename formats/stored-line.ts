import type { LineFacts } from './line-head.js'
import { parseLine, type FrameEncoding } from './raw-line.js'
import type { SegmentName } from './raw-path.js'

const LINE_FEED = 0x0a

/**
 * One line in a block of decoded lines. All that is not asked for is left in the bytes: a frame costs its head and this
 * object. Whoever keeps one keeps its block of about 1 MiB; `text` is free of it.
 */
export class StoredLine {
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

  json(): unknown {
    return JSON.parse(this.text)
  }
}

/** Where the line that starts at `from` ends; -1 where its line feed is not in the block. */
export function endOfLine(block: Buffer, from: number): number {
  return block.indexOf(LINE_FEED, from)
}
