import { readFrameBatches, type ReadOptions } from '../read-frames.js'

/** Subscriptions are written down anew at each start of an hour. */
const BEFORE_US = 25 * 3_600_000_000

interface SubscriptionEvent {
  event?: unknown
  conn?: unknown
  channels?: unknown
}

/** Which channels were recorded, by the journal, and on which connections. */
export class RecordedChannels {
  readonly #sources = new Map<string, Set<string>>()

  /** Reads the journal of a span, or all of it up to the span's end where the span says nothing. */
  static async read(path: string, fromUs: number, toUs: number): Promise<RecordedChannels> {
    const channels = new RecordedChannels()
    await channels.#read({ path, from: fromUs - BEFORE_US, to: toUs })
    if (channels.#sources.size === 0) await channels.#read({ path, to: toUs })
    return channels
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#sources.keys())
  }

  /** Whether a channel can be subscribed; without a journal nobody knows, and all can. */
  has(channel: string): boolean {
    return this.#sources.size === 0 || this.#sources.has(channel)
  }

  /** Whether a channel was taken on more than one connection, perhaps at the same time. */
  isTakenTwice(channel: string): boolean {
    return (this.#sources.get(channel)?.size ?? 0) > 1
  }

  async #read(options: ReadOptions): Promise<void> {
    const journal = { ...options, channels: ['journal'], onProblem: () => undefined }
    for await (const batch of readFrameBatches(journal)) {
      for (const frame of batch) {
        const { event, conn, channels } = frame.json() as SubscriptionEvent
        if ((event !== 'subscribed' && event !== 'subscriptions') || !Array.isArray(channels)) continue
        for (const channel of channels as unknown[]) {
          if (typeof channel !== 'string') continue
          const sources = this.#sources.get(channel) ?? new Set()
          this.#sources.set(channel, sources.add(`${frame.segment?.host ?? ''}/${String(conn)}`))
        }
      }
    }
  }
}
