import { watch, type FSWatcher } from 'node:fs'
import { hasErrno } from '../../platform/edge-error.js'

/**
 * Hears of changes in some folders, and sleeps meanwhile. Folders are named anew whenever they change; what happens between
 * two waits is not missed.
 */
export class TreeWatch {
  readonly #watchers = new Map<string, FSWatcher>()
  #woken = false
  #wake: (() => void) | undefined
  /** Something came or went, not only grew. */
  #hasNews = true

  /** Whether names changed since the last time it was asked. */
  takeNews(): boolean {
    const hasNews = this.#hasNews
    this.#hasNews = false
    return hasNews
  }

  /** Listens to these folders, and to no others. */
  listen(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers)
      if (!folders.has(folder)) {
        watcher.close()
        this.#watchers.delete(folder)
      }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#add(folder)
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, event => this.#heard(event === 'rename'))
      watcher.on('error', () => this.#heard(true))
      this.#watchers.set(folder, watcher)
      // What came before it was listened to.
      this.#heard(true)
    } catch (error) {
      // It went away: the folder above shows it.
      if (!hasErrno(error, 'ENOENT')) throw error
    }
  }

  #heard(hasNews: boolean): void {
    this.#hasNews ||= hasNews
    this.#woken = true
    this.#wake?.()
  }

  /** Resolves at the next change, or when the signal aborts, or after a while. */
  async change(signal: AbortSignal | undefined, longestMs: number): Promise<void> {
    if (!this.#woken && signal?.aborted !== true) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(() => wake(), longestMs)
        const wake = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        this.#wake = wake
        signal?.addEventListener('abort', wake, { once: true })
      })
      this.#wake = undefined
    }
    this.#woken = false
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }
}
