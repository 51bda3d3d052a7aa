import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import pRetry from 'p-retry'
import type { Config } from '../../config/schema.js'
import { fileOf, PROXY_LOGIN } from '../../config/secrets.js'
import { adapters } from '../../exchanges/registry.js'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import type { AlertMessage } from './message.js'
import { services, type ServiceName } from './services.js'

const ANSWER_WITHIN_MS = 10_000
const TRIES_MORE = 3
const COMMAND_TIMEOUT_MS = 30_000

/** Somebody who gets alerts. */
export interface Receiver {
  /** Of its kind there is one. */
  name: string
  /** @throws EdgeError ALERT_NOT_DELIVERED; without its address, which may be a secret */
  send: (message: AlertMessage, signal: AbortSignal) => Promise<void>
}

type Settings = Config['alerts']

/** All that the config names. */
export function receiversOf(settings: Settings): Receiver[] {
  const { webhook, command } = settings
  const files: [ServiceName, string | undefined][] = [
    ['webhook', settings.webhookFile],
    ['slack', settings.slackFile],
    ['discord', settings.discordFile],
    ['telegram', settings.telegramFile],
    ['ntfy', settings.ntfyFile],
    ['pagerduty', settings.pagerdutyFile],
  ]
  return [
    ...(webhook === undefined || settings.webhookFile !== undefined ? [] : [posting('webhook', () => webhook)]),
    ...files.flatMap(([name, file]) => (file === undefined ? [] : [posting(name, () => addressIn(file))])),
    ...(command === undefined ? [] : [running(command)]),
  ]
}

/** True where somebody is to get alerts. */
export const hasReceiver = (settings: Settings) => receiversOf(settings).length > 0 || settings.pingFile !== undefined

function posting(name: ServiceName, address: () => string): Receiver {
  return {
    name,
    async send(message, signal) {
      const { url, body } = services[name](parsed(name, address()), message)
      await call(name, url, { method: 'POST', body: JSON.stringify(body) }, signal)
    },
  }
}

/** Reports to the watcher elsewhere that all is well. @throws EdgeError ALERT_NOT_DELIVERED */
export async function ping(file: string, signal: AbortSignal): Promise<void> {
  await call('ping', parsed('ping', addressIn(file)).href, { method: 'GET' }, signal)
}

function addressIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw notDelivered(`the file with its address cannot be read: ${messageOf(error)}`)
  }
}

function parsed(name: string, address: string): URL {
  if (URL.canParse(address)) return new URL(address)
  throw notDelivered(`what stands in the file of ${name} is no address`)
}

async function call(name: string, url: string, request: RequestInit, signal: AbortSignal): Promise<void> {
  const tryOnce = async () => {
    const answer = await fetch(url, {
      ...request,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw notDelivered(`${theOf(name)} answered ${answer.status}`)
  }
  try {
    await pRetry(tryOnce, { retries: TRIES_MORE, minTimeout: 500, signal })
  } catch (error) {
    if (error instanceof EdgeError) throw error
    // The error of fetch may spell the address.
    const why = error instanceof Error && error.name === 'TimeoutError' ? 'did not answer in time' : 'cannot be reached'
    throw notDelivered(`${theOf(name)} ${why}`)
  }
}

const theOf = (name: string) => (name === 'webhook' || name === 'ping' ? `the ${name}` : name)

const notDelivered = (message: string) =>
  new EdgeError('ALERT_NOT_DELIVERED', message, {
    retry: true,
    hint: 'it is retried automatically; edgetape alerts test tries it now',
  })

/** The logins of exchanges are nothing that a program which sends messages should know: what is undefined is not passed on. */
const WITHOUT_SECRETS = Object.fromEntries(
  [
    ...adapters.flatMap(({ settings: { login } }) => (login ? [login.id, login.secret, fileOf(login.secret)] : [])),
    ...[PROXY_LOGIN, fileOf(PROXY_LOGIN)],
  ].map(name => [name, undefined]),
)

function running([file = '', ...args]: readonly string[]): Receiver {
  return {
    name: 'command',
    async send(message, signal) {
      const { alert, what, text, run } = message
      try {
        await execa(file, args, {
          input: JSON.stringify(message),
          timeout: COMMAND_TIMEOUT_MS,
          cancelSignal: signal,
          env: {
            ...WITHOUT_SECRETS,
            ...{ EDGETAPE_ALERT: alert, EDGETAPE_ALERT_WHAT: what, EDGETAPE_ALERT_TEXT: text, EDGETAPE_ALERT_RUN: run },
          },
          stdout: 'ignore',
        })
      } catch (error) {
        throw notDelivered(`the command of alerts failed: ${messageOf(error)}`)
      }
    },
  }
}
