import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { isNear } from '../../../platform/clock.js'
import { messageOf } from '../../../platform/edge-error.js'
import type { Logger } from '../../../platform/log.js'
import { dateOf } from '../../../platform/utc-date.js'
import { holdsDate } from '../../../formats/tree-place.js'
import type { CoverageDay } from '../../../coverage/account/day.js'

/** Days shown, today included. */
const DAYS = 7
const DAY_MS = 86_400_000
/** Today is measured anew after so long, ms; while something is wrong after this, where there is news at once, … */
const TODAY_MS = 60_000
const WRONG_MS = 4_000
/** … and a day that takes long to measure is left in peace so many times as long, at most so long; … */
const TIMES_ITS_LENGTH = 4
const PEACE_MS_MAX = 5_000
/** … yesterday, while its last segments come in, after this; … */
const FRESH_MS = 10 * 60_000
const SETTLED_AFTER_MS = 3 * 3_600_000
/** … and any day after this, for what came late. */
const STALE_MS = 12 * 3_600_000
const MEASURE_WITHIN_MS = 10 * 60_000
/** Earlier days are measured when somebody goes back to them; so many are kept. */
const EARLIER_MAX = 8
/** Where days are missing, the one before is looked for so far back. */
const BACK_MAX_DAYS = 366

const worker = fileURLToPath(new URL('./worker.js', import.meta.url))

/**
 * The day to measure next: today first, then back; undefined when all are fresh enough. Pure.
 * @param measuredMs when each was measured, by date
 * @param todayGoodForMs how long what is known of today is good
 */
export function dueDate(
  measuredMs: ReadonlyMap<string, number>,
  nowMs: number,
  todayGoodForMs = TODAY_MS,
): string | undefined {
  for (let ago = 0; ago < DAYS; ago++) {
    const date = dateOf(nowMs - ago * DAY_MS)
    const settledMs = Date.parse(date) + DAY_MS + SETTLED_AFTER_MS
    const measured = measuredMs.get(date) ?? -Infinity
    const goodForMs = ago === 0 ? todayGoodForMs : measured < settledMs ? FRESH_MS : STALE_MS
    if (!isNear(measured, nowMs, goodForMs)) return date
  }
  return undefined
}

/** The nearest date before one that is there; undefined where none is, or none of a year. Pure. */
export function dateBefore(date: string, isThere: (date: string) => boolean): string | undefined {
  for (let ago = 1; ago <= BACK_MAX_DAYS; ago++) {
    const earlier = dateOf(Date.parse(date) - ago * DAY_MS)
    if (isThere(earlier)) return earlier
  }
  return undefined
}

/** Coverage of the last days, measured now and then by a process of its own, never for a request. */
export class CoverageDays {
  readonly #dataDir: string
  readonly #log: Logger
  readonly #measured = new Map<string, CoverageDay>()
  readonly #triedMs = new Map<string, number>()
  /** By the date that they are the day before of; null: there is none. */
  readonly #earlier = new Map<string, CoverageDay | null>()
  #wish: string | undefined
  #isAtWork = false
  #underWay: Promise<void> = Promise.resolve()
  #failure: string | undefined
  #hasNews = false
  #wasToday = false
  #tookMs = 0

  constructor(dataDir: string, log: Logger) {
    this.#dataDir = dataDir
    this.#log = log
  }

