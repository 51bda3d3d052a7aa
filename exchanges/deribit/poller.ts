import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import { reconnectDelayMs } from '../../platform/backoff.js'
import type { PollRecord } from '../adapter.js'
import type { HttpRpc, Take } from './http-rpc.js'
import { callsFor, dueMs, type Poll } from './polls.js'
import { RefusedError, TOO_MANY_REQUESTS } from './rpc.js'

/** How often is looked for polls that are due. */
const LOOK_EVERY_MS = 2000
/** As long as this is waited for what earlier runs kept; without it all is asked for once more. */
const LOAD_WITHIN_MS = 5000
/** The exchange's word for too many requests. */
const AFTER_TOO_MANY_MS = 30_000

export interface PollerDeps {
  rpc: HttpRpc
  take: Take
  progress: PollRecord
  log: Logger
  /** What is to be polled now. */
  plan: () => Poll[]
  callsPerSecond: number
  nowMs?: () => number
}

/** Asks for what only methods give, one call after the other, slowly enough for every limit of the exchange. */
export class Poller {
  readonly #deps: PollerDeps
  readonly #nowMs: () => number
  /** Polls that the exchange refused, and when they are tried again. */
  readonly #refusedUntilMs = new Map<string, number>()
  #failures = 0

  constructor(deps: PollerDeps) {
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
  #due(): Poll[] {
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
  async #poll(poll: Poll, signal: AbortSignal): Promise<number> {
    const { rpc, take, progress, log, callsPerSecond } = this.#deps
    const { id, family, method } = poll
    try {
      for (const { params, toMs } of callsFor(poll, progress.answeredMs(id), this.#nowMs())) {
        await rpc.call(family, { id, method, params }, take, signal)
        progress.note(id, toMs)
        this.#failures = 0
        await pause(1000 / callsPerSecond, signal)
        if (signal.aborted) return 0
      }
      return 0
    } catch (error) {
      if (signal.aborted) return 0
      if (error instanceof RefusedError && error.refusal !== TOO_MANY_REQUESTS) {
        // The next period asks again; an instrument may have expired meanwhile.
        this.#refusedUntilMs.set(id, dueMs(poll, this.#nowMs()))
        log.warn({ poll: id, code: error.refusal }, error.message)
        return 1000 / callsPerSecond
      }
      this.#failures++
      const waitMs = error instanceof RefusedError ? AFTER_TOO_MANY_MS : reconnectDelayMs(this.#failures, Math.random())
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
