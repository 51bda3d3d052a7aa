import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { once } from 'node:events'
import { EdgeError, hasErrno, messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import { keepRoomForQuestions } from './room-for-questions.js'

export interface Answer {
  status?: number
  contentType: string
  body: string | Buffer
  /** Beyond what is sent with every answer. */
  headers?: Readonly<Record<string, string>>
}

/** What is answered, by path: nothing else is, and no path is ever looked up on the disk. */
export type Routes = Readonly<Record<string, (query: URLSearchParams) => Answer | Promise<Answer>>>

/** What goes on until the one who asked goes away, by path. It ends its response itself. */
export type Streams = Readonly<Record<string, (query: URLSearchParams, response: ServerResponse) => Answer | undefined>>

/** Pages and scrapers need a handful; beyond these, those that ask nothing are closed. */
const CONNECTIONS_MAX = 32
/** A connection that asks nothing, or does not get to the end of its question, is closed after this time … */
const REQUEST_TIMEOUT_MS = 5_000
/** … or as much later; Node looks every 30 s by itself. */
const TIMEOUTS_SEEN_WITHIN_MS = 1_000
const HEADER_BYTES_MAX = 8 * 1024

export const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}

/**
 * Serves `routes` to GET and HEAD, and refuses everything else. On a loopback address it answers only to names of this
 * machine, so that no web page can read it by pointing a name of its own here.
 * @throws EdgeError HTTP_PORT_TAKEN, HTTP_CANNOT_LISTEN
 */
export async function listen(
  host: string,
  port: number,
  routes: Routes,
  log: Logger,
  streams: Streams = {},
): Promise<Server> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUTS_SEEN_WITHIN_MS,
    },
    (request, response) => {
      answer(request, routes, isLoopback(host), streams, response)
        .then(given => given && send(request, response, given))
        .catch((error: unknown) => {
          log.error({ err: messageOf(error) }, 'a question over HTTP could not be answered')
          send(request, response, plain(500, 'something went wrong; the log says what'))
        })
    },
  )
  keepRoomForQuestions(server, CONNECTIONS_MAX)
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw cannotListen(host, port, cause)
  }
  return server
}

async function answer(
  request: IncomingMessage,
  routes: Routes,
  loopback: boolean,
  streams: Streams,
  response: ServerResponse,
): Promise<Answer | undefined> {
  if (loopback && !isNameOfThisMachine(request.headers.host)) return plain(421, 'wrong host name')
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const stream = Object.hasOwn(streams, path) && request.method === 'GET' ? streams[path] : undefined
  if (stream) return stream(new URLSearchParams(query), response)
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (!route) return plain(404, 'no such page')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { ...plain(405, 'only GET and HEAD'), headers: { allow: 'GET, HEAD' } }
  return route(new URLSearchParams(query))
}

function send(request: IncomingMessage, response: ServerResponse, given: Answer): void {
  const body = Buffer.from(given.body)
  response.writeHead(given.status ?? 200, {
    ...HEADERS,
    'content-type': given.contentType,
    'content-length': body.length,
    // A body that nobody reads would be taken for the next question.
    ...(request.method !== 'GET' && request.method !== 'HEAD' && { connection: 'close' }),
    ...given.headers,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

export function plain(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}

export function json(value: unknown): Answer {
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** `localhost:9464`, `127.0.0.1`, `[::1]:9464`. */
function isNameOfThisMachine(header: string | undefined): boolean {
  const name = (header ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return isLoopback(name.toLowerCase())
}

function cannotListen(host: string, port: number, cause: unknown): EdgeError {
  if (hasErrno(cause, 'EADDRINUSE')) {
    return new EdgeError('HTTP_PORT_TAKEN', `port ${port} of ${host} is taken by another program`, {
      cause,
      retry: true,
      hint: 'is another edgetape running? else set http.port to a free one, or http.enabled to false',
    })
  }
  return new EdgeError('HTTP_CANNOT_LISTEN', `cannot listen on ${host} port ${port}: ${messageOf(cause)}`, {
    cause,
    hint: 'set http.host to an address of this machine, and http.port to 1024 or above',
  })
}
