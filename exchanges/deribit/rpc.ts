import { setTimeout as delay } from 'node:timers/promises'
import { EdgeError } from '../../platform/edge-error.js'
import { isJsonObject } from '../../platform/json-object.js'
import type { SessionLink } from '../adapter.js'
import { Credits } from '../credits.js'
import { hintOf, meaningOf } from './refusal-codes.js'

const ANSWER_TIMEOUT_MS = 20_000

/** What the exchange takes from which pool; documented limits, used up to four fifths so that clocks need not agree. */
const SUBSCRIBE_COST = 3000
const ORDINARY_COST = 500

interface Pending {
  method: string
  sentUs: number
  resolve: (result: unknown) => void
  reject: (error: EdgeError) => void
  timer: NodeJS.Timeout
}

/** An answer as it stands in a frame. */
export interface Answer {
  id: number
  result?: unknown
  /** Null as much as none. */
  error?: unknown
  /** When the exchange took the question and gave the answer, µs since the epoch by its clock. */
  usIn?: unknown
  usOut?: unknown
}

/** The pools of one connection; not logged in they are counted per address, so all connections of a process share one. */
export interface CreditPools {
  subscribe: Credits
  ordinary: Credits
  /** `get_instruments`, which is metered apart. */
  instruments: Credits
}

export function createCreditPools(): CreditPools {
  return {
    subscribe: new Credits(24_000, 8000),
    ordinary: new Credits(40_000, 8000),
    instruments: new Credits(400_000, 8000),
  }
}

/** JSON-RPC over one connection: numbered calls, paced by the exchange's credits, each answered, refused or timed out. */
export class Rpc {
  readonly #link: SessionLink
  readonly #credits: CreditPools
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #closed = false

  constructor(link: SessionLink, credits: CreditPools) {
    this.#link = link
    this.#credits = credits
  }

  /**
   * Calls a method and gives its `result`.
   * @param secret keys of `params` that must not be recorded
   * @throws EdgeError RPC_REFUSED the exchange answered with an error; RPC_TIMEOUT; RPC_CLOSED the connection ended
   */
  async call(method: string, params: Record<string, unknown>, secret: string[] = []): Promise<unknown> {
    const isSubscribe = method.endsWith('/subscribe') || method.endsWith('/unsubscribe')
    const waitMs = isSubscribe
      ? this.#credits.subscribe.take(SUBSCRIBE_COST)
      : this.#credits.ordinary.take(ORDINARY_COST)
    if (waitMs > 0) await delay(waitMs, undefined, { ref: false })
    if (this.#closed) throw new EdgeError('RPC_CLOSED', `connection ended before ${method} was sent`, { retry: true })
    const id = ++this.#lastId
    const request = { jsonrpc: '2.0', id, method, params }
    const hidden = Object.fromEntries(secret.map(key => [key, '[secret]']))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(
          new EdgeError('RPC_TIMEOUT', `no answer to ${method} within ${ANSWER_TIMEOUT_MS / 1000} s`, { retry: true }),
        )
      }, ANSWER_TIMEOUT_MS)
      this.#pending.set(id, { method, sentUs: this.#link.nowUs(), resolve, reject, timer })
      this.#link.send(JSON.stringify(request), JSON.stringify({ ...request, params: { ...params, ...hidden } }))
    })
  }

  /** Gives an answer to whoever waits for it; one that nobody waits for is left alone. */
  settle(answer: Answer, recvUs: number): void {
    const pending = this.#pending.get(answer.id)
    if (!pending) return
    this.#measure(answer, pending.sentUs, recvUs)
    this.#pending.delete(answer.id)
    clearTimeout(pending.timer)
    const { error = null } = answer
    if (error === null) pending.resolve(answer.result)
    else
      pending.reject(
        new RefusedError(pending.method, isRefusal(error) ? error : { code: NaN, message: JSON.stringify(error) }),
      )
  }

  #measure({ usIn, usOut }: Answer, sentUs: number, recvUs: number): void {
    if (typeof usIn !== 'number' || typeof usOut !== 'number' || !(usIn <= usOut) || recvUs < sentUs) return
    this.#link.measured(
      Math.round((usIn - sentUs + (usOut - recvUs)) / 2),
      Math.round(recvUs - sentUs - (usOut - usIn)),
    )
  }

  close(): void {
    this.#closed = true
    for (const { method, reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(new EdgeError('RPC_CLOSED', `connection ended before ${method} was answered`, { retry: true }))
    }
    this.#pending.clear()
  }
}

interface RefusalFacts {
  code: number
  message: string
}

/** Whether what stands in a frame is an error as the exchange documents it. */
export const isRefusal = (value: unknown): value is RefusalFacts =>
  isJsonObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'

/** The exchange's code of a refused call, e.g. 13778. */
export class RefusedError extends EdgeError {
  readonly refusal: number

  get means() {
    return meaningOf(this.refusal)
  }

  constructor(method: string, error: RefusalFacts) {
    const hint = hintOf(error.code)
    super('RPC_REFUSED', `${method} refused: ${error.code} ${error.message}`, hint === undefined ? {} : { hint })
    this.refusal = error.code
  }
}