  /** Newest first. */
  all(): CoverageDay[] {
    return [...this.#measured.values()].sort((a, b) => (a.date < b.date ? 1 : -1))
  }

  /** What is known of a date. */
  of(date: string): CoverageDay | undefined {
    return this.#measured.get(date)
  }

  /**
   * The nearest day before a date of which anything is here, null where there is none; undefined where it is not known yet,
   * but will be at one of the next looks: whoever asks reads nothing.
   */
  before(date: string): CoverageDay | null | undefined {
    const known = this.#earlier.get(date)
    if (known === undefined) this.#wish = date
    return known
  }

  /** Something happened: today is measured at the next look. */
  hurry(): void {
    this.#hasNews = true
  }

  /** Resolves when the process of its own has ended; never rejects. */
  ended(): Promise<void> {
    return this.#underWay
  }

  /**
   * Starts what is due; one at a time.
   * @param isWrong what is missing grows
   */
  tick(nowMs: number, signal: AbortSignal, isWrong = false): void {
    if (this.#isAtWork) return
    const goodForMs = this.#hasNews ? 0 : isWrong ? WRONG_MS : TODAY_MS
    const peaceMs = Math.min(PEACE_MS_MAX, TIMES_ITS_LENGTH * this.#tookMs)
    const today = dateOf(nowMs)
    const first = dueDate(this.#triedMs, nowMs, Math.max(goodForMs, peaceMs))
    // Where there is always news of today, other days take turns with it.
    const isTurnOfOthers = first !== today || this.#wasToday
    this.#wasToday = false
    if (isTurnOfOthers && this.#wish !== undefined) {
      this.#lookBefore(this.#wish, signal)
      return
    }
    const date = isTurnOfOthers ? (dueDate(this.#triedMs, nowMs, Infinity) ?? first) : first
    if (date === undefined) return
    const isToday = date === today
    this.#wasToday = isToday
    if (isToday) this.#hasNews = false
    const beganMs = performance.now()
    const dates = isToday ? [date] : [...new Set([date, ...this.#emptyDates(nowMs)])]
    for (const each of dates) this.#triedMs.set(each, nowMs)
    this.#work(dates, signal, days => {
      for (const day of days) this.#measured.set(day.date, day)
      if (isToday) this.#tookMs = performance.now() - beganMs
      this.#forget(nowMs)
    })
  }

  /** Days before today, never measured, of which nothing is here: all take no longer than one, which is the start of a process. */
  #emptyDates(nowMs: number): string[] {
    const before = Array.from({ length: DAYS - 1 }, (_, ago) => dateOf(nowMs - (ago + 1) * DAY_MS))
    return before.filter(date => !this.#triedMs.has(date) && !holdsDate(this.#dataDir, date))
  }

  #lookBefore(date: string, signal: AbortSignal): void {
    this.#wish = undefined
    const found = dateBefore(date, earlier => holdsDate(this.#dataDir, earlier))
    if (found === undefined) this.#keep(date, null)
    else this.#work([found], signal, ([day = null]) => this.#keep(date, day))
  }

  #keep(date: string, day: CoverageDay | null): void {
    this.#earlier.set(date, day)
    const [oldest] = this.#earlier.keys()
    if (this.#earlier.size > EARLIER_MAX && oldest !== undefined) this.#earlier.delete(oldest)
  }

  #work(dates: readonly string[], signal: AbortSignal, done: (days: CoverageDay[]) => void): void {
    this.#isAtWork = true
    this.#underWay = this.#measure(dates, signal)
      .then(days => {
        done(days)
        this.#failure = undefined
      })
      .catch((error: unknown) => {
        if (signal.aborted) return
        const failure = messageOf(error).slice(0, 500)
        if (failure !== this.#failure) this.#log.warn({ dates, err: failure }, 'coverage cannot be measured')
        this.#failure = failure
      })
      .finally(() => {
        this.#isAtWork = false
      })
  }

  async #measure(dates: readonly string[], signal: AbortSignal): Promise<CoverageDay[]> {
    const { stdout } = await execa(process.execPath, [worker, this.#dataDir, ...dates], {
      cancelSignal: signal,
      timeout: MEASURE_WITHIN_MS,
    })
    return stdout.split('\n').map(line => JSON.parse(line) as CoverageDay)
  }

  #forget(nowMs: number): void {
    const [oldest, today] = [dateOf(nowMs - (DAYS - 1) * DAY_MS), dateOf(nowMs)]
    // Days to come were those of a clock that was ahead.
    for (const date of [...this.#triedMs.keys()].filter(date => date < oldest || date > today)) {
      this.#triedMs.delete(date)
      this.#measured.delete(date)
    }
  }
}
