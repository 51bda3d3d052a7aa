import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { JsonObject } from '../../../simulator/json.js'
import type { Credential } from '../../simulation.js'
import type { Params } from './params.js'
import { invalidParam, rpcError } from './rpc-error.js'

/** Seconds that a token lives. */
const EXPIRES_IN_S = 900
/** Refresh tokens remembered; the oldest stop working. */
const MAX_TOKENS = 1_000

/** Who may log in. With `acceptAnyone` (recorded frames) every login of the right form succeeds. */
export class Logins {
  /** Refresh token → client id. */
  private readonly tokens = new Map<string, string>()

  constructor(
    private readonly credentials: readonly Credential[],
    private readonly acceptAnyone: boolean,
  ) {}

  /**
   * public/auth.
   * @throws RpcError 13004 unknown client or wrong secret; -32602 a parameter is missing
   */
  authenticate(params: Params): { clientId: string; result: JsonObject } {
    const grants = ['client_credentials', 'client_signature', 'refresh_token'] as const
    const grant = params.oneOf('grant_type', grants)
    const clientId = this[grant](params)
    const scope = params.optionalText('scope') ?? 'connection'
    return { clientId, result: this.issue(clientId, scope, params.optionalText('state')) }
  }

  private client_credentials(params: Params): string {
    const clientId = params.text('client_id')
    const secret = params.text('client_secret')
    if (!this.acceptAnyone && !sameText(this.secretOf(clientId), secret)) throw rpcError(13004)
    return clientId
  }

  private client_signature(params: Params): string {
    const clientId = params.text('client_id')
    const parts = [String(params.integer('timestamp')), params.text('nonce'), params.optionalText('data') ?? '']
    const signature = params.text('signature')
    if (this.acceptAnyone) return clientId
    const wanted = createHmac('sha256', this.secretOf(clientId)).update(parts.join('\n')).digest('hex')
    if (!sameText(wanted, signature.toLowerCase())) throw rpcError(13004)
    return clientId
  }

  private refresh_token(params: Params): string {
    const token = params.text('refresh_token')
    const clientId = this.tokens.get(token)
    if (clientId === undefined) {
      if (this.acceptAnyone) return 'anyone'
      throw invalidParam('invalid_token', 'refresh_token')
    }
    this.tokens.delete(token)
    return clientId
  }

  private secretOf(clientId: string): string {
    const found = this.credentials.find(credential => credential.clientId === clientId)
    if (!found) throw rpcError(13004)
    return found.clientSecret
  }

  private issue(clientId: string, scope: string, state: string | undefined): JsonObject {
    const refreshToken = newToken()
    const [oldest] = this.tokens.keys()
    if (this.tokens.size >= MAX_TOKENS && oldest !== undefined) this.tokens.delete(oldest)
    this.tokens.set(refreshToken, clientId)
    return {
      token_type: 'bearer',
      ...(state !== undefined && { state }),
      scope: `${scope} mainaccount`,
      refresh_token: refreshToken,
      mandatory_tfa_status: 'enabled',
      expires_in: EXPIRES_IN_S,
      enabled_features: [],
      access_token: newToken(),
    }
  }
}

function newToken(): string {
  return `1.${randomBytes(24).toString('base64url')}`
}

function sameText(wanted: string, given: string): boolean {
  const [a, b] = [Buffer.from(wanted), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
