import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A disk that takes longer is looked at later. */
const ANSWERS_WITHIN_MS = 2000

/** Finds out whether the disk below a folder answers, without waiting for it on this thread. */
export class AnsweringDisk {
  /** No second question before the first is answered: each takes one of the few threads that wait for disks. */
  #asked: Promise<boolean> | undefined

  constructor(private readonly folder: string) {}

  /** Whether it answers, and be it by a refusal; false as well once `signal` aborts. */
  async answers(signal: AbortSignal): Promise<boolean> {
    // What every file system asks its server, and none answers from memory.
    this.#asked ??= statfs(this.folder)
      .then(
        () => true,
        () => true,
      )
      .finally(() => (this.#asked = undefined))
    const late = new AbortController()
    const either = AbortSignal.any([signal, late.signal])
    try {
      return await Promise.race([this.#asked, sleep(ANSWERS_WITHIN_MS, false, { signal: either }).catch(() => false)])
    } finally {
      late.abort()
    }
  }
}
