/** Longest pause before something is tried again, ms. */
const PAUSE_MAX_MS = 3_600_000

/**
 * What failed in this run and is to be tried again, after pauses that double: most reasons go away, a full disk among
 * them, and what was left until the next start waited for weeks.
 */
export class Retries {
  readonly #firstPauseMs: number
  readonly #nowMs: () => number
  readonly #failed = new Map<string, { message: string; failures: number; dueMs: number }>()

  /** @param firstPauseMs before the second try; `Infinity` where there is to be none */
  constructor(firstPauseMs: number, nowMs = () => performance.now()) {
    this.#firstPauseMs = firstPauseMs
    this.#nowMs = nowMs
  }

  /** How many things stand as failed. */
  get size(): number {
    return this.#failed.size
  }

  /** What the latest of them failed of. */
  get lastError(): string | undefined {
    return [...this.#failed.values()].at(-1)?.message
  }

  /** @returns how long it is left alone, ms */
  failed(what: string, message: string): number {
    const failures = (this.#failed.get(what)?.failures ?? 0) + 1
    const pauseMs = Math.max(this.#firstPauseMs, Math.min(PAUSE_MAX_MS, this.#firstPauseMs * 2 ** (failures - 1)))
    this.#failed.delete(what)
    this.#failed.set(what, { message, failures, dueMs: this.#nowMs() + pauseMs })
    return pauseMs
  }

  succeeded(what: string): void {
    this.#failed.delete(what)
  }

  /** True while something is left alone. */
  isPaused(what: string): boolean {
    return this.#nowMs() < (this.#failed.get(what)?.dueMs ?? -Infinity)
  }
}
