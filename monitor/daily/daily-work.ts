import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { isNear } from '../../platform/clock.js'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import { dateOf } from '../../platform/utc-date.js'

const DAY_MS = 86_400_000
/** The last segments of a day are sealed and converted within this time of its end. */
const SETTLED_AFTER_MS = 2 * 3_600_000
/** A day that could not be written is tried again after this time. */
const RETRY_MS = 3_600_000
const WRITE_WITHIN_MS = 30 * 60_000

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))

/** What is made of each day once it is over. */
export interface DailyJob {
  /** As the log says it: `coverage`, `report`. */
  name: string
  /** Whether there is anything of a date to make it of. */
  canBegin: (date: string) => boolean
  /** When it was made of a date, ms since the epoch; undefined: never. */
  writtenMs: (date: string) => number | undefined
  /** Makes ready what it needs, and says what the command line is to do, which prints the files that it wrote. */
  begin: (date: string) => string[]
}

/**
 * Yesterday, once it is settled and as long as nothing was made of it since then; else undefined. Pure.
 * @param writtenMs when something was made of a date; undefined: never
 */
export function dueDate(nowMs: number, writtenMs: (date: string) => number | undefined): string | undefined {
  const date = dateOf(nowMs - DAY_MS)
  const settledMs = Date.parse(date) + DAY_MS + SETTLED_AFTER_MS
  return nowMs >= settledMs && (writtenMs(date) ?? 0) < settledMs ? date : undefined
}

interface JobState {
  job: DailyJob
  /** The last date of which it was made. */
  done: string
  triedMs: number
}

/** Does the jobs of each day once it is over, each by a process of its own, one at a time. */
export class DailyWork {
  readonly #jobs: readonly JobState[]
  readonly #log: Logger
  #isAtWork = false
  #underWay: Promise<void> = Promise.resolve()

  constructor(jobs: readonly DailyJob[], log: Logger) {
    this.#jobs = jobs.map(job => ({ job, done: '', triedMs: -Infinity }))
    this.#log = log
  }

  /** Resolves when the process of its own has ended; never rejects. */
  ended(): Promise<void> {
    return this.#underWay
  }

  /** Starts what is due; to be called now and then. */
  tick(nowMs: number, signal: AbortSignal): void {
    for (const state of this.#jobs) {
      if (this.#isAtWork) return
      if (isNear(state.triedMs, nowMs, RETRY_MS) || state.done === dateOf(nowMs - DAY_MS)) continue
      state.triedMs = nowMs
      const date = dueDate(nowMs, state.job.writtenMs)
      if (date === undefined || !state.job.canBegin(date)) continue
      this.#isAtWork = true
      this.#underWay = this.#make(state, date, signal)
    }
  }

  async #make(state: JobState, date: string, signal: AbortSignal): Promise<void> {
    const { name, begin } = state.job
    try {
      const args = [main, ...begin(date)]
      const { stdout } = await execa(process.execPath, args, { cancelSignal: signal, timeout: WRITE_WITHIN_MS })
      state.done = date
      this.#log.info({ date, files: stdout.split('\n').filter(line => line !== '') }, `${name} written`)
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ date, err: messageOf(error).slice(0, 500) }, `${name} not written`)
    } finally {
      this.#isAtWork = false
    }
  }
}
