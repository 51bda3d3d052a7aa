import type { LineHead } from '../../formats/raw-line.js'
import { sharedAppend, type Append, type Group, type SharedAppend, type StorageRequest } from './messages.js'

/** What comes within twice `HAND_OVER_MS` at 2,000 frames/s; of more, batches are cheaper. */
export const RING_BYTES = 256 * 1024
/** More than the longest line head (96) and its end. */
const LINE_OVERHEAD = 128
/** `}` and a line feed. */
const END_BYTES = 2

/** Before each line: its receive time, its slot from and to; the number of its group, where its frame begins in it and ends. */
const HEAD_BYTES = 40
const [RECV, SLOT_FROM, SLOT_TO] = [0, 1, 2]
const [GROUP, FRAME_FROM, FRAME_TO] = [6, 7, 8]
const WORD = Int32Array.BYTES_PER_ELEMENT
const DOUBLE = Float64Array.BYTES_PER_ELEMENT
/** In place of a group: up to the end of the memory stands nothing. */
const NOTHING = -1

/** Places are counted in bytes, on and on, and begin anew behind 2^32. */
const [WRITTEN, READ, MESSAGES, ASLEEP] = [0, 1, 2, 3]
/** In 64 bits, behind the four. */
const TICK = 2
const MARKS_BYTES = 3 * BigInt64Array.BYTES_PER_ELEMENT

/** What both threads have of a ring. */
export interface RingMemory {
  lines: SharedArrayBuffer
  marks: SharedArrayBuffer
}

const padded = (bytes: number) => Math.ceil(bytes / DOUBLE) * DOUBLE
const offsetOf = (place: number) => place & (RING_BYTES - 1)
const mostBytesOf = (frame: Uint8Array) => HEAD_BYTES + padded(frame.length + LINE_OVERHEAD)

/**
 * Lines on their way to the storage thread, which looks for them by itself: nobody is woken, and nothing is made of them
 * but their bytes. What goes by messages stands among them where it was sent.
 */
export class RingWriter {
  readonly memory: RingMemory = {
    lines: new SharedArrayBuffer(RING_BYTES),
    marks: new SharedArrayBuffer(MARKS_BYTES),
  }
  readonly #lines = Buffer.from(this.memory.lines)
  readonly #words = new Int32Array(this.memory.lines)
  readonly #doubles = new Float64Array(this.memory.lines)
  readonly #marks = new Int32Array(this.memory.marks)
  readonly #longMarks = new BigInt64Array(this.memory.marks)
  #written = 0
  /** As it was when it was last looked at. */
  #read = 0

  constructor() {
    this.#marks[ASLEEP] = 1
  }

