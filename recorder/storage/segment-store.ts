import { setTimeout as delay } from 'node:timers/promises'
import { localDisk, type Disk } from '../../platform/disk.js'
import { atOnce, StepsAside, type DiskSteps } from '../../platform/disk-steps.js'
import { messageOf } from '../../platform/edge-error.js'
import { removeVerifiedSegments } from './verified-segments.js'
import { findOpenSegments } from './open-segments.js'
import { BatchQueue } from './batch-queue.js'
import { HourVolumes } from './hour-volumes.js'
import { Inheritance } from './inheritance.js'
import { LiveSegments } from './live-segments.js'
import {
  APPENDING,
  heldBytes,
  type Append,
  type StorageEvent,
  type StorageOptions,
  type StorageRequest,
} from './messages.js'
import { isNoRoom, Room } from './room.js'
import { SealedHours } from './sealed-hours.js'
import { SealQueue } from './seal-queue.js'
import { parseRecorderName } from '../../formats/recorder-name.js'
import { recorderState } from '../../formats/recorder-state.js'
import { QUICK_SEAL_LEVEL, SEAL_LEVEL } from '../../platform/zstd.js'

/** A disk that failed is tried again this often. */
const RETRY_MS = 1000
/** Where nothing verified was left to delete, the ledgers are read again after this. */
const LEDGERS_AGAIN_MS = 30_000
/** While a segment is synced for longer, nothing is written. */
const ANSWERS_WITHIN_MS = 1000
/** How often it is looked whether all is sealed. */
const SEALED_LOOK_MS = 5
/** Open segments with more than this, uncompressed, are sealed at the fast level when the recorder must end soon. */
const QUICK_SEAL_RAW_BYTES = 64 * 1024 * 1024

const isJournal = ({ channel }: Append) => channel === 'journal'

/**
 * Owns everything under `raw/`: a batch waits (`BatchQueue`), is appended to its segment (`LiveSegments`), which is sealed
 * (`SealQueue`) together with what was left open before. Work that takes long (sealing) is cut into slices between which
 * batches are written. What fails is tried again for ever, without holding up what does not; while the disk is full, only
 * the journal is written. How much may wait is bounded by whoever sends the batches.
 */
export class SegmentStore {
  readonly #options: StorageOptions
  readonly #emit: (event: StorageEvent) => void
  readonly #disk: Disk
  readonly #room: Room
  readonly #queue = new BatchQueue()
  readonly #live: LiveSegments
  readonly #seals: SealQueue
  readonly #hours: SealedHours
  readonly #inheritance: Inheritance
  readonly #volumes: HourVolumes | undefined
  #hasNew = false
  #working = false
  #wake: NodeJS.Timeout | undefined
  /** When it rings, ms of `performance.now`. */
  #wakesAtMs = Infinity
  #syncedAtMs = 0
  /** Slots that ended before get no more frames, µs. */
  #endBeforeUs: number | undefined
  /** A segment that is synced or ended, one at a time, while lines are written. */
  #turn: StepsAside<void> | undefined
  /** Of what the last hours brought, when its turn has come. */
  #saving: DiskSteps<void> | undefined
  #nothingVerifiedUntilMs = 0
  #sealLevel = SEAL_LEVEL
  #closing = false

