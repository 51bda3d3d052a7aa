/** When recorded moments are due in real time. */
export class Pace {
  readonly #speed: number
  #anchor: { realMs: number; us: number } | undefined

  /** @param speed recorded time per real time; 0: everything is due at once */
  constructor(speed: number) {
    this.#speed = speed
  }

  /** How long until a recorded moment is due, ms; the first one asked about is due at once. */
  waitMs(us: number, nowMs: number): number {
    if (this.#speed === 0) return 0
    this.#anchor ??= { realMs: nowMs, us }
    return this.#anchor.realMs + (us - this.#anchor.us) / 1000 / this.#speed - nowMs
  }

  /** After a pause: the next moment asked about is due at once, the others at their distance from it. */
  restart(): void {
    this.#anchor = undefined
  }
}
