/** Frames of a connection that were not seen, and when their neighbours were received, µs; rough, by blocks. */
export interface SeqHole {
  conn: string
  fromSeq: number
  toSeq: number
  /** Not after the frame before it; 0 where there is none. */
  fromUs: number
  /** Not before the frame behind it. */
  toUs: number
}

/** Receive times that went back from one block of seqs to a later one. */
export interface TimeTurn {
  conn: string
  /** First seq of the block with earlier times. */
  seq: number
  /** The latest before it, and the earliest in it, µs. */
  fromUs: number
  toUs: number
}

export interface LedgerVisitor {
  hole: (hole: SeqHole) => void
  turn: (turn: TimeTurn) => void
}

/** Seqs are ticked off in blocks of so many: half a KiB each until the block is full, then nothing but its times. */
const BLOCK_SEQS = 4096
/** Unfinished blocks of one connection: 64 MiB. Beyond that, so much is missing that nothing can be proven. */
const BLOCKS_MAX = 100_000

interface Block {
  /** A bit for each seq; none when all are there. */
  bits: Uint32Array | undefined
  count: number
  minUs: number
  maxUs: number
}

/**
 * Ticks off the `seq` of one connection, in whatever order files bring them: each must come once, none may be left out,
 * and receive times may not go back. Memory: a bit a frame for as long as other families may still bring its neighbours.
 */
export class SeqLedger {
  readonly #conn: string
  readonly #blocks = new Map<number, Block>()
  /** Blocks below are settled and gone. */
  #frontier = 0
  #expectedSeq = 1
  #latestUs = 0
  #lastIndex = -1
  #lastBlock: Block | undefined
  overflowed = false
  frames = 0

  constructor(conn: string) {
    this.#conn = conn
  }

  /** False when this seq came before. */
  note(seq: number, recvUs: number): boolean {
    this.frames++
    if (this.overflowed) return true
    const index = Math.floor((seq - 1) / BLOCK_SEQS)
    // Numbers begin with 1: whatever is below lies before any frontier.
    if (index < this.#frontier) return false
    const block = this.#blockAt(index)
    if (recvUs < block.minUs) block.minUs = recvUs
    if (recvUs > block.maxUs) block.maxUs = recvUs
    const { bits } = block
    if (!bits) return false
    const at = (seq - 1) % BLOCK_SEQS
    const mask = 1 << (at & 31)
    const word = bits[at >> 5] ?? 0
    if ((word & mask) !== 0) return false
    bits[at >> 5] = word | mask
    if (++block.count === BLOCK_SEQS) block.bits = undefined
    return true
  }

  #blockAt(index: number): Block {
    if (index === this.#lastIndex && this.#lastBlock) return this.#lastBlock
    let block = this.#blocks.get(index)
    if (!block) {
      block = { bits: new Uint32Array(BLOCK_SEQS / 32), count: 0, minUs: Infinity, maxUs: 0 }
      this.#blocks.set(index, block)
      if (this.#blocks.size > BLOCKS_MAX) this.#overflow()
    }
    this.#lastIndex = index
    this.#lastBlock = block
    return block
  }

  #overflow(): void {
    this.overflowed = true
    this.#blocks.clear()
  }

  /** Reports what is missing among the frames received before `beforeUs`, of which no file will bring more, and forgets them. */
  settle(beforeUs: number, visit: LedgerVisitor): void {
    const order = [...this.#blocks.keys()].sort((a, b) => a - b)
    for (const [position, index] of order.entries()) {
      const block = this.#blocks.get(index)
      const next = this.#blocks.get(order[position + 1] ?? -1)
      const isOver = beforeUs === Infinity || (next !== undefined && next.minUs < beforeUs)
      if (!block || !isOver) break
      this.#close(index, block, visit)
      this.#blocks.delete(index)
      this.#frontier = index + 1
    }
    this.#lastIndex = -1
  }

  #close(index: number, block: Block, visit: LedgerVisitor): void {
    const conn = this.#conn
    const first = index * BLOCK_SEQS + 1
    if (block.minUs < this.#latestUs) visit.turn({ conn, seq: first, fromUs: this.#latestUs, toUs: block.minUs })
    for (const present of presentSeqs(first, block)) {
      if (present > this.#expectedSeq) {
        const fromUs = this.#expectedSeq > first ? block.minUs : this.#latestUs
        visit.hole({ conn, fromSeq: this.#expectedSeq, toSeq: present - 1, fromUs, toUs: block.maxUs })
      }
      this.#expectedSeq = present + 1
    }
    if (!block.bits) this.#expectedSeq = first + BLOCK_SEQS
    this.#latestUs = Math.max(this.#latestUs, block.maxUs)
  }
}

/** The seqs that are there; of a full block the first alone, for all behind it follow. */
function* presentSeqs(first: number, { bits }: Block): Generator<number> {
  if (!bits) {
    yield first
    return
  }
  for (let at = 0; at < BLOCK_SEQS; at++) if (((bits[at >> 5] ?? 0) & (1 << (at & 31))) !== 0) yield first + at
}
