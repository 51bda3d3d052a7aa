import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import { EdgeError } from '../platform/edge-error.js'
import type { Control } from './control.js'
import type { Answer, Caller } from '../exchanges/deribit/simulator/dispatch.js'
import type { Venue } from '../exchanges/deribit/simulator/methods/method.js'
import { rpcError } from '../exchanges/deribit/simulator/rpc-error.js'
import { errorText, MAX_REQUEST_BYTES, type RpcRequest } from '../exchanges/deribit/simulator/rpc.js'
import { Session, type SessionSettings } from './connection.js'

export const WEBSOCKET_PATH = '/ws/api/v2'
const HTTP_PATH = '/api/v2'
/** Above this a client's frame is not even read. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024
const MAX_BODY_BYTES = 1024 * 1024

export interface ServerSettings extends SessionSettings {
  host: string
  /** 0 takes any free port. */
  port: number
  /** HTTP and WebSocket together, per address; 0 for no limit. */
  maxConnectionsPerIp: number
  /** Compress where the client offers it. */
  deflate: boolean
}

/** Who answers requests. */
export interface Answering {
  answerText(caller: Caller, text: string, bytes: number): Answer
  answerRequest(caller: Caller, request: RpcRequest): Answer
}

/** The listening side: HTTP and WebSocket on one port, connections counted per address. */
export class ExchangeServer {
  readonly sessions = new Set<Session>()
  /** Until then (real ms) new connections are refused, as in a maintenance. */
  refuseUntilMs = 0
  private readonly http: Server
  private readonly webSockets: WebSocketServer
  private readonly perIp = new Map<string, Set<Duplex>>()

  constructor(
    private readonly exchange: Pick<Venue, 'channels' | 'faults' | 'clock'>,
    private readonly desk: Answering,
    private readonly settings: ServerSettings,
    /** Calls that order faults; a server without has none. */
    private readonly control?: Control,
  ) {
    this.webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: settings.deflate,
    })
    this.http = createServer((request, response) => {
      // A client that goes away in the middle of its body is no concern of ours.
      this.onRequest(request, response).catch(() => response.destroy())
    })
    this.http.on('upgrade', (request, socket, head) => this.onUpgrade(request, socket, head))
  }

  /** Listens; resolves with the port once connections are taken. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      const { host, port } = this.settings
      this.http.once('error', cause => {
        const hint = 'choose another --port, or 0 for any free one'
        reject(new EdgeError('SIMULATOR_LISTEN', `cannot listen on ${host}:${port}: ${cause.message}`, { cause, hint }))
      })
      this.http.listen(port, host, () => {
        resolve((this.http.address() as AddressInfo).port)
      })
    })
  }

  /** Cuts all connections and stops listening. */
  async close(): Promise<void> {
    for (const session of this.sessions) session.cut()
    this.webSockets.close()
    await new Promise<void>(resolve => {
      this.http.close(() => resolve())
      this.http.closeAllConnections()
    })
  }

  private onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const path = pathOf(request)
    const ip = request.socket.remoteAddress ?? ''
    if (path !== WEBSOCKET_PATH) {
      refuse(socket, '404 Not Found')
      return
    }
    if (Date.now() < this.refuseUntilMs) {
      refuse(socket, '503 Service Unavailable')
      return
    }
    if (!this.admit(ip, request.socket)) {
      refuse(socket, '429 Too Many Requests')
      return
    }
    this.webSockets.handleUpgrade(request, socket, head, webSocket => this.onConnection(webSocket, socket, ip))
  }

  private onConnection(webSocket: WebSocket, stream: Duplex, ip: string): void {
    const { channels, faults } = this.exchange
    const session = new Session(webSocket, stream, ip, channels, faults, this.settings)
    this.sessions.add(session)
    webSocket.on('error', () => session.cut())
    webSocket.on('close', () => {
      session.leave()
      this.sessions.delete(session)
    })
    webSocket.on('message', data => {
      if (!session.heard()) return
      const bytes = toBuffer(data)
      const answer = this.desk.answerText({ ip, session }, bytes.toString('utf8'), bytes.length)
      session.send(answer.text)
      for (const run of answer.afterwards) run()
      if (answer.endSession) session.end(1008, 'too_many_requests')
    })
  }

  /** Counts the connection a request came on; false where its address has too many. */
  private admit(ip: string, socket: Duplex): boolean {
    const limit = this.settings.maxConnectionsPerIp
    let sockets = this.perIp.get(ip)
    if (!sockets) this.perIp.set(ip, (sockets = new Set()))
    if (sockets.has(socket)) return true
    if (limit > 0 && sockets.size >= limit) return false
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    return true
  }

  private async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    const body = await readBody(request)
    if (this.control && path.startsWith('/control/')) {
      const { status, text } = this.control.handle(request.method ?? 'GET', path, body.toString('utf8'))
      respond(response, status, text)
      return
    }
    if (path !== HTTP_PATH && !path.startsWith(`${HTTP_PATH}/`)) {
      respond(response, 404, '')
      return
    }
    const ip = request.socket.remoteAddress ?? ''
    if (!this.admit(ip, request.socket)) {
      response.setHeader('connection', 'close')
      respond(response, 429, this.bareError(10028))
      return
    }
    if (Date.now() < this.refuseUntilMs) {
      respond(response, 503, this.bareError(11051))
      return
    }
    const answer = this.answerHttp(request, path.slice(HTTP_PATH.length + 1), body, ip)
    respond(response, answer.failed ? 400 : 200, answer.text)
    for (const run of answer.afterwards) run()
  }

  private answerHttp(request: IncomingMessage, method: string, body: Buffer, ip: string): Answer {
    if (request.method === 'POST') return this.desk.answerText({ ip }, body.toString('utf8'), body.length)
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams
    const params = Object.fromEntries(query)
    return this.desk.answerRequest({ ip }, { id: undefined, method, params })
  }

  private bareError(code: 10028 | 11051): string {
    const now = this.exchange.clock.nowUs()
    return errorText(undefined, rpcError(code), { usIn: now, usOut: now })
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0] ?? '/'
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** A body cut at a bound; what is longer than the exchange takes is refused by its length anyway. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) return Buffer.alloc(MAX_REQUEST_BYTES + 1)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}
