import { setTimeout as delay } from 'node:timers/promises'
import { parsedJson } from '../../platform/json-object.js'
import { z } from '../../platform/zod.js'
import { EdgeError } from '../../platform/edge-error.js'
import { Credits } from '../credits.js'
import { httpBody, httpFailed } from '../http-body.js'

/** The exchange's word for too many requests to one method. */
const RATE_LIMIT = 10006
/** It passes by itself: a time-out, a restart, a limit. */
const PASSING = new Set([10000, 10016, RATE_LIMIT])
/** Calls at once before the pace counts. */
const BURST = 5
/** Said with status 403: after that nothing is answered for 10 minutes. */
const BANNED = /\bHTTP (?:403|429)\b/
const BANNED_MS = 600_000

const answerSchema = z.object({ retCode: z.number(), retMsg: z.string().optional(), result: z.unknown().optional() })

/** The exchange answered, and said no. */
export class RefusedError extends EdgeError {
  constructor(
    path: string,
    readonly retCode: number,
    message: string,
  ) {
    super('CALL_REFUSED', `${path}: ${retCode} ${message}`, { retry: PASSING.has(retCode) })
  }

  /** It says nothing of what was asked, and passes. */
  get isPassing(): boolean {
    return PASSING.has(this.retCode)
  }
}

/** Where methods are, by where the public WebSockets are. */
export function httpUrlOf(url: string, httpUrl: string | undefined): string {
  if (httpUrl !== undefined) return httpUrl
  const { protocol, host } = new URL(url)
  const scheme = protocol === 'wss:' ? 'https:' : 'http:'
  return `${scheme}//${host.replace(/^stream(-testnet|-demo)?\./, (_all, system: string | undefined) => `api${system === '-testnet' ? system : ''}.`)}`
}

/** What is asked over HTTP, by GET, no faster than configured; what is said of limits is kept. */
export class BybitHttp {
  readonly #base: string
  readonly #pace: Credits
  #silentUntilMs = 0

  constructor(base: string, callsPerSecond: number) {
    this.#base = base
    this.#pace = new Credits(BURST, callsPerSecond)
  }

  /**
   * The answer as it came, and its `result`.
   * @throws EdgeError HTTP_CALL_FAILED with `retry`: no answer, or one that is none; CALL_REFUSED the exchange said no
   */
  async get(
    path: string,
    params: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<{ bytes: Buffer; result: unknown }> {
    const url = new URL(path, this.#base)
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, String(value))
    const bannedMs = this.#silentUntilMs - performance.now()
    const waitMs = Math.max(this.#pace.take(1), bannedMs)
    if (waitMs > 0) await delay(waitMs, undefined, { signal, ref: false })
    const bytes = await this.#ask(url, signal)
    const answer = answerSchema.safeParse(parsedJson(bytes)).data
    if (answer === undefined) throw httpFailed(url, 'the answer has no retCode')
    if (answer.retCode !== 0) throw new RefusedError(path, answer.retCode, answer.retMsg ?? '')
    return { bytes, result: answer.result }
  }

  async #ask(url: URL, signal: AbortSignal): Promise<Buffer> {
    try {
      return await httpBody({ url }, signal)
    } catch (error) {
      if (error instanceof EdgeError && BANNED.test(error.message)) this.#silentUntilMs = performance.now() + BANNED_MS
      throw error
    }
  }
}
