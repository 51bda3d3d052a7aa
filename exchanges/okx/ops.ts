import { setTimeout as delay } from 'node:timers/promises'
import { EdgeError } from '../../platform/edge-error.js'
import type { SessionLink } from '../adapter.js'
import { Credits } from '../credits.js'
import { channelOfArg, textOf, type Message } from './message.js'
import { argOf } from './names.js'

/** Requests of one connection: 480 an hour, of which room is left; few of them within a second. */
const HOURLY = { capacity: 240, perSecond: 240 / 3600 }
const BURST = { capacity: 3, perSecond: 3 }
/** Without any further word on a request for so long, what is open of it counts as unanswered. */
const QUIET_MS = 5000
/** The same after an error that does not say which of several channels it is about. */
const AFTER_ERROR_MS = 1500

/** Why a channel was not given. */
export interface Refusal {
  /** Undefined where there was no answer at all. */
  code: number | undefined
  message: string
}

/** What came of a request. */
export interface Outcome {
  accepted: string[]
  refused: Map<string, Refusal>
  /** Neither, and an error that may be about any of them. */
  doubtful: { channels: string[]; error: Refusal } | undefined
  /** Of these nothing was said. */
  unanswered: string[]
}

interface Pending {
  op: 'subscribe' | 'unsubscribe'
  open: Set<string>
  accepted: string[]
  refused: Map<string, Refusal>
  error: Refusal | undefined
  timer: NodeJS.Timeout | undefined
  settle: () => void
}

/**
 * Requests on one connection and what is said of them. There is an answer for each channel, in their order; an error says
 * in its text alone what it is about, and some answers never come: data do as well.
 */
export class Ops {
  readonly #link: SessionLink
  readonly #hourly = new Credits(HOURLY.capacity, HOURLY.perSecond)
  readonly #burst = new Credits(BURST.capacity, BURST.perSecond)
  readonly #pending = new Map<string, Pending>()
  readonly #quietMs: number
  #lastId = 0
  #closed = false

  constructor(link: SessionLink, quietMs = QUIET_MS) {
    this.#link = link
    this.#quietMs = quietMs
  }

  /** Whether any channel waits for its answer. */
  get isWaiting(): boolean {
    return this.#pending.size > 0
  }

  /** @throws EdgeError RPC_CLOSED the connection ended */
  async run(op: 'subscribe' | 'unsubscribe', channels: readonly string[]): Promise<Outcome> {
    const waitMs = Math.max(this.#hourly.take(1), this.#burst.take(1))
    if (waitMs > 0) await delay(waitMs, undefined, { ref: false })
    if (this.#closed) throw closed(op)
    const id = `e${++this.#lastId}`
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        op,
        open: new Set(channels),
        accepted: [],
        refused: new Map(),
        error: undefined,
        timer: undefined,
        settle: () => {
          clearTimeout(pending.timer)
          this.#pending.delete(id)
          if (this.#closed) reject(closed(op))
          else resolve(outcomeOf(pending))
        },
      }
      this.#pending.set(id, pending)
      this.#wait(pending)
      this.#link.send(JSON.stringify({ id, op, args: channels.map(argOf) }))
    })
  }

  /** Takes `{"event":"subscribe"|"unsubscribe","arg":…}`; the channel, where somebody waited for it. */
  acked(message: Message): string | undefined {
    const channel = channelOfArg(message['arg'])
    if (channel === undefined) return undefined
    for (const pending of this.#candidates(message, textOf(message['event'])))
      if (this.#accept(pending, channel)) return channel
    return undefined
  }

  /** A frame of a channel came: it is subscribed, whatever was said of it. */
  flows(channel: string): void {
    for (const pending of this.#pending.values()) if (pending.op === 'subscribe') this.#accept(pending, channel)
  }

  /** Takes an error; false where it is about none of the requests. */
  failed(message: Message): boolean {
    const refusal = { code: Number(textOf(message['code'])), message: textOf(message['msg']) }
    const [pending, ...others] = this.#candidates(message, undefined)
    if (!pending || others.length > 0) return false
    const channel = [...pending.open].find(open => isNamedIn(refusal.message, open))
    const only = pending.open.size === 1 ? [...pending.open][0] : undefined
    const about = channel ?? only
    if (about === undefined) {
      pending.error = refusal
      this.#wait(pending)
      return true
    }
    pending.open.delete(about)
    pending.refused.set(about, refusal)
    this.#moved(pending)
    return true
  }

  close(): void {
    this.#closed = true
    for (const { settle } of [...this.#pending.values()]) settle()
  }

  /** Requests that a message may be about: by its id, or all of them where it has none. */
  #candidates(message: Message, op: string | undefined): Pending[] {
    const id = message['id']
    const named = typeof id === 'string' ? this.#pending.get(id) : undefined
    if (named) return [named]
    return [...this.#pending.values()].filter(pending => op === undefined || pending.op === op)
  }

  #accept(pending: Pending, channel: string): boolean {
    if (!pending.open.delete(channel)) return false
    pending.accepted.push(channel)
    this.#moved(pending)
    return true
  }

  #moved(pending: Pending): void {
    if (pending.open.size === 0) pending.settle()
    else this.#wait(pending)
  }

  #wait(pending: Pending): void {
    clearTimeout(pending.timer)
    const waitMs = pending.error ? Math.min(this.#quietMs, AFTER_ERROR_MS) : this.#quietMs
    pending.timer = setTimeout(pending.settle, waitMs)
  }
}

function outcomeOf({ open, accepted, refused, error }: Pending): Outcome {
  const channels = [...open]
  const doubtful = error && channels.length > 0 ? { channels, error } : undefined
  return { accepted, refused, doubtful, unanswered: doubtful ? [] : channels }
}

/** `Wrong URL or channel:index-tickers, instId:NEAR-USDT-SWAP doesn't exist.`: the wording changes, the words do not. */
function isNamedIn(message: string, channel: string): boolean {
  const arg = argOf(channel)
  if (!arg) return false
  const { channel: name, instId, instFamily, instType } = arg
  const words = new Set(message.split(/[\s,:;'"]+/))
  return words.has(name) && words.has(instId ?? instFamily ?? instType ?? name)
}

const closed = (op: string) =>
  new EdgeError('RPC_CLOSED', `connection ended before ${op} was answered`, { retry: true })
