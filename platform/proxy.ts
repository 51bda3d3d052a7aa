import type { Agent } from 'node:http'
import type { Dispatcher } from 'undici'
import { EdgeError } from './edge-error.js'
import { shownUrl } from './shown-url.js'

/**
 * The way out through a proxy: all calls over HTTP and all WebSockets of this process go it, once it is opened. A proxy is
 * found as other programs find theirs: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in capitals or not.
 */

/** What is meant in place of the variables. */
export interface ProxySettings {
  readonly url: string
  /** Hosts that are reached without it, as in NO_PROXY. */
  readonly except: readonly string[]
  /** `user:password`, where it asks for one. */
  readonly login?: string | undefined
}

/** What the variables come to. */
export interface ProxyVariables {
  https: string | undefined
  http: string | undefined
  except: string
}

/** No proxy leads to this machine: a simulated exchange here is reached as ever. */
const OWN_MACHINE = ['localhost', '127.0.0.1', '[::1]', '::1']

/**
 * Pure. Undefined where no proxy is named.
 * @throws EdgeError PROXY_UNKNOWN it is no address of an HTTP proxy
 */
export function proxyVariables(
  settings: ProxySettings | undefined,
  environment: NodeJS.ProcessEnv,
): ProxyVariables | undefined {
  const variable = (name: string) => environment[name] || environment[name.toUpperCase()] || undefined
  const url = settings && addressOf(settings.url, settings.login)
  const https = url ?? addressOf(variable('https_proxy') ?? variable('all_proxy'))
  const http = url ?? addressOf(variable('http_proxy') ?? variable('all_proxy'))
  if (https === undefined && http === undefined) return undefined
  const except = settings?.except ?? [variable('no_proxy') ?? '']
  return { https, http, except: [...except, ...OWN_MACHINE].filter(host => host !== '').join(',') }
}

function addressOf(text: string | undefined, login?: string): string | undefined {
  if (text === undefined) return undefined
  const address = text.includes('://') ? text : `http://${text}`
  const protocol = URL.canParse(address) ? new URL(address).protocol : ''
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new EdgeError('PROXY_UNKNOWN', `the proxy is ${shownUrl(text)}, wanted one such as http://proxy:3128`, {
      hint: 'only HTTP proxies are known (CONNECT), no SOCKS; HTTPS_PROXY, HTTP_PROXY and ALL_PROXY are looked at, and proxy.url in the config',
    })
  }
  const url = new URL(address)
  if (login !== undefined) {
    const colon = login.indexOf(':')
    url.username = encodeURIComponent(colon < 0 ? login : login.slice(0, colon))
    url.password = colon < 0 ? '' : encodeURIComponent(login.slice(colon + 1))
  }
  return url.href
}

/** What a proxy refuses comes as if we had given up the call, and fetch then forgets why: here it is an error. */
function explainingRefusals(handler: Dispatcher.DispatchHandlers): Dispatcher.DispatchHandlers {
  const explaining = Object.create(handler) as Dispatcher.DispatchHandlers
  explaining.onError = error => handler.onError?.(refusalOf(error.message) ?? error)
  return explaining
}

function refusalOf(message: string): Error | undefined {
  const status = /^Proxy response \((\d+)\)/.exec(message)?.[1]
  if (status === undefined) return undefined
  const login = status === '407' || status === '401' ? ': it asks for a login' : ''
  return new Error(`the proxy answered ${status}${login}`)
}

type AgentOf = (url: string) => Agent | undefined
let agentOf: AgentOf = () => undefined

/**
 * Opens the way for this process, and for those that it starts. What it needs is loaded only where there is a proxy.
 * @returns the proxy as it may be shown; undefined for none
 * @throws EdgeError PROXY_UNKNOWN
 */
export async function openProxyWay(
  settings: ProxySettings | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const variables = proxyVariables(settings, environment)
  if (!variables) return undefined
  const { https, http, except } = variables
  if (https !== undefined) environment['https_proxy'] = https
  if (http !== undefined) environment['http_proxy'] = http
  environment['no_proxy'] = except
  const [{ EnvHttpProxyAgent, setGlobalDispatcher }, { HttpsProxyAgent }, { getProxyForUrl }] = await Promise.all([
    import('undici'),
    import('https-proxy-agent'),
    import('proxy-from-env'),
  ])
  const agent = new EnvHttpProxyAgent({ httpsProxy: https ?? '', httpProxy: http ?? '', noProxy: except })
  // Node's own fetch takes it, too.
  setGlobalDispatcher(agent.compose(dispatch => (call, handler) => dispatch(call, explainingRefusals(handler))))
  agentOf = url => {
    const proxy = getProxyForUrl(url.replace(/^ws/, 'http'))
    return proxy === '' ? undefined : new HttpsProxyAgent(proxy)
  }
  return shownUrl(https ?? http ?? '')
}

/** The way to a WebSocket; undefined where it is straight. */
export const proxyAgentFor: AgentOf = url => agentOf(url)
