import { setTimeout as delay } from 'node:timers/promises'
import { parsedJson } from '../../platform/json-object.js'
import { z } from '../../platform/zod.js'
import { httpBody, httpFailed } from '../http-body.js'
import { RefusedError, type CreditPools } from './rpc.js'

/** One call over HTTP. `id` says what it answers: the answer echoes it, and has no other identity. */
export interface HttpCall {
  id: string
  method: string
  params: Record<string, unknown>
}

/** Records an answer as it came, under a family. */
export type Take = (family: string, answer: Buffer) => void

const ORDINARY_COST = 500
const INSTRUMENTS_COST = 10_000

const answerSchema = z.object({
  result: z.unknown().optional(),
  error: z.object({ code: z.number(), message: z.string() }).nullish(),
})

/** JSON-RPC over HTTP POST, one call at a time as far as the caller asks so, paced by the exchange's credits. */
export class HttpRpc {
  readonly #url: URL
  readonly #credits: CreditPools

  /** @param webSocketUrl same host, same version */
  constructor(webSocketUrl: string, credits: CreditPools) {
    this.#url = new URL(webSocketUrl)
    this.#url.protocol = this.#url.protocol === 'wss:' ? 'https:' : 'http:'
    this.#credits = credits
  }

  /**
   * Calls a method and gives its answer, which was handed to `take` before: as `family`, a refusal as `rpc`.
   * @throws EdgeError HTTP_CALL_FAILED with `retry`: no answer, or one that is none; RPC_REFUSED the exchange said no
   */
  async call(family: string, { id, method, params }: HttpCall, take: Take, signal: AbortSignal): Promise<unknown> {
    const isInstruments = method === 'public/get_instruments'
    const waitMs = isInstruments
      ? this.#credits.instruments.take(INSTRUMENTS_COST)
      : this.#credits.ordinary.take(ORDINARY_COST)
    if (waitMs > 0) await delay(waitMs, undefined, { signal, ref: false })
    const url = new URL(this.#url)
    url.pathname = `/api/v2/${method}`
    url.search = ''
    const bytes = await httpBody({ url, body: JSON.stringify({ jsonrpc: '2.0', id, method, params }) }, signal)
    const answer = answerSchema.safeParse(parsedJson(bytes)).data
    take(!answer?.error && answer?.result !== undefined ? family : 'rpc', bytes)
    if (answer?.error) throw new RefusedError(`${method} (${id})`, answer.error)
    if (answer?.result === undefined) throw httpFailed(url, 'the answer has no result')
    return answer.result
  }
}