  hasRoomFor(frame: Uint8Array): boolean {
    const needed = mostBytesOf(frame)
    const offset = offsetOf(this.#written)
    const all = offset + needed > RING_BYTES ? RING_BYTES - offset + needed : needed
    if (all <= this.#free) return true
    this.#read = Atomics.load(this.#marks, READ)
    return all <= this.#free
  }

  get #free(): number {
    return RING_BYTES - ((this.#written - this.#read) | 0)
  }

  /** Adds a line, which must have room. Returns its bytes. */
  add(group: number, slot: Slot, recvUs: number, head: LineHead, seq: number, frame: Uint8Array): number {
    const offset = this.#placeFor(mostBytesOf(frame))
    const lines = this.#lines
    const from = offset + HEAD_BYTES
    const frameFrom = head.write(lines, from, recvUs, seq)
    lines.set(frame, frameFrom)
    let at = frameFrom + frame.length
    const [double, word] = [offset / DOUBLE, offset / WORD]
    this.#doubles[double + RECV] = recvUs
    this.#doubles[double + SLOT_FROM] = slot.slotFromUs
    this.#doubles[double + SLOT_TO] = slot.slotToUs
    this.#words[word + GROUP] = group
    this.#words[word + FRAME_FROM] = frameFrom - from
    this.#words[word + FRAME_TO] = at - from
    lines[at++] = 0x7d
    lines[at++] = 0x0a
    this.#written = (this.#written + HEAD_BYTES + padded(at - from)) | 0
    Atomics.store(this.#marks, WRITTEN, this.#written)
    return at - from
  }

  /** The offset where so many bytes stand in one piece. */
  #placeFor(bytes: number): number {
    const offset = offsetOf(this.#written)
    if (offset + bytes <= RING_BYTES) return offset
    if (offset + HEAD_BYTES <= RING_BYTES) this.#words[offset / WORD + GROUP] = NOTHING
    this.#written = (this.#written + RING_BYTES - offset) | 0
    return 0
  }

  /** To be called when a message is sent, before the next line: returns the place behind those that stand before it. */
  noteMessage(): number {
    Atomics.add(this.#marks, MESSAGES, 1)
    return this.#written
  }

  /** Says what time it is, behind the lines so far. False where the other thread does not look. */
  tick(nowUs: number): boolean {
    Atomics.store(this.#longMarks, TICK, BigInt(nowUs))
    return Atomics.load(this.#marks, ASLEEP) === 0
  }

  /** Whether the other thread sleeps and must be woken; true once, since from then on it looks by itself. */
  mustWake(): boolean {
    return Atomics.load(this.#marks, ASLEEP) === 1 && Atomics.exchange(this.#marks, ASLEEP, 0) === 1
  }
}

type Slot = Pick<Append, 'slotFromUs' | 'slotToUs'>

/** A line takes up its head at least. */
const LINES_MAX = RING_BYTES / HEAD_BYTES

/** Lines of one group and slot where they stand in the ring. */
class Pile {
  readonly number: number
  readonly #offsets: number[] = []
  lines = 0
  bytes = 0
  slotFromUs = 0
  slotToUs = 0
  firstRecvUs = 0
  lastRecvUs = 0

  constructor(number: number) {
    this.number = number
  }

  /** With no lines. */
  begin(slotFromUs: number, slotToUs: number): void {
    this.bytes = 0
    this.slotFromUs = slotFromUs
    this.slotToUs = slotToUs
    this.firstRecvUs = Infinity
    this.lastRecvUs = 0
  }

  add(offset: number, bytes: number, recvUs: number): void {
    this.#offsets[this.lines++] = offset
    this.bytes += bytes
    if (recvUs < this.firstRecvUs) this.firstRecvUs = recvUs
    if (recvUs > this.lastRecvUs) this.lastRecvUs = recvUs
  }

  offsetOf(line: number): number {
    return this.#offsets[line] as number
  }
}

/** Takes lines out, in their order, as a batch of each group and slot. */
export class RingReader {
  readonly #ring: Uint8Array
  /** Lines as they are gathered, and behind them what was in the ring, where it stood there. */
  readonly #lines = new Uint8Array(2 * RING_BYTES)
  readonly #words = new Int32Array(this.#lines.buffer, RING_BYTES)
  readonly #doubles = new Float64Array(this.#lines.buffer, RING_BYTES)
  readonly #spans = new Uint32Array(2 * LINES_MAX)
  readonly #marks: Int32Array
  readonly #longMarks: BigInt64Array
  readonly #groupOf: (number: number) => Group
  /**
   * By group, to be filled again: of objects that are gone between two looks the collector takes the shape, too, and with
   * it what was compiled for it, over and over.
   */
  readonly #piles: Pile[] = []
  #taken: SharedAppend[] = []
  #read = 0
  #messages = 0
  #tick = 0n

  constructor({ lines, marks }: RingMemory, groupOf: (number: number) => Group) {
    this.#groupOf = groupOf
    this.#ring = new Uint8Array(lines)
    this.#marks = new Int32Array(marks)
    this.#longMarks = new BigInt64Array(marks)
  }

  /** Those that stand before a message, which is handled next. They are to be kept before more are taken, where they are still needed. */
  takeBefore(place: number): Append[] {
    this.#messages = (this.#messages + 1) | 0
    return this.#take(place)
  }

  /** All that are there, and behind them the time, where it was said anew; none while a message is on its way, which may stand among them. */
  takeAll(): StorageRequest[] {
    // First: what stood before it is among the lines.
    const tick = Atomics.load(this.#longMarks, TICK)
    const written = Atomics.load(this.#marks, WRITTEN)
    if (Atomics.load(this.#marks, MESSAGES) !== this.#messages) return []
    const lines = this.#take(written)
    if (tick === this.#tick) return lines
    this.#tick = tick
    return [...lines, { type: 'tick', nowUs: Number(tick) }]
  }

  /** The other thread has to wake this one from now on; false where there is something already. */
  fallAsleep(): boolean {
    Atomics.store(this.#marks, ASLEEP, 1)
    const isEmpty =
      Atomics.load(this.#marks, WRITTEN) === this.#read && Atomics.load(this.#longMarks, TICK) === this.#tick
    return isEmpty || Atomics.exchange(this.#marks, ASLEEP, 0) === 0
  }

  /** Those that were taken last are needed on: they get memory of their own. */
  keepTaken(): void {
    for (const batch of this.#taken) {
      batch.bytes = batch.bytes.slice()
      batch.spans = batch.spans.slice()
    }
    this.#taken = []
  }

  #take(to: number): Append[] {
    this.#taken = []
    if (to === this.#read) return this.#taken
    const from = this.#read
    this.#copy(offsetOf(from), (to - from) | 0)
    this.#read = to
    Atomics.store(this.#marks, READ, to)
    let [at, line] = [0, 0]
    for (const pile of this.#pilesIn(from, to)) {
      this.#taken.push(this.#gather(pile, at, line))
      at += pile.bytes
      line += pile.lines
      pile.lines = 0
    }
    return this.#taken
  }

  /** At once, since to take a line from there takes longer than from memory of one thread. */
  #copy(offset: number, bytes: number): void {
    const end = Math.min(offset + bytes, RING_BYTES)
    this.#lines.set(this.#ring.subarray(offset, end), RING_BYTES + offset)
    this.#lines.set(this.#ring.subarray(0, offset + bytes - end), RING_BYTES)
  }

  #pilesIn(from: number, to: number): Pile[] {
    const all: Pile[] = []
    for (let place = from; place !== to;) {
      const offset = offsetOf(place)
      if (offset + HEAD_BYTES > RING_BYTES || this.#word(offset, GROUP) === NOTHING) {
        place = (place + RING_BYTES - offset) | 0
        continue
      }
      const group = this.#word(offset, GROUP)
      const slotFromUs = this.#double(offset, SLOT_FROM)
      let pile = (this.#piles[group] ??= new Pile(group))
      // Where its next slot begins, those before stay what they are.
      if (pile.lines > 0 && pile.slotFromUs !== slotFromUs) pile = this.#piles[group] = new Pile(group)
      if (pile.lines === 0) {
        pile.begin(slotFromUs, this.#double(offset, SLOT_TO))
        all.push(pile)
      }
      const bytes = this.#bytesAt(offset)
      pile.add(offset, bytes, this.#double(offset, RECV))
      place = (place + HEAD_BYTES + padded(bytes)) | 0
    }
    return all
  }

  /** @param from where its lines begin in the memory; @param fromLine how many lines stand there before */
  #gather(pile: Pile, from: number, fromLine: number): SharedAppend {
    const { number, lines: frames, slotFromUs, slotToUs, firstRecvUs, lastRecvUs } = pile
    const lines = this.#lines
    const spans = this.#spans
    let at = from
    let span = 2 * fromLine
    for (let index = 0; index < frames; index++) {
      const offset = pile.offsetOf(index)
      const bytes = this.#bytesAt(offset)
      const line = RING_BYTES + offset + HEAD_BYTES
      lines.copyWithin(at, line, line + bytes)
      spans[span++] = at - from + this.#word(offset, FRAME_FROM)
      spans[span++] = at - from + this.#word(offset, FRAME_TO)
      at += bytes
    }
    return sharedAppend(this.#groupOf(number), {
      number,
      slotFromUs,
      slotToUs,
      firstRecvUs,
      lastRecvUs,
      frames,
      bytes: lines.subarray(from, at),
      spans: spans.subarray(2 * fromLine, span),
    })
  }

  #bytesAt(offset: number): number {
    return this.#word(offset, FRAME_TO) + END_BYTES
  }

  #word(offset: number, which: number): number {
    return this.#words[offset / WORD + which] as number
  }

  #double(offset: number, which: number): number {
    return this.#doubles[offset / DOUBLE + which] as number
  }
}
