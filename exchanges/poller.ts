import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { reconnectDelayMs } from '../platform/backoff.js'
import type { PollRecord } from './adapter.js'
import { dueMs, spansFor, type AskedSpan, type Poll } from './polls.js'

/** How often is looked for polls that are due. */
const LOOK_EVERY_MS = 2000
/** As long as this is waited for what earlier runs kept; without it all is asked for once more. */
const LOAD_WITHIN_MS = 5000
/** The exchange answers nobody at present, or asks for less. */
const AFTER_PASSING_MS = 30_000

/** What a failed question says: the exchange does not answer this one, or answers nobody at present, or asks for patience; undefined: it may be tried again. */
export type PollRefusal = 'refused' | 'too many' | undefined

export interface PollerDeps<Asked extends Poll> {
  /** Asks once, and records the answer. */
  ask: (poll: Asked, span: AskedSpan, signal: AbortSignal) => Promise<unknown>
  refusalIn: (error: unknown) => PollRefusal
  progress: PollRecord
  log: Logger
  /** What is to be polled now. */
  plan: () => Asked[]
  callsPerSecond: number
  nowMs?: () => number
}

/** Asks for what only methods give, one call after the other, slowly enough for every limit of the exchange. */
export class Poller<Asked extends Poll> {
  readonly #deps: PollerDeps<Asked>
  readonly #nowMs: () => number
  /** Polls that the exchange refused, and when they are tried again. */
  readonly #refusedUntilMs = new Map<string, number>()
  #failures = 0

  constructor(deps: PollerDeps<Asked>) {
    this.#deps = deps
    this.#nowMs = deps.nowMs ?? Date.now
  }

  /** Polls until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const stopping = () => signal.aborted
    await Promise.race([this.#kept('load'), pause(LOAD_WITHIN_MS, signal)])
    while (!stopping()) {
      const due = this.#due()
      for (const poll of due) {
        if (stopping()) break
        const waitMs = await this.#poll(poll, signal)
        if (waitMs === 0) continue
        await pause(waitMs, signal)
        break
      }
      void this.#kept('save')
      if (due.length === 0) await pause(LOOK_EVERY_MS, signal)
    }
  }

  /** Polls that are due, those never answered last: what is current must not wait for a long past. */
  #due(): Asked[] {
    const { plan, progress } = this.#deps
    const nowMs = this.#nowMs()
    const polls = plan()
    if (polls.length > 0) progress.keepOnly(new Set(polls.map(({ id }) => id)))
    return polls
      .filter(poll => {
        const answeredMs = progress.answeredMs(poll.id)
        // An answer from the future was noted before the clock was set back.
        const isDue = answeredMs === undefined || answeredMs > nowMs + poll.everyMs || dueMs(poll, answeredMs) <= nowMs
        return isDue && (this.#refusedUntilMs.get(poll.id) ?? 0) <= nowMs
      })
      .sort(
        (one, other) =>
          Number(progress.answeredMs(one.id) === undefined) - Number(progress.answeredMs(other.id) === undefined),
      )
  }

  /** Brings one poll up to date. Returns how long to wait before any other, ms. */
  async #poll(poll: Asked, signal: AbortSignal): Promise<number> {
    const { ask, refusalIn, progress, log, callsPerSecond } = this.#deps
    const { id } = poll
    try {
      for (const span of spansFor(poll, progress.answeredMs(id), this.#nowMs())) {
        await ask(poll, span, signal)
        progress.note(id, span.toMs)
        this.#failures = 0
        await pause(1000 / callsPerSecond, signal)
        if (signal.aborted) return 0
      }
      return 0
    } catch (error) {
      if (signal.aborted) return 0
      const refusal = refusalIn(error)
      if (refusal === 'refused') {
        // The next period asks again; an instrument may have expired meanwhile.
        this.#refusedUntilMs.set(id, dueMs(poll, this.#nowMs()))
        log.warn({ poll: id }, messageOf(error))
        return 1000 / callsPerSecond
      }
      this.#failures++
      const waitMs = refusal === 'too many' ? AFTER_PASSING_MS : reconnectDelayMs(this.#failures, Math.random())
      log[this.#failures === 1 ? 'warn' : 'debug']({ poll: id, err: messageOf(error) }, 'not answered, trying again')
      return Math.max(waitMs, 1000)
    }
  }

  /** Without it all is asked for again after a restart, which is no reason to stop. */
  async #kept(what: 'load' | 'save'): Promise<void> {
    try {
      await this.#deps.progress[what]()
    } catch (error) {
      this.#deps.log.debug({ err: messageOf(error) }, `progress of polls: cannot ${what} it`)
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
}
