import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { messageOf } from '../../../platform/edge-error.js'
import type { Logger } from '../../../platform/log.js'
import { dateOf } from '../../../platform/utc-date.js'
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
    if (nowMs - measured >= goodForMs) return date
  }
  return undefined
}

/** Coverage of the last days, measured now and then by a process of its own, never for a request. */
export class CoverageDays {
  readonly #dataDir: string
  readonly #log: Logger
  readonly #measured = new Map<string, CoverageDay>()
  readonly #triedMs = new Map<string, number>()
  #isAtWork = false
  #underWay: Promise<void> = Promise.resolve()
  #failure: string | undefined
  #hasNews = false
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
    const date = dueDate(this.#triedMs, nowMs, Math.max(goodForMs, peaceMs))
    if (date === undefined) return
    const isToday = date === dateOf(nowMs)
    if (isToday) this.#hasNews = false
    const beganMs = performance.now()
    this.#isAtWork = true
    this.#triedMs.set(date, nowMs)
    this.#underWay = this.#measure(date, signal)
      .then(day => {
        this.#measured.set(date, day)
        if (isToday) this.#tookMs = performance.now() - beganMs
        this.#failure = undefined
      })
      .catch((error: unknown) => {
        if (signal.aborted) return
        const failure = messageOf(error).slice(0, 500)
        if (failure !== this.#failure) this.#log.warn({ date, err: failure }, 'coverage cannot be measured')
        this.#failure = failure
      })
      .finally(() => {
        this.#isAtWork = false
        this.#forget(nowMs)
      })
  }

  async #measure(date: string, signal: AbortSignal): Promise<CoverageDay> {
    const { stdout } = await execa(process.execPath, [worker, this.#dataDir, date], {
      cancelSignal: signal,
      timeout: MEASURE_WITHIN_MS,
    })
    return JSON.parse(stdout) as CoverageDay
  }

  #forget(nowMs: number): void {
    const oldest = dateOf(nowMs - (DAYS - 1) * DAY_MS)
    for (const date of [...this.#triedMs.keys()].filter(date => date < oldest)) {
      this.#triedMs.delete(date)
      this.#measured.delete(date)
    }
  }
}
