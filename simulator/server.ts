import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { RawData } from 'ws'
import { WebSocketServer, type WebSocket } from '../platform/web-socket.js'
import { EdgeError } from '../platform/edge-error.js'
import { Connection } from './connection.js'
import type { Control } from './control.js'
import type { Faults } from './faults.js'
import type { Service, TurnedAway } from './protocol.js'

/** Above this a client's frame is not even read. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024
const MAX_BODY_BYTES = 1024 * 1024

export interface ServerSettings {
  host: string
  /** 0 takes any free port. */
  port: number
  /** HTTP and WebSocket together, per address; 0 for no limit. */
  maxConnectionsPerIp: number
  /** Unsent bytes above which a reader counts as too slow. */
  maxBufferedBytes: number
  /** Compress where the client offers it. */
  deflate: boolean
}

/** The listening side: HTTP and WebSocket on one port, connections counted per address. */
export class ExchangeServer {
  readonly connections = new Set<Connection>()
  /** Until then (real ms) new connections are refused, as in a maintenance. */
  refuseUntilMs = 0
  private readonly http: Server
  private readonly webSockets: WebSocketServer
  private readonly perIp = new Map<string, Set<Duplex>>()

  constructor(
    private readonly service: Service,
    private readonly faults: Faults,
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
    for (const connection of this.connections) connection.cut()
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
    if (!this.service.webSocketPaths.includes(path)) {
      refuse(socket, '404 Not Found')
      return
    }
    if (Date.now() < this.refuseUntilMs) {
      refuse(socket, '503 Service Unavailable')
      return
    }
    if (this.service.admits?.(ip) === false || !this.admit(ip, request.socket)) {
      refuse(socket, '429 Too Many Requests')
      return
    }
    this.webSockets.handleUpgrade(request, socket, head, webSocket => this.onConnection(webSocket, socket, ip, path))
  }

  private onConnection(webSocket: WebSocket, stream: Duplex, ip: string, path: string): void {
    const connection = new Connection(webSocket, stream, ip, this.faults, this.settings.maxBufferedBytes)
    this.connections.add(connection)
    webSocket.on('error', () => connection.cut())
    webSocket.on('close', () => {
      connection.leave()
      this.connections.delete(connection)
    })
    webSocket.on('message', data => connection.heard(toBuffer(data)))
    connection.converse(this.service.connected(connection, path))
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
    const { httpPath } = this.service
    if (path !== httpPath && !path.startsWith(`${httpPath}/`)) {
      respond(response, 404, '')
      return
    }
    const ip = request.socket.remoteAddress ?? ''
    if (!this.admit(ip, request.socket)) {
      response.setHeader('connection', 'close')
      this.turnAway(response, 429, 'too many connections')
      return
    }
    if (Date.now() < this.refuseUntilMs) {
      this.turnAway(response, 503, 'maintenance')
      return
    }
    const { status, text } = await this.service.answerHttp({
      method: request.method ?? 'GET',
      path: path.slice(httpPath.length + 1),
      query: Object.fromEntries(new URL(request.url ?? '/', 'http://localhost').searchParams),
      body,
      ip,
    })
    respond(response, status, text)
  }

  private turnAway(response: ServerResponse, status: number, reason: TurnedAway): void {
    respond(response, status, this.service.turnAway(reason))
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

/** A body cut at a bound; the exchange refuses one of that length anyway. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    chunks.push(chunk)
    if (size > MAX_BODY_BYTES) break
  }
  return Buffer.concat(chunks)
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}
