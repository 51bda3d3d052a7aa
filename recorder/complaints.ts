import type { FactsOf } from '../formats/journal/events.js'
import type { Complaint } from '../exchanges/adapter.js'
import type { Logger } from '../platform/log.js'
import type { FrameRouter } from './frame-router.js'

interface Told {
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
 * Complaints in journal and log, each once: equal ones that follow are counted, and the count is told as `repeated` when
 * the time is over. Two complaints are equal when only their figures differ.
 */
export class Complaints {
  readonly #router: Pick<FrameRouter, 'journal'>
  readonly #log: Logger
  readonly #nowUs: () => number
  readonly #nowMs: () => number
  readonly #told = new Map<string, Told>()

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

  tell(complaint: Complaint): void {
    const { event, message, level = 'warn', hint, facts = {} } = complaint
    const key = `${event} ${message.replace(/\d+/g, '#')}`
    const told = this.#told.get(key)
    if (told) {
      told.count++
      told.toUs = this.#nowUs()
      if (told.count === 1) told.fromUs = told.toUs
      return
    }
    const [oldest] = this.#told.keys()
    if (this.#told.size >= KINDS_MAX && oldest !== undefined) this.#forget(oldest)
    this.#told.set(key, {
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

  /** Tells what was counted and is due; to be called about once a second. */
  tick(): void {
    const nowMs = this.#nowMs()
    for (const [key, told] of this.#told) {
      if (told.endsMs > nowMs) continue
      if (told.count === 0) {
        this.#told.delete(key)
        continue
      }
      this.#tellCount(told)
      told.count = 0
      told.windowMs = Math.min(WINDOW_MS_MAX, told.windowMs * 2)
      told.endsMs = nowMs + told.windowMs
    }
  }

  /** Tells all that was counted. */
  close(): void {
    for (const key of [...this.#told.keys()]) this.#forget(key)
  }

  #forget(key: string): void {
    const told = this.#told.get(key)
    this.#told.delete(key)
    if (told && told.count > 0) this.#tellCount(told)
  }

  #tellCount({ complaint, count, fromUs, toUs }: Told): void {
    const { event, message, level = 'warn', hint } = complaint
    this.#router.journal('repeated', { of: event, message, count, from_us: fromUs, to_us: toUs })
    this.#log[level]({ event, count, ...(hint !== undefined && { hint }) }, `repeated: ${message}`)
  }
}
