import { BATCH_BYTES } from '../line-batch.js'
import { sharedAppend, type Append, type Group, type StorageRequest } from './messages.js'

/** Batches up to this size share one memory. */
export const SMALL_BYTES = BATCH_BYTES / 4

/** What one turn has for the storage thread: each message wakes it, and each object in it costs more than its bytes. */
export interface PackedRequests {
  /** In their order; a number stands for so many small batches, which follow each other in `memory`. */
  requests: (StorageRequest | number)[]
  /** Those that no message named before. */
  groups?: Group[]
  /** Numbers of all small batches, `NUMBERS` of each, then of each its spans, and its lines right behind them. */
  memory?: ArrayBuffer
  /** Lines in the ring up to this place stand before all these. */
  behind?: number
}

/** Of a small batch: group, slot from and to, first and last receive time, frames, spans, bytes of lines. */
const NUMBERS = 8
const WORD = Uint32Array.BYTES_PER_ELEMENT
const ALIGNED = Float64Array.BYTES_PER_ELEMENT

const padded = (bytes: number) => Math.ceil(bytes / WORD) * WORD
const isSmall = ({ bytes, spans }: Append) => bytes.length <= SMALL_BYTES && spans !== undefined

/** Makes the messages to one storage thread. */
export class RequestPacker {
  /** Numbers of groups, by their path. */
  readonly #groups = new Map<string, number>()

  /** @returns the message, and the memory that goes with it; the memory of small batches is free afterwards */
  pack(all: readonly StorageRequest[]): { message: PackedRequests; transfer: ArrayBuffer[] } {
    const requests: PackedRequests['requests'] = []
    const transfer: ArrayBuffer[] = []
    const small: Append[] = []
    let size = 0
    let run = 0
    for (const request of all) {
      if (request.type === 'append' && isSmall(request)) {
        small.push(request)
        size += WORD * (request.spans?.length ?? 0) + padded(request.bytes.length)
        run++
        continue
      }
      if (run > 0) requests.push(run)
      run = 0
      requests.push(request)
      if (request.type === 'append') transfer.push(request.bytes.buffer)
    }
    if (run > 0) requests.push(run)
    if (small.length === 0) return { message: { requests }, transfer }
    const memory = new ArrayBuffer(small.length * NUMBERS * ALIGNED + size)
    const groups = this.#write(memory, small)
    transfer.push(memory)
    return { message: { requests, memory, ...(groups.length > 0 && { groups }) }, transfer }
  }

  /** @returns groups that are named for the first time */
  #write(memory: ArrayBuffer, batches: readonly Append[]): Group[] {
    const named: Group[] = []
    const numbers = new Float64Array(memory, 0, batches.length * NUMBERS)
    const words = new Uint32Array(memory)
    const target = new Uint8Array(memory)
    let number = 0
    let at = numbers.byteLength
    for (const batch of batches) {
      const { bytes, spans } = batch
      numbers[number++] = this.#numberOf(batch, named)
      numbers[number++] = batch.slotFromUs
      numbers[number++] = batch.slotToUs
      numbers[number++] = batch.firstRecvUs
      numbers[number++] = batch.lastRecvUs
      numbers[number++] = batch.frames
      numbers[number++] = spans?.length ?? 0
      numbers[number++] = bytes.length
      if (spans) {
        words.set(spans, at / WORD)
        at += spans.byteLength
      }
      target.set(bytes, at)
      at += padded(bytes.length)
    }
    return named
  }

  /** The number by which the other end knows a group; none before the first message that names it. */
  numberOf(group: string): number | undefined {
    return this.#groups.get(group)
  }

  #numberOf({ group, channel, kind, currency }: Append, named: Group[]): number {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    this.#groups.set(group, this.#groups.size)
    named.push({ group, channel, ...(kind !== undefined && { kind }), ...(currency !== undefined && { currency }) })
    return this.#groups.size - 1
  }
}

/** Reads the messages of one packer, in their order. */
export class RequestUnpacker {
  readonly #groups: Group[] = []

  groupOf(number: number): Group {
    const group = this.#groups[number]
    if (!group) throw new TypeError(`lines of group ${number}, which no message named`)
    return group
  }

  /** The same requests again; small batches share their memory. */
  unpack({ requests, groups = [], memory = new ArrayBuffer(0) }: PackedRequests): StorageRequest[] {
    this.#groups.push(...groups)
    const small = requests.reduce<number>((sum, request) => sum + (typeof request === 'number' ? request : 0), 0)
    const numbers = new Float64Array(memory, 0, small * NUMBERS)
    const all: StorageRequest[] = []
    let number = 0
    let at = numbers.byteLength
    for (const request of requests) {
      if (typeof request !== 'number') {
        all.push(request)
        continue
      }
      for (const end = number + request * NUMBERS; number < end; number += NUMBERS) {
        const batch = this.#batchAt(numbers, number, memory, at)
        at = padded(batch.bytes.byteOffset + batch.bytes.length)
        all.push(batch)
      }
    }
    return all
  }

  /** @param number where its numbers begin; @param at where its spans do */
  #batchAt(numbers: Float64Array, number: number, memory: ArrayBuffer, at: number) {
    const of = (index: number) => numbers[number + index] ?? 0
    const spans = new Uint32Array(memory, at, of(6))
    return sharedAppend(this.groupOf(of(0)), {
      number: of(0),
      slotFromUs: of(1),
      slotToUs: of(2),
      firstRecvUs: of(3),
      lastRecvUs: of(4),
      frames: of(5),
      spans,
      bytes: new Uint8Array(memory, at + spans.byteLength, of(7)),
    })
  }
}
