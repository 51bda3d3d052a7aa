import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import pRetry from 'p-retry'
import { fileOf, PROXY_LOGIN } from '../../config/secrets.js'
import { adapters } from '../../exchanges/registry.js'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import { version } from '../../platform/package-info.js'
import type { Limits } from './conditions.js'
import type { Alert } from './state.js'

const WEBHOOK_TIMEOUT_MS = 10_000
const WEBHOOK_RETRIES = 3
const COMMAND_TIMEOUT_MS = 30_000

/** What receivers get, as JSON. `text` is one line for a person; chat services show it as it is. */
export interface AlertMessage {
  text: string
  what: Alert['what']
  alert: string
  host: string
  since: string
  version: string
}

/** The logins of exchanges are nothing that a program which sends messages should know: what is undefined is not passed on. */
const WITHOUT_SECRETS = Object.fromEntries(
  [
    ...adapters.flatMap(({ settings: { login } }) => (login ? [login.id, login.secret, fileOf(login.secret)] : [])),
    ...[PROXY_LOGIN, fileOf(PROXY_LOGIN)],
  ].map(name => [name, undefined]),
)

const HEADS = { raised: 'ALERT', still: 'STILL', cleared: 'OK' } as const

/** Pure. */
export function messageOfAlert({ key, what, text, sinceMs }: Alert, host: string): AlertMessage {
  const line = `[${HEADS[what]}] edgetape ${host}: ${text}`
  return { text: line, what, alert: key, host, since: new Date(sinceMs).toISOString(), version }
}

/**
 * Hands a message to the command and to the webhook, as far as they are configured.
 * @throws EdgeError ALERT_NOT_DELIVERED one of them failed; its address is not told, for it may be a secret
 */
export async function deliver(message: AlertMessage, limits: Limits, signal: AbortSignal): Promise<void> {
  const url = webhookOf(limits)
  const results = await Promise.allSettled([
    ...(url === undefined ? [] : [callWebhook(url, message, signal)]),
    ...(limits.command === undefined ? [] : [runCommand(limits.command, message, signal)]),
  ])
  const failure = results.find(result => result.status === 'rejected')
  if (failure) throw failure.reason
}

/** The address, from the config or from its file. */
function webhookOf({ webhook, webhookFile }: Limits): string | undefined {
  return webhookFile === undefined ? webhook : readFileSync(webhookFile, 'utf8').trim()
}

async function callWebhook(url: string, message: AlertMessage, signal: AbortSignal): Promise<void> {
  const call = async () => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      signal: AbortSignal.any([signal, AbortSignal.timeout(WEBHOOK_TIMEOUT_MS)]),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new EdgeError('ALERT_NOT_DELIVERED', `the webhook answered ${answer.status}`, { retry: true })
  }
  try {
    await pRetry(call, { retries: WEBHOOK_RETRIES, minTimeout: 500, signal })
  } catch (error) {
    if (error instanceof EdgeError) throw error
    // The error of fetch may spell the address.
    const why = error instanceof Error && error.name === 'TimeoutError' ? 'did not answer in time' : 'cannot be reached'
    throw new EdgeError('ALERT_NOT_DELIVERED', `the webhook ${why}`, { retry: true })
  }
}

async function runCommand([file = '', ...args]: readonly string[], message: AlertMessage, signal: AbortSignal) {
  try {
    await execa(file, args, {
      input: JSON.stringify(message),
      timeout: COMMAND_TIMEOUT_MS,
      cancelSignal: signal,
      env: {
        ...WITHOUT_SECRETS,
        ...{ EDGETAPE_ALERT: message.alert, EDGETAPE_ALERT_WHAT: message.what, EDGETAPE_ALERT_TEXT: message.text },
      },
      stdout: 'ignore',
    })
  } catch (error) {
    throw new EdgeError('ALERT_NOT_DELIVERED', `the command of alerts failed: ${messageOf(error)}`, { retry: true })
  }
}
