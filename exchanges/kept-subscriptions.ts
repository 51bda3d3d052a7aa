import type { Logger } from '../platform/log.js'
import type { SessionLink } from './adapter.js'
import { Refusals } from './refusals.js'

/** After a request that failed as a whole the rest is asked for again this much later. */
const AFTER_FAILURE_MS = 5000
const TIMER_MAX_MS = 2 ** 31 - 1

/**
 * The bookkeeping of one connection's subscriptions: what is wanted against what is held, one piece of work after the
 * other, and what was refused again later. How an exchange is asked, and what its answers mean, is its own.
 */
export abstract class KeptSubscriptions {
  protected readonly held = new Set<string>()
  protected readonly refusals: Refusals
  protected isClosed = false
  readonly #link: Pick<SessionLink, 'conn' | 'journal' | 'subscribed'>
  readonly #log: Logger
  #working: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** Something failed since all was last asked for: the timer is for that, whatever goes well meanwhile. */
  #isBehind = false

  /** @param passing codes of refusals that pass by themselves */
  constructor(link: Pick<SessionLink, 'conn' | 'journal' | 'subscribed'>, log: Logger, passing: readonly number[]) {
    this.#link = link
    this.#log = log
    this.refusals = new Refusals(passing)
  }

  /** Channels that the exchange said it would send, or sends. */
  get channels(): ReadonlySet<string> {
    return this.held
  }

  /** What is to be subscribed on this connection, as far as it is offered there. */
  protected abstract offered(): ReadonlySet<string>
  /** Channels in parts that fit one request. */
  protected abstract chunks(channels: readonly string[]): string[][]
  protected abstract subscribe(channels: readonly string[], reason?: string): Promise<void>
  /** Asks to send these no more. Whatever is answered, they are not counted on any more; rejects where nothing was. */
  protected abstract askToEnd(channels: readonly string[]): Promise<unknown>

  /** Ends what is held of these. */
  protected async unsubscribe(channels: readonly string[], reason?: string): Promise<void> {
    const held = channels.filter(channel => this.held.has(channel))
    if (held.length === 0) return
    await this.askToEnd(held)
    this.drop(held, reason)
  }

  /** Asks for all of these, one request after the other. */
  protected async subscribeAll(chunks: readonly string[][]): Promise<void> {
    for (const chunk of chunks) await this.subscribe(chunk)
  }

  /** All was asked for, and what is wanted no more was ended. */
  protected updated(): void {}

  /** Subscribes what is missing, and ends what is wanted no more. Resolves when all of it was answered, or had its time. */
  update(): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = this.offered()
      this.refusals.keepOnly(channel => wanted.has(channel) && !this.held.has(channel))
      const missing = [...wanted].filter(channel => !this.held.has(channel) && this.refusals.allows(channel))
      await this.subscribeAll(this.chunks(missing))
      const still = this.offered()
      const surplus = [...this.held].filter(channel => !still.has(channel))
      for (const chunk of this.chunks(surplus)) await this.unsubscribe(chunk)
      this.updated()
      this.#isBehind = false
    })
  }

  /**
   * Ends these channels and takes them again: each book then starts with a fresh snapshot. All others flow on.
   * @param reason stands in the journal
   * @param ended called for channels when nothing of them comes any more, before they are taken again
   */
  resubscribe(
    channels: readonly string[],
    reason: string,
    ended: (channels: readonly string[]) => void = () => undefined,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = this.offered()
      for (const chunk of this.chunks(channels.filter(channel => wanted.has(channel)))) {
        await this.unsubscribe(chunk, reason)
        ended(chunk)
        await this.subscribe(chunk, reason)
      }
    })
  }

  /** These flow from now on. */
  protected take(channels: readonly string[], reason?: string): void {
    for (const channel of channels) this.held.add(channel)
    if (channels.length > 0) this.#link.subscribed(channels, reason === undefined ? {} : { reason })
  }

  /** These were ended. */
  protected drop(channels: readonly string[], reason?: string): void {
    for (const channel of channels) this.held.delete(channel)
    this.#link.journal('unsubscribed', { channels, ...(reason !== undefined && { reason }) })
  }

  /**
   * These were refused, and are asked for again in due time.
   * @param code as the exchange gave it; `pace`: that by which the time is chosen, where it gave none
   * @param sinceUs when they were promised that never came
   */
  protected reject(channels: readonly string[], message: string, code?: number, pace = code, sinceUs?: number): void {
    const waitMs = this.refusals.note(channels, pace)
    this.#link.journal('rejected', {
      channels,
      ...(code !== undefined && { code }),
      message,
      again_in_s: waitMs === Infinity ? null : Math.round(waitMs / 1000),
      ...(sinceUs !== undefined && { since_us: sinceUs }),
    })
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.#timer)
  }

  /** Each starts from what the one before achieved. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const run = this.#working.catch(() => undefined).then(work)
    this.#working = run
    run.then(
      () => {
        if (!this.#isBehind) this.#wakeIn(this.refusals.nextWaitMs)
      },
      () => {
        this.#isBehind = true
        this.#wakeIn(AFTER_FAILURE_MS)
      },
    )
    return run
  }

  #wakeIn(waitMs: number): void {
    clearTimeout(this.#timer)
    if (this.isClosed || waitMs === Infinity) return
    const again = () => {
      this.update().catch((error: unknown) =>
        this.#log.debug({ conn: this.#link.conn, err: error }, 'subscriptions not updated'),
      )
    }
    this.#timer = setTimeout(again, Math.min(waitMs, TIMER_MAX_MS))
  }
}
