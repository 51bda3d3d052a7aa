import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { LineBatch, BATCH_BYTES } from '../line-batch.js'
import type { LineHead } from '../../formats/raw-line.js'
import type { ManifestGap } from '../../formats/manifest.js'
import { groupPath, type SegmentGroup } from '../../formats/raw-path.js'
import type { OpenElsewhere } from '../../formats/left-open.js'
import {
  APPENDING,
  type Append,
  type Loss,
  type Stored,
  type StorageEvent,
  type StorageOptions,
  type StorageRequest,
} from './messages.js'
import { Backlog } from './backlog.js'
import { RingWriter } from './line-ring.js'
import { RequestPacker, SMALL_BYTES, type PackedRequests } from './packed-requests.js'
import { COUNTED_GROUPS, CountReader } from './stored-counts.js'
import type { ThreadData } from './thread.js'
import { Losses, lossOf } from './losses.js'

/** Batch buffers kept for reuse: what comes back while one flush interval is written. */
const POOL_MAX = 16
/** Of the storage thread, which makes little garbage. */
const YOUNG_HEAP_MIB = 1
/**
 * Bytes of one family that the storage thread may hold, at most; what waits beyond them can still be given up here. Under
 * load this thread looks for answers once in some 15 ms: with less on its way, the other would wait for more.
 */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024
/** … and of all that may wait, this share. */
const IN_FLIGHT_SHARE = 1 / 8
/** A disk that neither stored nor synced anything for this long while frames wait is taken for one that does not answer. */
const STALLED_AFTER_MS = 5000
const WRITTEN_LOOK_MS = 5
/** More than any slice of sealing takes. */
const SLICE_MS = 500
/** What is given up brings memory down to this share of the bound. */
const KEEP_SHARE = 0.75

interface StorageEvents {
  sealed: [Extract<StorageEvent, { type: 'sealed' }>]
  goesOn: [Extract<StorageEvent, { type: 'goesOn' }>]
  openElsewhere: [OpenElsewhere]
  unreadable: [Extract<StorageEvent, { type: 'unreadable' }>]
  odd: [Extract<StorageEvent, { type: 'odd' }>]
  failed: [Extract<StorageEvent, { type: 'failed' }>]
  madeRoom: [Extract<StorageEvent, { type: 'madeRoom' }>]
  roomAgain: [Extract<StorageEvent, { type: 'roomAgain' }>]
  /** The disk takes frames again, which it refused for so long, ms, with this complaint. */
  takesAgain: [afterMs: number, message: string]
  /** Frames that will be in no file; reported when the journal can take it. */
  lost: [Loss]
  /** Bytes waiting passed a limit, upwards (true) or downwards (false). */
  pressure: [boolean]
  sealedAll: []
  /** Segments that had to be left open. */
  closed: [string[]]
  /** The thread ended by itself: nothing can be stored any more. */
  died: [Error]
}

export interface StorageSettings extends StorageOptions {
  /** Bytes that may wait in memory. */
  queueBytes: number
  /** Families that are given up first when the disk takes nothing, in this order. */
  dropFirst: readonly string[]
  /** Families that are given up after all others, in this order. */
  dropLast: readonly string[]
}

/**
 * The storage thread as its owner sees it. Batches of a family are written in order; what waits in memory is counted,
 * and bounded: while the disk is slow, `pressure` asks for less; when it fails or does not answer, batches are given up
 * in the declared order, and `lost` says which.
 */
export class Storage extends EventEmitter<StorageEvents> {
  readonly #workerData: StorageOptions
  #worker: Worker | undefined
  /** What the thread gets at the end of this turn, or when it is started. */
  #toSend: StorageRequest[] = []
  readonly #queueBytes: number
  readonly #backlog: Backlog
  readonly #packer = new RequestPacker()
  readonly #ring = new RingWriter()
  /** More comes than the ring takes; until the next tick all goes by batches. */
  #overflows = false
  readonly #counts = new CountReader()
  /** Families of groups that were named to the thread, by number. */
  readonly #families: string[] = []
  readonly #losses = new Losses()
  #pool: Buffer[] = []
  #underPressure = false
  #isWatching = false
  #progressAtMs = performance.now()
  /** Why the disk takes nothing at present, as far as is known. */
  #trouble: string | undefined
  #refusal: { message: string; atMs: number } | undefined
  compressedBytes = 0
  /** Frames that readers of the open segments can see. */
  storedFrames = 0
  lostFrames = 0
  sealedSegments = 0