  constructor(options: StorageOptions, emit: (event: StorageEvent) => void, disk = localDisk) {
    this.#options = options
    this.#emit = emit
    this.#disk = disk
    const { dataDir, exchange, host, reserveBytes } = options
    const reserveFolder = recorderState(dataDir, exchange, host, 'reserve')
    const makeRoom = (bytes: number) => this.#makeRoom(bytes)
    this.#room = new Room({ disk, reserveFolder, reserveBytes, makeRoom }, performance.now())
    const own = { exchange, siblings: options.siblings ?? [], host: parseRecorderName(host).host }
    this.#hours = new SealedHours(disk, dataDir, parseRecorderName(host).identity)
    const open = this.#hours.open()
    this.#inheritance = new Inheritance(disk, dataDir, own, open)
    for (const others of this.#inheritance.found) emit({ type: 'openElsewhere', others })
    const left = [...findOpenSegments(disk, dataDir, exchange, own.host, open), ...this.#inheritance.segments]
    this.#seals = new SealQueue(
      { disk, dataDir, room: this.#room, emit, wake: this.#goOn },
      left.map(path => ({ path, gaps: [], recovered: true })),
    )
    const seal = this.#seals.add.bind(this.#seals)
    const admit = this.#hours.admit.bind(this.#hours)
    this.#volumes = options.long && new HourVolumes(disk, recorderState(dataDir, exchange, host, 'volumes'))
    const volumes = this.#volumes
    this.#live = new LiveSegments({ disk, storage: options, volumes, room: this.#room, emit, seal, admit })
    void this.#work()
  }

  readonly #goOn = () => void this.#work()

  /** Open files among the segments being written. */
  get openFiles(): number {
    return this.#live.openFiles
  }

  /** Whether it still holds batches that it got. */
  get hasWaiting(): boolean {
    return !this.#queue.isEmpty
  }

  /** Whether a segment is, or waits, to be synced or ended. */
  get hasTurns(): boolean {
    return this.#turn !== undefined || this.#live.hasTurns
  }

  handle(request: StorageRequest): void {
    this.handleAll([request])
  }

  /** Takes them in their order, and then writes what it can at once. */
  handleAll(requests: readonly StorageRequest[]): void {
    for (const request of requests) this.#take(request)
    void this.#work()
  }

  #take(request: StorageRequest): void {
    switch (request.type) {
      case 'append':
        this.#queue.push(request)
        this.#hasNew = true
        break
      case 'gap':
        for (const channel of request.channels) this.#live.noteGap(channel, request.gap)
        break
      case 'tick':
        this.#live.announceLongs(request.nowUs)
        this.#endBeforeUs = request.nowUs
        this.#saving = this.#volumes?.look(request.nowUs / 1000) ?? this.#saving
        this.#hours.look(request.nowUs / 1000)
        break
      case 'tryNow':
        this.#room.hurry()
        this.#queue.retryNow()
        break
      case 'giveUp':
        this.#giveUp()
        break
      case 'sealAll':
        void this.#sealAll(request.withinMs)
        break
      case 'close':
        void this.#close(request.withinMs)
    }
  }

  /** Writes what is queued, then seals in slices, until nothing is left to do now. */
  async #work(): Promise<void> {
    if (this.#working || this.#isClosing()) return
    this.#working = true
    do {
      if (!this.#isHeldUp) {
        this.#writeQueue()
        if (!this.#room.isFull) this.#live.endFrames(performance.now())
      }
      this.#endWhatIsOver()
      this.#syncIfDue()
      this.#takeTurn()
      if (!this.#mayHaveMore) break
      await nextTurn()
    } while (this.#hasMore())
    this.#working = false
    if (!this.#isClosing()) this.#sleep()
  }

  #isClosing(): boolean {
    return this.#closing
  }

  /** Whether `hasMore` has anything to look at: each turn of the loop costs as much as all that is written in one. */
  get #mayHaveMore(): boolean {
    return this.#seals.nextMs !== undefined || (this.#hasNew && !this.#isHeldUp) || this.#hasTurn
  }

  /** Does a slice of sealing, where there is one; false when there is nothing to do now. */
  #hasMore(): boolean {
    if (this.#closing) return false
    const didSeal = this.#seals.step(this.#sealLevel, performance.now())
    this.#inheritance.settle(this.#seals.waiting)
    return didSeal || (this.#hasNew && !this.#isHeldUp) || this.#hasTurn
  }

  /** Whether a segment can go on with what it does with the disk. */
  get #hasTurn(): boolean {
    return this.#turn ? !this.#isInTurn : this.#live.hasTurns || this.#saving !== undefined
  }

  /** True while a segment waits for the disk. */
  get #isInTurn(): boolean {
    return this.#turn?.waitsSinceMs !== undefined
  }

  /** Wakes up when the first thing is due that no message announces. */
  #sleep(): void {
    const now = performance.now()
    let next = Math.min(this.#seals.nextMs ?? Infinity, this.#room.lookAtMs ?? Infinity)
    if (!this.#room.isFull && !this.#isHeldUp) next = Math.min(next, this.#live.frameEndsMs, ...this.#queue.retries)
    if (this.#live.isDirty && !this.#turn) next = Math.min(next, this.#syncedAtMs + this.#options.fsyncMs)
    if (next === this.#wakesAtMs) return
    clearTimeout(this.#wake)
    this.#wakesAtMs = next
    if (next < Infinity) this.#wake = setTimeout(() => this.#wakeUp(), Math.max(0, next - now))
  }

  #wakeUp(): void {
    this.#wakesAtMs = Infinity
    void this.#work()
  }

  #writeQueue(): void {
    const now = performance.now()
    this.#hasNew = false
    const fullForMs = this.#room.lookAgain(now)
    if (fullForMs !== undefined) this.#emit({ type: 'roomAgain', afterMs: Math.round(fullForMs) })
    const mayWrite = (batch: Append) => !this.#room.isFull || isJournal(batch)
    this.#queue.drain(now, mayWrite, batch => this.#write(batch))
  }

  /** Returns when to try again where it failed. */
  #write(batch: Append): number | undefined {
    try {
      this.#live.append(batch)
      return undefined
    } catch (error) {
      const now = performance.now()
      this.#emit({ type: 'failed', what: `${APPENDING}${batch.channel}`, message: messageOf(error) })
      const wasFull = this.#room.isFull
      if (isNoRoom(error)) this.#room.noRoom(now)
      this.#live.failed(batch, error)
      // The reserve was released this very moment: the journal is tried again at once.
      return isNoRoom(error) && !wasFull ? now : now + RETRY_MS
    }
  }

  /** What cannot be written now goes back, except for the journal, which has until the very end. */
  #giveUp(): void {
    this.#writeQueue()
    for (const batch of this.#queue.takeOut(batch => !isJournal(batch))) {
      const { channel, firstRecvUs, lastRecvUs, frames } = batch
      const facts = { channel, firstRecvUs, lastRecvUs, frames }
      this.#emit({ type: 'dropped', batch: facts, held: heldBytes(batch) })
    }
  }

  /** Behind what came before the tick. */
  #endWhatIsOver(): void {
    if (this.#endBeforeUs !== undefined) this.#live.endBefore(this.#endBeforeUs)
    this.#endBeforeUs = undefined
  }

  /** Never more than `fsyncMs` between a write and the sync behind it. */
  #syncIfDue(): void {
    const now = performance.now()
    if (now - this.#syncedAtMs >= this.#options.fsyncMs && this.#live.sync()) this.#syncedAtMs = now
  }

  #takeTurn(): void {
    if (!this.#turn) {
      const steps = this.#live.nextTurn() ?? this.#saving
      if (!steps) return
      if (steps === this.#saving) this.#saving = undefined
      this.#turn = new StepsAside(this.#disk, steps, this.#goOn)
    }
    if (this.#turn.next().done === true) this.#turn = undefined
  }

  /** A disk that does not answer is not to be written to as if it did: what comes waits in memory, where it is counted. */
  get #isHeldUp(): boolean {
    return performance.now() - (this.#turn?.waitsSinceMs ?? Infinity) > ANSWERS_WITHIN_MS
  }

  #makeRoom(bytes: number): void {
    const now = performance.now()
    if (now < this.#nothingVerifiedUntilMs) return
    const gone = removeVerifiedSegments(this.#disk, this.#options, bytes)
    if (gone.files.length > 0) this.#emit({ type: 'madeRoom', ...gone })
    else this.#nothingVerifiedUntilMs = now + LEDGERS_AGAIN_MS
  }

  /** Seals all but the journal, as far as the time allows. */
  async #sealAll(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    while (this.#isInTurn && performance.now() < deadlineMs) await delay(SEALED_LOOK_MS)
    this.#queue.retryNow()
    this.#writeQueue()
    this.#endAll(channel => channel !== 'journal')
    void this.#work()
    while (this.#seals.waiting.length > 0 && performance.now() < deadlineMs) await delay(SEALED_LOOK_MS)
    this.#emit({ type: 'sealedAll' })
  }

  /** Seals the journal; what was not sealed before is left to the next start, whose journal reports it. */
  async #close(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    this.#closing = true
    clearTimeout(this.#wake)
    while (this.#working) await nextTurn()
    while ((this.#isInTurn || this.#seals.isWaiting) && performance.now() < deadlineMs) await nextTurn()
    this.#queue.retryNow()
    this.#writeQueue()
    const leftOpen = this.#seals.leave()
    this.#inheritance.settle([])
    this.#endAll(() => true)
    // Behind what was under way, which may be the same.
    if (this.#volumes) atOnce(this.#disk, this.#volumes.save())
    const sealsOn = () => this.#seals.step(this.#sealLevel, performance.now()) || this.#seals.isWaiting
    while (sealsOn() && performance.now() < deadlineMs) await nextTurn()
    this.#emit({ type: 'closed', leftOpen: [...leftOpen, ...this.#seals.leave()] })
  }

  #endAll(which: (channel: string) => boolean): void {
    if (!this.#isInTurn) this.#turn?.finish()
    this.#turn = undefined
    if (this.#live.endAll(which) > QUICK_SEAL_RAW_BYTES) this.#sealLevel = QUICK_SEAL_LEVEL
    this.#seals.retryNow()
  }
}

/** Lets messages in. */
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))
