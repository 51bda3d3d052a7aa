import type { FactsOf } from '../formats/journal/events.js'
import type { Complaint } from '../exchanges/adapter.js'
import type { Logger } from '../platform/log.js'
import type { FrameRouter } from './frame-router.js'

interface Reported {
  complaint: Complaint
  count: number
  fromUs: number
  toUs: number
  windowMs: number
  endsMs: number
}

/** Equal complaints within this time are only counted; it doubles as long as they go on. */
const WINDOW_MS = 60_000
const WINDOW_MS_MAX = 3_600_000
const KINDS_MAX = 500

/**
 * Complaints in journal and log, each once: equal ones that follow are counted, and the count is journalled as `repeated` when
 * the time is over. Two complaints are equal when only their figures differ.
 */
export class Complaints {
  readonly #router: Pick<FrameRouter, 'journal'>
  readonly #log: Logger
  readonly #nowUs: () => number
  readonly #nowMs: () => number
  readonly #reported = new Map<string, Reported>()

  /** @param nowMs monotonic */
  constructor(
    router: Pick<FrameRouter, 'journal'>,
    log: Logger,
    nowUs: () => number,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#router = router
    this.#log = log
    this.#nowUs = nowUs
    this.#nowMs = nowMs
  }

  report(complaint: Complaint): void {
    const { event, message, level = 'warn', hint, facts = {} } = complaint
    const key = `${event} ${message.replace(/\d+/g, '#')}`
    const reported = this.#reported.get(key)
    if (reported) {
      reported.count++
      reported.toUs = this.#nowUs()
      if (reported.count === 1) reported.fromUs = reported.toUs
      return
    }
    const [oldest] = this.#reported.keys()
    if (this.#reported.size >= KINDS_MAX && oldest !== undefined) this.#forget(oldest)
    this.#reported.set(key, {
      complaint,
      count: 0,
      fromUs: 0,
      toUs: 0,
      windowMs: WINDOW_MS,
      endsMs: this.#nowMs() + WINDOW_MS,
    })
    // Whoever complains gives the fields of its event.
    const said = { ...facts, message, ...(hint !== undefined && { hint }) } as FactsOf<typeof event>
    this.#router.journal(event, said)
    this.#log[level]({ ...facts, ...(hint !== undefined && { hint }) }, message)
  }

  /** Reports counts that are due; to be called about once a second. */
  tick(): void {
    const nowMs = this.#nowMs()
    for (const [key, reported] of this.#reported) {
      if (reported.endsMs > nowMs) continue
      if (reported.count === 0) {
        this.#reported.delete(key)
        continue
      }
      this.#reportCount(reported)
      reported.count = 0
      reported.windowMs = Math.min(WINDOW_MS_MAX, reported.windowMs * 2)
      reported.endsMs = nowMs + reported.windowMs
    }
  }

  /** Reports all counts. */
  close(): void {
    for (const key of [...this.#reported.keys()]) this.#forget(key)
  }

  #forget(key: string): void {
    const reported = this.#reported.get(key)
    this.#reported.delete(key)
    if (reported && reported.count > 0) this.#reportCount(reported)
  }

  #reportCount({ complaint, count, fromUs, toUs }: Reported): void {
    const { event, message, level = 'warn', hint } = complaint
    this.#router.journal('repeated', { of: event, message, count, from_us: fromUs, to_us: toUs })
    this.#log[level]({ event, count, ...(hint !== undefined && { hint }) }, `repeated: ${message}`)
  }
}