  constructor({ queueBytes, dropFirst, dropLast, ...workerData }: StorageSettings) {
    super()
    this.#queueBytes = queueBytes
    const inFlightMax = Math.max(BATCH_BYTES, Math.min(IN_FLIGHT_BYTES, queueBytes * IN_FLIGHT_SHARE))
    this.#backlog = new Backlog(dropFirst, dropLast, inFlightMax)
    this.#workerData = workerData
  }

  /** Starts the thread, which first recovers what is open. Until then all that is appended waits in memory. */
  start(): void {
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: {
        ...this.#workerData,
        shared: { ring: this.#ring.memory, counts: this.#counts.memory },
      } satisfies ThreadData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_HEAP_MIB },
    })
    worker.on('message', (events: StorageEvent[]) => {
      // First: what was stored before a failure, and only counted, does not say that the disk takes frames again.
      this.#look()
      for (const event of events) this.#receive(event)
    })
    worker.on('error', error => this.emit('died', error))
    this.#worker = worker
    this.#progressAtMs = performance.now()
    this.#sendAll()
  }

  get waitingBytes(): number {
    this.#look()
    return this.#backlog.bytes
  }

  newBatch(group: SegmentGroup, slotFromUs: number, slotToUs: number): LineBatch {
    return new LineBatch(group, slotFromUs, slotToUs, this.#pool.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES))
  }

  /** Memory of a batch that got no lines. */
  reuse(batch: LineBatch): void {
    this.#recycle(batch.memory)
  }

  /**
   * Takes a line at once, for which nobody is woken. False: it is to go the way of an empty batch, since something of its group
   * waits before it, or more comes than is cheap this way.
   */
  takeLine(batch: LineBatch, recvUs: number, head: LineHead, seq: number, frame: Buffer): boolean {
    if (this.#overflows || !this.#worker || this.#toSend.length > 0) return false
    const number = (batch.number ??= this.#packer.numberOf(groupPath(batch.group)))
    if (number === undefined || number >= COUNTED_GROUPS || frame.length > SMALL_BYTES) return false
    if (!this.#ring.hasRoomFor(frame)) {
      this.#overflows = true
      return false
    }
    const { channel } = batch.group
    if (!this.#backlog.mayPass(channel)) {
      this.#look()
      if (!this.#backlog.mayPass(channel)) return false
    }
    if (this.#backlog.bytes === 0) this.#progressAtMs = performance.now()
    this.#backlog.pass(channel, this.#ring.add(number, batch, recvUs, head, seq, frame))
    if (this.#ring.mustWake()) this.#worker.postMessage(WAKE)
    this.#watch()
    return true
  }

  append(batch: LineBatch): void {
    this.#look()
    if (this.#backlog.bytes === 0) this.#progressAtMs = performance.now()
    if (this.#passesOn(batch)) this.#post(appendOf(batch, batch.view(), true))
    else this.#keep(batch)
    this.#watch()
  }

  /** A small batch goes on from where it was filled, where nothing waits before it. */
  #passesOn({ group, length }: LineBatch): boolean {
    return this.#worker !== undefined && length <= SMALL_BYTES && this.#backlog.passes(group.channel, length)
  }

  #keep(batch: LineBatch): void {
    const { bytes, spans, reusable } = batch.take()
    if (reusable) this.#recycle(reusable.buffer)
    this.#backlog.push(appendOf(batch, { bytes, spans }))
    this.#look()
    this.#send(batch.group.channel)
  }

  noteGap(channels: string[], gap: ManifestGap): void {
    this.#post({ type: 'gap', channels, gap })
  }

  /** To be called about every second. */
  tick(nowUs: number): void {
    if (!this.#ring.tick(nowUs)) this.#post({ type: 'tick', nowUs })
    this.#overflows = false
    this.#look()
    this.#watch()
    // One report is under way at most: while the journal cannot be written, losses add up instead.
    if (this.#losses.size > 0 && !this.isUnderWay('journal')) this.#emitLosses()
  }

  /** Waits until all that was appended can be read by others, at most so long. */
  async written(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    while (this.waitingBytes > 0 && performance.now() < deadlineMs) await delay(WRITTEN_LOOK_MS)
  }

  /**
   * Waits until all that was appended is on disk; what is not within `withinMs` is given up and reported as lost. To be
   * called before `close`, when nothing but the journal is still to come.
   */
  async settle(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    const wait = async (untilMs: number) => {
      while (this.waitingBytes > 0 && performance.now() < untilMs) await nextTurn()
    }
    await wait(deadlineMs - withinMs / 2)
    if (this.waitingBytes > 0) this.#post({ type: 'tryNow' })
    await wait(deadlineMs - withinMs / 4)
    this.#giveUp(Infinity)
    this.#post({ type: 'giveUp' })
    await wait(deadlineMs)
    this.#emitLosses()
  }

  /** Seals all but the journal, as far as the time allows. To be called when nothing but the journal is still to come. */
  async sealAll(withinMs: number): Promise<void> {
    const sealed = once(this, 'sealedAll')
    this.#post({ type: 'sealAll', withinMs })
    await Promise.race([sealed, atMost(withinMs)])
  }

  /**
   * Seals the journal and ends the thread. Returns the segments that had to be left open for the next start, or undefined
   * where the disk does not answer.
   */
  async close(withinMs: number): Promise<string[] | undefined> {
    const closed = once(this, 'closed').then(([leftOpen]) => leftOpen as string[])
    this.#post({ type: 'close', withinMs })
    return Promise.race([closed, atMost(withinMs)])
  }

  /** True while some of a family's batches are not yet on disk. */
  isUnderWay(family: string): boolean {
    this.#look()
    return this.#backlog.has(family)
  }

  #post(request: StorageRequest): void {
    if (this.#toSend.push(request) === 1 && this.#worker) queueMicrotask(() => this.#sendAll())
  }

  /** Each message wakes the other thread, which costs more than what is in it: all of one turn go in one. */
  #sendAll(): void {
    const requests = this.#toSend
    this.#toSend = []
    if (requests.length === 0) return
    const { message, transfer } = this.#packer.pack(requests)
    for (const { channel } of message.groups ?? []) this.#families.push(channel)
    this.#worker?.postMessage({ ...message, behind: this.#ring.noteMessage() }, transfer)
    for (const request of requests) if (request.type === 'append') this.#recycle(request.bytes.buffer)
  }

  /** Hands on what the thread may hold of a family. */
  #send(family: string): void {
    for (const batch of this.#backlog.takeToSend(family)) this.#post(batch)
  }

  /** The thread holds this memory no more. */
  #release(family: string, held: number, buffer?: ArrayBuffer): void {
    this.#backlog.release(family, held)
    if (buffer) this.#recycle(buffer)
    this.#send(family)
  }

  /** Reads what the thread only counted. */
  #look(): void {
    // First: what is stored later and not counted below comes as a message.
    this.#counts.want(this.#underPressure || this.#backlog.isWaiting)
    if (this.#counts.takeSyncs()) this.#progressAtMs = performance.now()
    this.#families.forEach((channel, number) => {
      const stored = number < COUNTED_GROUPS && this.#counts.take(number)
      if (stored) this.#noteStored({ type: 'stored', channel, ...stored })
    })
  }

  #noteStored({ channel, frames, compressedBytes, held, buffer }: Stored): void {
    this.compressedBytes += compressedBytes
    this.storedFrames += frames
    this.#progressAtMs = performance.now()
    // The journal is written even when nothing else is.
    if (channel !== 'journal') this.#takes()
    this.#release(channel, held, buffer)
  }

  #receive(event: StorageEvent): void {
    switch (event.type) {
      case 'stored':
        this.#noteStored(event)
        this.#watch()
        break
      case 'synced':
        this.#progressAtMs = performance.now()
        break
      case 'dropped':
        this.#lose(lossOf(event.batch, this.#trouble ?? 'no time to write it'))
        this.#release(event.batch.channel, event.held)
        break
      case 'lost':
        this.#lose(event.loss)
        break
      case 'failed':
        this.#trouble = event.message
        if (event.what.startsWith(APPENDING)) this.#refusal ??= { message: event.message, atMs: Date.now() }
        this.emit('failed', event)
        break
      case 'odd':
        this.emit('odd', event)
        break
      case 'sealed':
        this.sealedSegments++
        this.emit('sealed', event)
        break
      case 'goesOn':
        this.emit('goesOn', event)
        break
      case 'openElsewhere':
        this.emit('openElsewhere', event.others)
        break
      case 'unreadable':
        this.emit('unreadable', event)
        break
      case 'madeRoom':
        this.emit('madeRoom', event)
        break
      case 'roomAgain':
        this.emit('roomAgain', event)
        break
      case 'closed':
        this.emit('closed', event.leftOpen)
        break
      case 'sealedAll':
        this.emit('sealedAll')
    }
  }

  /** What the disk said when it took no frames any more, and when; undefined while it takes them. */
  get refusal(): { readonly message: string; readonly atMs: number } | undefined {
    return this.#refusal
  }

  #takes(): void {
    this.#trouble = undefined
    const refusal = this.#refusal
    this.#refusal = undefined
    if (refusal) this.emit('takesAgain', Math.max(0, Date.now() - refusal.atMs), refusal.message)
  }

  /** Keeps what waits within the bound. What it says may bring lines, of which each would have it look again. */
  #watch(): void {
    if (this.#isWatching || (!this.#underPressure && this.#backlog.bytes <= this.#queueBytes)) return
    this.#isWatching = true
    try {
      this.#look()
      this.#keepWithin()
    } finally {
      this.#isWatching = false
    }
  }

  #keepWithin(): void {
    const stalled = this.#worker !== undefined && performance.now() - this.#progressAtMs > STALLED_AFTER_MS
    if (stalled) this.#trouble ??= 'the disk does not answer'
    if (this.#trouble !== undefined && this.#backlog.bytes > this.#queueBytes * KEEP_SHARE)
      this.#giveUp(this.#backlog.bytes - this.#queueBytes * KEEP_SHARE)
    // Where something was given up there is room for what comes: waiting for this disk would only lose more.
    const limit = this.#trouble === undefined ? this.#queueBytes / 2 : this.#queueBytes
    if (this.#underPressure && this.#backlog.bytes <= limit) this.#setPressure(false)
    else if (!this.#underPressure && this.#backlog.bytes > this.#queueBytes) this.#setPressure(true)
  }

  #giveUp(bytes: number): void {
    for (const batch of this.#backlog.dropOldest(bytes)) {
      this.#lose(lossOf(batch, this.#trouble ?? 'no time to write it'))
      this.#recycle(batch.bytes.buffer)
    }
  }

  #lose(loss: Loss): void {
    this.lostFrames += loss.frames
    this.#losses.add(loss)
  }

  #emitLosses(): void {
    for (const loss of this.#losses.takeAll()) this.emit('lost', loss)
  }

  #recycle(buffer: ArrayBufferLike): void {
    if (buffer.byteLength === BATCH_BYTES && this.#pool.length < POOL_MAX) this.#pool.push(Buffer.from(buffer))
  }

  #setPressure(on: boolean): void {
    this.#underPressure = on
    this.emit('pressure', on)
    this.#look()
  }
}

/** Spelled out field by field, as `sharedAppend`. */
function appendOf(batch: LineBatch, { bytes, spans }: ReturnType<LineBatch['view']>, shares?: true): Append {
  const { slotFromUs, slotToUs, firstRecvUs, lastRecvUs, frames } = batch
  const { channel, kind, currency } = batch.group
  const group = groupPath(batch.group)
  const append: Append = {
    type: 'append',
    channel,
    group,
    slotFromUs,
    slotToUs,
    firstRecvUs,
    lastRecvUs,
    frames,
    bytes,
    spans,
  }
  if (kind !== undefined) append.kind = kind
  if (currency !== undefined) append.currency = currency
  if (shares) append.shares = shares
  return append
}

/** Longer by one slice of sealing, which cannot be cut short. */
const atMost = (withinMs: number) => delay(withinMs + SLICE_MS, undefined, { ref: false })

/** Says that there are lines in the ring. */
const WAKE: PackedRequests = { requests: [] }

const nextTurn = () => new Promise<void>(resolve => setTimeout(resolve, 5))
