/** Waits between tries at what passes; the last one again and again. */
const PASSING_WAITS_MS = [2000, 8000, 30_000, 60_000]
/** Waits between tries at what the exchange does not know, e.g. an instrument that is not open yet; then no more. */
const UNKNOWN_WAITS_MS = [60_000, 240_000, 960_000, 3_600_000]

interface Refusal {
  tries: number
  againAtMs: number
}

/** Channels that the exchange refused on a connection, and when each is to be asked for again. */
export class Refusals {
  readonly #passing: ReadonlySet<number>
  readonly #nowMs: () => number
  readonly #byChannel = new Map<string, Refusal>()

  /** @param passing codes of refusals that pass: limits, maintenance, overload */
  constructor(passing: Iterable<number>, nowMs: () => number = () => performance.now()) {
    this.#passing = new Set(passing)
    this.#nowMs = nowMs
  }

  /**
   * Notes that these were refused, by this code or, without one, by being left out of an answer.
   * @returns how long until the first of them is asked for again, ms; Infinity for never
   */
  note(channels: readonly string[], code?: number): number {
    const passing = code !== undefined && this.#passing.has(code)
    const waits = channels.map(channel => {
      const tries = (this.#byChannel.get(channel)?.tries ?? 0) + 1
      const waitMs = passing
        ? (PASSING_WAITS_MS[Math.min(tries, PASSING_WAITS_MS.length) - 1] ?? Infinity)
        : (UNKNOWN_WAITS_MS[tries - 1] ?? Infinity)
      this.#byChannel.set(channel, { tries, againAtMs: this.#nowMs() + waitMs })
      return waitMs
    })
    return Math.min(Infinity, ...waits)
  }

  /** Whether a channel may be asked for now. */
  allows(channel: string): boolean {
    const refusal = this.#byChannel.get(channel)
    return refusal === undefined || refusal.againAtMs <= this.#nowMs()
  }

  /** Forgets what was accepted at last, or is not wanted any more. */
  keepOnly(isOpen: (channel: string) => boolean): void {
    for (const channel of this.#byChannel.keys()) if (!isOpen(channel)) this.#byChannel.delete(channel)
  }

  /** How long until the next channel may be asked for, ms; Infinity where none is to be. */
  get nextWaitMs(): number {
    let next = Infinity
    for (const { againAtMs } of this.#byChannel.values()) next = Math.min(next, againAtMs)
    return Math.max(0, next - this.#nowMs())
  }
}
