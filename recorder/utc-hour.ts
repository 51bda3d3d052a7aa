const HOUR_US = 3_600_000_000

/** Notices when a UTC hour begins: each hour of raw data opens with what is needed to read it alone. */
export class HourMark {
  #hour: number

  constructor(nowUs: number) {
    this.#hour = Math.floor(nowUs / HOUR_US)
  }

  /** True once for each hour that is not that of the last question, also where the clock was set. */
  isNew(nowUs: number): boolean {
    const hour = Math.floor(nowUs / HOUR_US)
    if (hour === this.#hour) return false
    this.#hour = hour
    return true
  }
}
