import { BATCH_BYTES } from '../line-batch.js'
import type { Append, StorageRequest } from './messages.js'

/** Batches up to this size share one memory. */
const SMALL_BYTES = BATCH_BYTES / 4

/** A batch whose spans and lines lie in the memory of the message, the lines right behind the spans. */
type Packed = Omit<Append, 'type' | 'bytes' | 'spans' | 'shares'> & {
  type: 'packed'
  spansFrom: number
  spans: number
  length: number
}

/** What one turn has for the storage thread: each message wakes it, and each memory in it costs more than its bytes. */
export interface PackedRequests {
  requests: (StorageRequest | Packed)[]
  memory?: ArrayBuffer
}

const WORD = Uint32Array.BYTES_PER_ELEMENT
const roomFor = ({ bytes, spans }: Append) => WORD * (spans?.length ?? 0) + Math.ceil(bytes.length / WORD) * WORD
const isSmall = ({ bytes, spans }: Append) => bytes.length <= SMALL_BYTES && spans !== undefined

/** @returns the message, and the memory that goes with it */
export function pack(requests: readonly StorageRequest[]): { message: PackedRequests; transfer: ArrayBuffer[] } {
  const appends = requests.filter(request => request.type === 'append')
  const transfer = appends.filter(batch => !isSmall(batch)).map(({ bytes }) => bytes.buffer)
  const small = appends.filter(isSmall).reduce((sum, batch) => sum + roomFor(batch), 0)
  if (small === 0) return { message: { requests: [...requests] }, transfer }
  const memory = new ArrayBuffer(small)
  let at = 0
  const packed = requests.map(request => {
    if (request.type !== 'append' || !isSmall(request)) return request
    const { bytes, spans = new Uint32Array(0), ...facts } = request
    const spansFrom = at
    new Uint32Array(memory, at, spans.length).set(spans)
    new Uint8Array(memory, at + WORD * spans.length, bytes.length).set(bytes)
    at += roomFor(request)
    return { ...facts, type: 'packed' as const, spansFrom, spans: spans.length, length: bytes.length }
  })
  return { message: { requests: packed, memory }, transfer: [...transfer, memory] }
}

/** The same requests again; small batches share their memory. */
export function unpack({ requests, memory }: PackedRequests): StorageRequest[] {
  return requests.map(request => {
    if (request.type !== 'packed') return request
    if (!memory) throw new TypeError('packed batches without their memory')
    const { spansFrom, spans, length, ...facts } = request
    return {
      ...facts,
      type: 'append',
      bytes: new Uint8Array(memory, spansFrom + WORD * spans, length),
      spans: new Uint32Array(memory, spansFrom, spans),
      shares: true,
    }
  })
}
