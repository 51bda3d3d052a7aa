import { parsedObject } from '../../platform/json-object.js'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgeError } from '../../platform/edge-error.js'
import { Credits } from '../credits.js'
import { httpBody, httpFailed } from '../http-body.js'
import type { OkxConfig } from './config.js'
import { rowsOf, textOf, type Message } from './message.js'

/** Records an answer as it came, under a family. */
export type Take = (family: string, answer: Buffer) => void

/** The instrument doesn't exist (any more), or has nothing to ask for. */
export const NOT_FOUND: ReadonlySet<number> = new Set([51000, 51001, 51015, 51037])

/** The exchange's code of a refused question. */
export class RefusedError extends EdgeError {
  readonly refusal: number

  constructor(path: string, code: string, message: string) {
    super('RPC_REFUSED', `${path} refused: ${code} ${message}`, { retry: true })
    this.refusal = Number(code)
  }
}

const LIVE_HOSTS = /^(ws|wsaws|wspap)\.okx\.com$/
const DEMO_HOST = /pap\.okx\.com$/
/** Calls in two seconds that every method takes, with room left: the tightest ones allow 20 for a kind. */
const CALLS = 16
const SECONDS = 2

/** Where methods are asked: beside the WebSocket, but for the live ones, which have a host of their own. */
export function httpOrigin({ url, httpUrl }: Pick<OkxConfig, 'url' | 'httpUrl'>): URL {
  if (httpUrl !== undefined) return new URL(httpUrl)
  const socket = new URL(url)
  if (LIVE_HOSTS.test(socket.hostname)) return new URL('https://www.okx.com')
  return new URL(`${socket.protocol === 'wss:' ? 'https:' : 'http:'}//${socket.host}`)
}

/** Public methods over HTTP, paced for the tightest of their limits. */
export class OkxHttp {
  readonly #origin: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #credits = new Credits(CALLS, CALLS / SECONDS)

  constructor(config: Pick<OkxConfig, 'url' | 'httpUrl'>) {
    this.#origin = httpOrigin(config)
    // This alone distinguishes the system for demo trading.
    this.#headers = DEMO_HOST.test(new URL(config.url).hostname) ? { 'x-simulated-trading': '1' } : {}
  }

  /**
   * Asks and gives the rows, after `take` was handed the answer: as `family`, a refusal as `control`.
   * @param familyOf the family of an answer by its rows
   * @throws EdgeError HTTP_CALL_FAILED with `retry`: no answer, or one that is none; RPC_REFUSED the exchange said no
   */
  async rows(
    path: string,
    query: Readonly<Record<string, string>>,
    take: Take,
    familyOf: (rows: Message[]) => string,
    signal: AbortSignal,
  ): Promise<Message[]> {
    const waitMs = this.#credits.take(1)
    if (waitMs > 0) await delay(waitMs, undefined, { signal, ref: false })
    const url = new URL(`/api/v5/${path}`, this.#origin)
    url.search = new URLSearchParams(query).toString()
    const bytes = await httpBody({ url, headers: this.#headers }, signal)
    const message = parsedObject(bytes)
    const code = textOf(message?.['code'])
    const isAnswer = code === '0' && Array.isArray(message?.['data'])
    const rows = isAnswer ? rowsOf(message) : []
    take(isAnswer ? familyOf(rows) : 'control', bytes)
    if (code !== '' && code !== '0') throw new RefusedError(path, code, textOf(message?.['msg']))
    if (!isAnswer) throw httpFailed(url, 'the answer has no data')
    return rows
  }
}
