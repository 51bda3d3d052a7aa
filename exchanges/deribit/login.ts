import { createHmac, randomBytes } from 'node:crypto'
import { z } from '../../platform/zod.js'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Credentials, SessionLink } from '../adapter.js'
import { RefusedError, type Rpc } from './rpc.js'

/** Part of a token's life after which it is renewed. */
const REFRESH_AT = 0.8
/** Longest wait of a timer, ms. */
const TIMER_MAX_MS = 2 ** 31 - 1
const tokenSchema = z.object({ refresh_token: z.string(), expires_in: z.number().positive() })

/** How a login is proved: with the secret itself, or with a signature made of it. */
export type LoginMethod = 'credentials' | 'signature'

/** The parameters of a login by signature; source: api documentation, "authentication". */
export function signedGrant({ clientId, clientSecret }: Credentials, nowMs: number, nonce: string): object {
  const timestamp = Math.floor(nowMs)
  const signature = createHmac('sha256', clientSecret).update(`${timestamp}\n${nonce}\n`).digest('hex')
  return { grant_type: 'client_signature', client_id: clientId, timestamp, nonce, data: '', signature }
}

/** The login of one connection, renewed before it ends. */
export class Login {
  readonly #rpc: Rpc
  readonly #link: SessionLink
  readonly #log: Logger
  readonly #credentials: Credentials
  readonly #method: LoginMethod
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(deps: { rpc: Rpc; link: SessionLink; log: Logger; credentials: Credentials; method: LoginMethod }) {
    this.#rpc = deps.rpc
    this.#link = deps.link
    this.#log = deps.log
    this.#credentials = deps.credentials
    this.#method = deps.method
  }

  /**
   * Logs in. Refused credentials end in the journal and in the log, not here: what needs no login is recorded still.
   * @throws EdgeError RPC_TIMEOUT, RPC_CLOSED; RPC_REFUSED for now, e.g. in a maintenance
   */
  async start(): Promise<void> {
    try {
      this.#scheduleRenewal(await this.#logIn())
    } catch (error) {
      // Anything else passes, or is not of the login.
      if (!(error instanceof RefusedError) || !(error.means === 'login' || error.means === 'params')) throw error
      this.#link.journal('login_refused', { code: error.refusal, message: error.message })
      this.#log.error(
        {
          conn: this.#link.conn,
          hint: 'check DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET, and that the key is of this system',
        },
        `not logged in: ${error.message}`,
      )
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #logIn(): Promise<unknown> {
    if (this.#method === 'signature') {
      const grant = signedGrant(this.#credentials, Date.now(), randomBytes(12).toString('hex'))
      return this.#rpc.call('public/auth', { ...grant }, ['signature'])
    }
    const { clientId, clientSecret } = this.#credentials
    const grant = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
    return this.#rpc.call('public/auth', grant, ['client_secret'])
  }

  #scheduleRenewal(answer: unknown): void {
    const token = tokenSchema.safeParse(answer)
    if (!token.success)
      throw new EdgeError('LOGIN_ANSWER', 'the answer to the login has no refresh_token and expires_in')
    if (this.#closed) return
    const { refresh_token, expires_in } = token.data
    const waitMs = Math.min(expires_in * 1000 * REFRESH_AT, TIMER_MAX_MS)
    this.#timer = setTimeout(() => {
      this.#renew(refresh_token).catch((error: unknown) =>
        this.#link.fail(`login could not be renewed: ${messageOf(error)}`),
      )
    }, waitMs)
  }

  /** A refresh token that is not taken any more is no reason to end the connection: a login is. */
  async #renew(refresh_token: string): Promise<void> {
    const grant = { grant_type: 'refresh_token', refresh_token }
    const renewed = await this.#rpc.call('public/auth', grant, ['refresh_token']).catch((error: unknown) => {
      if (error instanceof RefusedError) return this.#logIn()
      throw error
    })
    this.#scheduleRenewal(renewed)
  }
}
