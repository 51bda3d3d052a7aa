import type { IncomingMessage } from 'node:http'
import type { Patience } from '../../platform/backoff.js'

/** Why a socket ended, in words for the journal, and what follows from it. */
export interface SocketEnd {
  cause: string
  /** What the person at the keyboard may look at. */
  hint?: string
  patience: Patience
  /** The exchange asked us to stay away for so long, ms. */
  retryAfterMs?: number
}

/** The longest stay-away that an answer can order. */
const RETRY_AFTER_MAX_MS = 600_000

const ERROR_HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL)$/, 'the name cannot be resolved: check exchange.url, and DNS on this machine'],
  [/^ECONNREFUSED$/, 'nobody listens there: check exchange.url; or the exchange is down'],
  [/^(ENETUNREACH|EHOSTUNREACH|ENETDOWN)$/, 'no way there: check the network of this machine'],
  [/^(CERT_NOT_YET_VALID|CERT_HAS_EXPIRED)$/, 'if the clock of this machine is right, the certificate is not'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/,
    'the certificate is not trusted: something stands between us and the exchange, or NODE_EXTRA_CA_CERTS is missing',
  ],
  [/^(EPROTO|ERR_SSL_)/, 'no TLS is spoken there: wss:// needs a port with TLS'],
  [/^WS_ERR_UNSUPPORTED_MESSAGE_LENGTH$/, 'a frame is larger than any that the exchange is known to send'],
]

/** For an error of the socket or of what lies below it. */
export function endOfError(error: Error): SocketEnd {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const hint = ERROR_HINTS.find(([pattern]) => pattern.test(code))?.[1]
  // An error over several addresses has an empty message of its own.
  const message = error.message || code || error.name
  const cause = message.includes(code) ? message : `${message} (${code})`
  return { cause, ...(hint !== undefined && { hint }), patience: 'usual' }
}

/** For an answer that is no WebSocket. */
export function endOfResponse({ statusCode = 0, headers }: Pick<IncomingMessage, 'statusCode' | 'headers'>): SocketEnd {
  const cause = `answered with HTTP ${statusCode} in place of a WebSocket`
  const seconds = Number(headers['retry-after'])
  const retryAfterMs = seconds > 0 ? Math.min(RETRY_AFTER_MAX_MS, seconds * 1000) : undefined
  const waiting = retryAfterMs === undefined ? {} : { retryAfterMs }
  switch (statusCode) {
    case 429:
      return {
        cause,
        hint: 'too many connections from this address, the exchange allows 32: lower exchange.connectionsMax, or end others',
        patience: 'limited',
        ...waiting,
      }
    case 502:
    case 503:
    case 504:
      return { cause, hint: 'the exchange is in maintenance or overloaded', patience: 'usual', ...waiting }
    case 407:
      return {
        cause: 'the proxy asks for a login (HTTP 407)',
        hint: 'HTTPS_PROXY=http://user:password@host:port, or EDGETAPE_PROXY_LOGIN for proxy.url',
        patience: 'usual',
      }
    case 403:
      return { cause, hint: 'this address is not let in', patience: 'limited', ...waiting }
    default:
      return { cause, hint: 'check exchange.url', patience: 'usual', ...waiting }
  }
}

const CLOSE_HINTS: Readonly<Record<number, string>> = {
  1001: 'the exchange goes away, as in a release',
  1006: 'cut without a word: the network, a restart of the exchange, or a socket idle for too long',
  1009: 'a frame is larger than any that the exchange is known to send',
  1012: 'the exchange restarts',
  1013: 'the exchange is overloaded',
  4000: 'our answer to a heartbeat was not there in time: is this machine or its network overloaded?',
}

/** For a socket that the far end closed. */
export function endOfClose(code: number, reason: string): SocketEnd {
  const words = reason === '' ? '' : ` ${reason}`
  const cause = code === 1006 ? 'cut by the far end (1006)' : `closed by the exchange: ${code}${words}`
  if (/too_many|too many|(?<![a-z])rate(?![a-z])/i.test(reason))
    return { cause, hint: 'the exchange limits us: fewer channels or connections', patience: 'limited' }
  if (reason.includes('too_slow'))
    return { cause, hint: 'we read too slowly: is this machine or its disk overloaded?', patience: 'usual' }
  const hint = CLOSE_HINTS[code]
  return { cause, ...(hint !== undefined && { hint }), patience: 'usual' }
}
