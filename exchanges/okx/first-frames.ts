import type { SessionLink } from '../adapter.js'

/** The exchange sends what it has when a channel is subscribed: after this it is taken for one that does not flow. */
const WITHIN_MS = 20_000
const LOOK_EVERY_MS = 5000
/** So often is a channel taken anew that was promised and did not flow. */
const TRIES_MAX = 2

interface Awaited {
  /** Infinity as long as it is only asked for. */
  sinceMs: number
  /** Undefined before it was ever promised. */
  promisedUs: number | undefined
  tries: number
}

export interface FirstFramesDeps {
  link: Pick<SessionLink, 'complain' | 'nowUs'>
  /** Whether a channel says something as soon as it is subscribed. */
  speaksUp: (channel: string) => boolean
  resubscribe: (channels: string[]) => Promise<void>
  /** They were promised since then, and never came: nobody is to count on them. */
  given: (channel: string, promisedUs: number) => void
  /** A frame of such a channel came after all. */
  flows: (channel: string) => void
}

/** Answers of the exchange prove nothing: channels that were promised and bring nothing are taken anew. */
export class FirstFrames {
  readonly #deps: FirstFramesDeps
  readonly #withinMs: number
  readonly #awaited = new Map<string, Awaited>()
  readonly #given = new Set<string>()
  readonly #timer: NodeJS.Timeout

  constructor(deps: FirstFramesDeps, withinMs = WITHIN_MS) {
    this.#deps = deps
    this.#withinMs = withinMs
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_EVERY_MS, withinMs)).unref()
  }

  /** They are about to be asked for: their first frames may come before all of the request is answered. */
  asked(channels: readonly string[]): void {
    for (const channel of channels) {
      const { tries, promisedUs } = this.#awaited.get(channel) ?? { tries: 0, promisedUs: undefined }
      if (this.#deps.speaksUp(channel)) this.#awaited.set(channel, { sinceMs: Infinity, promisedUs, tries })
    }
  }

  /** They were promised. */
  begun(channels: readonly string[]): void {
    for (const channel of channels) {
      const awaited = this.#awaited.get(channel)
      if (!awaited) continue
      awaited.sinceMs = performance.now()
      awaited.promisedUs ??= this.#deps.link.nowUs()
    }
  }

  /** To be called for each frame: most of the time nothing is awaited. */
  came(channel: string): void {
    if (this.#awaited.size > 0) this.#awaited.delete(channel)
    if (this.#given.size > 0 && this.#given.delete(channel)) this.#deps.flows(channel)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const nowMs = performance.now()
    const late = [...this.#awaited].filter(([, { sinceMs }]) => nowMs - sinceMs > this.#withinMs)
    for (const [channel, { tries, promisedUs = this.#deps.link.nowUs() }] of late) {
      if (tries < TRIES_MAX) {
        this.#awaited.set(channel, { sinceMs: nowMs, promisedUs, tries: tries + 1 })
        continue
      }
      this.#awaited.delete(channel)
      this.#given.add(channel)
      this.#deps.given(channel, promisedUs)
    }
    const again = late.filter(([, { tries }]) => tries < TRIES_MAX).map(([channel]) => channel)
    if (again.length === 0) return
    this.#deps.link.complain({
      event: 'error',
      message: `the exchange promised ${again.length} channels and sends nothing of them; they are resubscribed`,
      facts: { channels: again.slice(0, 20) },
    })
    this.#deps.resubscribe(again).catch(() => {
      // The connection ended meanwhile, or they are asked for again by themselves.
    })
  }
}
