import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { StepsAside } from '../../platform/disk-steps.js'
import { EdgeError, hasErrno, messageOf } from '../../platform/edge-error.js'
import type { Manifest, ManifestGap } from '../../formats/manifest.js'
import { withState } from '../../formats/raw-path.js'
import type { Loss, StorageEvent } from './messages.js'
import { isNoRoom, type Room } from './room.js'
import { sealSegment, type SealOptions, type SealOutcome } from './seal-segment.js'

/** A segment that gets no more frames. */
export interface SealTask {
  path: string
  gaps: ManifestGap[]
  /** Left by a crash or a failed write. */
  recovered: boolean
  /** Where it is known: bytes of the file that count, those of its lines, and what is lost should the file be gone. */
  keepBytes?: number
  rawBytes?: number
  holds?: Omit<Loss, 'cause'>
}

/** What could not be sealed is tried again this often. */
const RETRY_MS = 1000

export interface SealQueueOptions extends Pick<SealOptions, 'disk' | 'dataDir'> {
  room: Room
  emit: (event: StorageEvent) => void
  /** Called when the disk has done what a seal waited for. */
  wake: () => void
}

/**
 * The segments to be sealed, one after the other, each in slices; nothing waits for the disk but the seal itself. What fails goes to the end of the queue and is tried
 * again later; while the disk is full nothing is begun, for the room that is left belongs to the journal.
 */
export class SealQueue {
  readonly #options: SealQueueOptions
  #tasks: SealTask[] = []
  /** The seal of the first task, once it is begun. */
  #current: StepsAside<SealOutcome> | undefined
  #notBeforeMs = 0

  constructor(options: SealQueueOptions, tasks: SealTask[]) {
    this.#options = options
    this.#tasks = tasks
  }

  add(task: SealTask): void {
    this.#tasks.push(task)
  }

  /** Paths below `dataDir` that wait. */
  get waiting(): string[] {
    return this.#tasks.map(({ path }) => path)
  }

  /** True while a seal waits for the disk. */
  get isWaiting(): boolean {
    return this.#current?.waitsSinceMs !== undefined
  }

  /** When there is something to do, ms of `performance.now`; undefined: nothing, or nobody knows. */
  get nextMs(): number | undefined {
    return this.#tasks.length > 0 && !this.isWaiting ? this.#notBeforeMs : undefined
  }

  /** Gives up all tasks, none of which should wait for the disk; returns the paths of their segments, which stay as they are. */
  leave(): string[] {
    const left = this.waiting
    this.#tasks = []
    // Its half-written copy goes, too: whoever looks for zstd files would count those lines twice.
    const current = this.#current
    this.#current = undefined
    try {
      current?.leave({ kind: 'empty' })
    } catch (error) {
      this.#options.emit({ type: 'failed', what: `leave ${left[0] ?? ''}`, message: messageOf(error) })
    }
    return left
  }

  /** What failed a moment ago is tried again at once. */
  retryNow(): void {
    this.#notBeforeMs = 0
  }

  /** Does one step. False: there is nothing to do now. */
  step(level: number, nowMs: number): boolean {
    const task = this.#tasks[0]
    if (!task || this.isWaiting || nowMs < this.#notBeforeMs) return false
    try {
      this.#current ??= this.#begin(task, level)
      if (!this.#current) return this.#postpone(nowMs)
      const step = this.#current.next()
      if (step.done === true) this.#finish(step.value)
    } catch (error) {
      this.#current = undefined
      if (hasErrno(error, 'ENOENT') && this.#isGone(task)) this.#giveUp(task)
      else if (isTooNew(error)) this.#leaveOpen(task, error)
      else this.#failed(task, error, nowMs)
    }
    return true
  }

  #begin(task: SealTask, level: number): StepsAside<SealOutcome> | undefined {
    const { disk, dataDir, room, wake } = this.#options
    const { path, gaps, keepBytes, rawBytes } = task
    // What is written anew is never much larger than what is there.
    const bytes = statSync(join(dataDir, path), { throwIfNoEntry: false })?.size ?? 0
    if (!room.hasRoomFor(bytes + 64 * 1024)) return undefined
    const known = { ...(keepBytes !== undefined && { keepBytes }), ...(rawBytes !== undefined && { rawBytes }) }
    return new StepsAside(disk, sealSegment({ disk, dataDir, path, level, gaps, ...known }), wake)
  }

  #finish(outcome: SealOutcome): void {
    this.#current = undefined
    const task = this.#tasks.shift()
    if (!task) return
    if (outcome.kind === 'sealed') {
      const { path, manifest } = outcome
      this.#options.emit({ type: 'sealed', path, manifest, recovered: task.recovered })
      this.#reportMissing(task, manifest)
    } else if (outcome.kind === 'unreadable') {
      this.#options.emit({ type: 'unreadable', path: task.path, movedTo: outcome.movedTo })
    } else this.#reportMissing(task)
  }

  /** A disk may take lines and lose them before they were synced: what was written and cannot be read again is reported. */
  #reportMissing({ path, holds }: SealTask, manifest?: Manifest): void {
    const frames = (holds?.frames ?? 0) - (manifest?.frames ?? 0)
    if (!holds || frames <= 0) return
    const fromUs = Math.max(holds.fromUs, manifest?.last_recv_us ?? holds.fromUs)
    this.#options.emit({ type: 'lost', loss: { ...holds, fromUs, frames, cause: `the end of ${path} cannot be read` } })
  }

  #postpone(nowMs: number): false {
    this.#notBeforeMs = nowMs + RETRY_MS
    return false
  }

  #failed(task: SealTask, error: unknown, nowMs: number): void {
    this.#options.emit({ type: 'failed', what: `seal ${task.path}`, message: messageOf(error) })
    if (isNoRoom(error)) this.#options.room.noRoom(nowMs)
    this.#tasks.push(...this.#tasks.splice(0, 1))
    this.#postpone(nowMs)
  }

  /** For the later edgetape that began to seal it. */
  #leaveOpen({ path }: SealTask, { message, hint }: EdgeError): void {
    this.#tasks.shift()
    this.#options.emit({ type: 'failed', what: `seal ${path}`, message: `${message}; ${hint ?? ''}` })
  }

  /** Neither the open file is there nor the sealed one: someone removed it. */
  #isGone({ path }: SealTask): boolean {
    const { dataDir } = this.#options
    return !existsSync(join(dataDir, path)) && !existsSync(join(dataDir, withState(path, 'sealed')))
  }

  #giveUp(task: SealTask): void {
    this.#tasks.shift()
    const cause = `${task.path} was removed`
    if (task.holds) this.#options.emit({ type: 'lost', loss: { ...task.holds, cause } })
    else this.#options.emit({ type: 'failed', what: `seal ${task.path}`, message: cause })
  }
}

function isTooNew(error: unknown): error is EdgeError {
  return error instanceof EdgeError && error.code === 'MANIFEST_TOO_NEW'
}
