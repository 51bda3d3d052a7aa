import { readFileSync } from 'node:fs'
import type { Credentials } from '../exchanges/adapter.js'
import type { Exchange } from '../exchanges/exchange.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import type { ProxySettings } from '../platform/proxy.js'
import { expandHome } from './paths.js'
import type { Config } from './schema.js'

/** The variable that names a file with a secret, in place of the one with the secret itself. */
export const fileOf = (secret: string) => `${secret}_FILE`

/**
 * The login of an exchange from the variables that it names, the secret itself or from a file; undefined where none are set,
 * or nobody logs in. They are never in the config file, and nothing that is logged or recorded carries them.
 * @throws EdgeError CREDENTIALS_INCOMPLETE only one of the two is set; CREDENTIALS_UNREADABLE the file cannot be read
 */
export function credentialsFrom(
  exchange: Pick<Exchange, 'settings'>,
  environment: NodeJS.ProcessEnv,
): Credentials | undefined {
  const { login } = exchange.settings
  if (!login) return undefined
  const clientId = environment[login.id] ?? ''
  const clientSecret = secretFrom(login.secret, environment)
  if (clientId === '' && clientSecret === '') return undefined
  if (clientId === '' || clientSecret === '') {
    const missing = clientId === '' ? login.id : login.secret
    throw new EdgeError('CREDENTIALS_INCOMPLETE', `${missing} is not set, the other one of the two is`, {
      hint: 'set both, or none',
    })
  }
  return { clientId, clientSecret }
}

/** `user:password` for the proxy of the config. */
export const PROXY_LOGIN = 'EDGETAPE_PROXY_LOGIN'

/**
 * The proxy of the config with its login, from the environment or from a file; undefined where the config names none.
 * @throws EdgeError CREDENTIALS_UNREADABLE
 */
export function proxyFrom(proxy: Config['proxy'], environment: NodeJS.ProcessEnv): ProxySettings | undefined {
  if (proxy.url === undefined) return undefined
  const login = secretFrom(PROXY_LOGIN, environment)
  return { url: proxy.url, except: proxy.except, ...(login !== '' && { login }) }
}

function secretFrom(name: string, environment: NodeJS.ProcessEnv): string {
  const secret = environment[name] ?? ''
  const path = environment[fileOf(name)] ?? ''
  if (secret !== '' || path === '') return secret
  try {
    return readFileSync(expandHome(path), 'utf8').trim()
  } catch (cause) {
    throw new EdgeError('CREDENTIALS_UNREADABLE', `cannot read ${fileOf(name)}: ${messageOf(cause)}`, { path, cause })
  }
}
