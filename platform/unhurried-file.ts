import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasErrno } from './edge-error.js'

/**
 * A file that is replaced whole, without waiting for the disk, which may never answer: one write is under way at most,
 * so that a disk that hangs holds one of the few threads that Node has for files and names. Not durable on purpose.
 */
export class UnhurriedFile {
  readonly #path: string
  #underWay: Promise<void> | undefined

  constructor(path: string) {
    this.#path = path
  }

  get isBusy(): boolean {
    return this.#underWay !== undefined
  }

  /**
   * @returns false where the write before is still under way: then this one is left out
   * @throws errors of the disk
   */
  async write(text: string): Promise<boolean> {
    if (this.#underWay) return false
    this.#underWay = this.#replace(text)
    try {
      await this.#underWay
      return true
    } finally {
      this.#underWay = undefined
    }
  }

  /**
   * Writes what is to stand there when the process is gone.
   * @returns false where the disk does not answer
   * @throws errors of the disk
   */
  async writeLast(text: string, withinMs: number): Promise<boolean> {
    const written = (this.#underWay ?? Promise.resolve())
      // Its caller hears of that.
      .catch(() => undefined)
      .then(() => this.#replace(text))
      .then(() => true)
    return Promise.race([written, delay(withinMs, false, { ref: false })])
  }

  async #replace(text: string): Promise<void> {
    const file = `${this.#path}.tmp`
    try {
      await writeFile(file, text)
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
    await rename(file, this.#path)
  }
}
