import type { Disk } from './disk.js'

/** What a step of work has asked of the disk, before the next one may be done. */
export type DiskWait = { sync: number } | { syncFolder: string }

/** Work in steps, between which others may do theirs; where one gives a wait, the next comes after it. */
export type DiskSteps<T> = Generator<DiskWait | undefined, T>

/** Does all steps, here and now. */
export const atOnce = <T>(disk: Disk, steps: DiskSteps<T>): T => goOn(disk, steps, steps.next())

function goOn<T>(disk: Disk, steps: DiskSteps<T>, from: IteratorResult<DiskWait | undefined, T>): T {
  let step = from
  while (step.done !== true) {
    const error = step.value && failureOf(disk, step.value)
    step = error ? steps.throw(error) : steps.next()
  }
  return step.value
}

function failureOf(disk: Disk, wait: DiskWait): Error | undefined {
  try {
    if ('sync' in wait) disk.sync(wait.sync)
    else disk.syncFolder(wait.syncFolder)
    return undefined
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

/** Does steps when it is told to; while the disk is waited for, whoever owns it does something else. */
export class StepsAside<T> {
  readonly #disk: Disk
  readonly #steps: DiskSteps<T>
  readonly #wake: () => void
  #waitsSinceMs: number | undefined
  #error: Error | undefined

  /** @param wake called when what was waited for is done or failed, and the next step can be done */
  constructor(disk: Disk, steps: DiskSteps<T>, wake: () => void) {
    this.#disk = disk
    this.#steps = steps
    this.#wake = wake
  }

  /** Since when the disk has been waited for, ms of `performance.now`; undefined: the next step can be done. */
  get waitsSinceMs(): number | undefined {
    return this.#waitsSinceMs
  }

  /** Does a step, unless the disk is waited for. @throws what the step throws */
  next(): IteratorResult<unknown, T> {
    if (this.#waitsSinceMs !== undefined) return { done: false, value: undefined }
    const step = this.#resume()
    if (step.done !== true && step.value) this.#wait(step.value)
    return step
  }

  /** Does what is left, here and now; not to be called while the disk is waited for. */
  finish(): T {
    return goOn(this.#disk, this.#steps, this.#resume())
  }

  /** Gives up what is left. */
  leave(result: T): void {
    this.#steps.return(result)
  }

  #resume(): IteratorResult<DiskWait | undefined, T> {
    const error = this.#error
    this.#error = undefined
    return error ? this.#steps.throw(error) : this.#steps.next()
  }

  #wait(wait: DiskWait): void {
    this.#waitsSinceMs = performance.now()
    const done = (error?: Error | null) => {
      this.#waitsSinceMs = undefined
      this.#error = error ?? undefined
      this.#wake()
    }
    if ('sync' in wait) this.#disk.syncAside(wait.sync, done)
    else this.#disk.syncFolderAside(wait.syncFolder, done)
  }
}
