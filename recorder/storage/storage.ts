import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { LineBatch, BATCH_BYTES } from '../line-batch.js'
import type { ManifestGap } from '../manifest.js'
import type { StorageEvent, StorageOptions, StorageRequest } from './messages.js'

/** Batch buffers kept for reuse. */
const POOL_MAX = 64

interface StorageEvents {
  sealed: [Extract<StorageEvent, { type: 'sealed' }>]
  unreadable: [Extract<StorageEvent, { type: 'unreadable' }>]
  failed: [Extract<StorageEvent, { type: 'failed' }>]
  /** Bytes waiting passed a limit, upwards (true) or downwards (false). */
  pressure: [boolean]
  /** The thread ended by itself: nothing can be stored any more. */
  died: [Error]
}

/**
 * The storage thread as its owner sees it. Batches are written in order; what waits in memory is counted, and
 * `pressure` tells when it passes `queueBytes` and when it is back below half of that.
 */
export class Storage extends EventEmitter<StorageEvents> {
  readonly #worker: Worker
  readonly #queueBytes: number
  #pool: Buffer[] = []
  #waitingBytes = 0
  #underPressure = false
  #closed: (leftOpen: string[]) => void = () => undefined
  compressedBytes = 0
  /** Frames that readers of the open segments can see. */
  storedFrames = 0
  sealedSegments = 0

  constructor(options: StorageOptions & { queueBytes: number }) {
    super()
    const { queueBytes, ...workerData } = options
    this.#queueBytes = queueBytes
    this.#worker = new Worker(new URL('./thread.js', import.meta.url), { workerData })
    this.#worker.on('message', (event: StorageEvent) => this.#receive(event))
    this.#worker.on('error', error => this.emit('died', error))
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  newBatch(channel: string, slotFromUs: number, slotToUs: number): LineBatch {
    return new LineBatch(channel, slotFromUs, slotToUs, this.#pool.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES))
  }

  append(batch: LineBatch): void {
    const { channel, slotFromUs, slotToUs, firstRecvUs, frames } = batch
    const { bytes, reusable } = batch.take()
    if (reusable) this.#recycle(reusable)
    this.#waitingBytes += bytes.buffer.byteLength
    this.#post({ type: 'append', channel, slotFromUs, slotToUs, firstRecvUs, frames, bytes }, [bytes.buffer])
    if (!this.#underPressure && this.#waitingBytes > this.#queueBytes) this.#setPressure(true)
  }

  noteGap(channels: string[], gap: ManifestGap): void {
    this.#post({ type: 'gap', channels, gap })
  }

  tick(nowUs: number): void {
    this.#post({ type: 'tick', nowUs })
  }

  /** Seals everything and ends the thread. Returns the segments that had to be left open for the next start. */
  close(withinMs: number): Promise<string[]> {
    return new Promise(resolve => {
      this.#closed = resolve
      this.#post({ type: 'close', withinMs })
    })
  }

  #post(request: StorageRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer)
  }

  #receive(event: StorageEvent): void {
    switch (event.type) {
      case 'stored':
        this.#waitingBytes -= event.bytes.buffer.byteLength
        this.compressedBytes += event.compressedBytes
        this.storedFrames += event.frames
        if (event.bytes.buffer.byteLength === BATCH_BYTES) this.#recycle(Buffer.from(event.bytes.buffer))
        if (this.#underPressure && this.#waitingBytes < this.#queueBytes / 2) this.#setPressure(false)
        break
      case 'sealed':
        this.sealedSegments++
        this.emit('sealed', event)
        break
      case 'unreadable':
        this.emit('unreadable', event)
        break
      case 'failed':
        this.emit('failed', event)
        break
      case 'closed':
        this.#closed(event.leftOpen)
    }
  }

  #recycle(buffer: Buffer): void {
    if (this.#pool.length < POOL_MAX) this.#pool.push(buffer)
  }

  #setPressure(on: boolean): void {
    this.#underPressure = on
    this.emit('pressure', on)
  }
}
