import { EdgeError } from '../../platform/edge-error.js'

/**
 * Guards file operations on a folder that may hang for ever, as hard-mounted network folders do. An operation that
 * shows no life for `idleMs` is given up with SYNC_TARGET_HANGS; it cannot be cancelled, so until it ends no other is
 * begun: a dead mount costs a thread or a few, not all of them.
 */
export class Watchdog {
  readonly #idleMs: number
  #stuck = 0

  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** Runs `operation`, which calls `beat` whenever it gets on. */
  guard<T>(what: string, operation: (beat: () => void) => Promise<T>): Promise<T> {
    if (this.#stuck > 0) return Promise.reject(this.#hangs('an earlier operation has not ended'))
    return new Promise((resolve, reject) => {
      let gaveUp = false
      const timer = setTimeout(() => {
        gaveUp = true
        this.#stuck++
        reject(this.#hangs(what))
      }, this.#idleMs)
      const beat = () => {
        if (!gaveUp) timer.refresh()
      }
      void operation(beat)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer)
          if (gaveUp) this.#stuck--
        })
    })
  }

  #hangs(what: string): EdgeError {
    return new EdgeError('SYNC_TARGET_HANGS', `no answer from the target for ${this.#idleMs / 1000} s (${what})`, {
      retry: true,
      hint: 'a mounted folder whose server is away hangs like this; see whether ls on it answers',
    })
  }
}
