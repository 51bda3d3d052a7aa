import type { Connection, Conversation } from '../../../simulator/connection.js'
import type { HttpAnswer, HttpRequest, Service, TurnedAway } from '../../../simulator/protocol.js'
import { CATEGORIES, OWN_SOCKETS, type Socket } from '../names.js'
import { MethodError, type Query } from './methods.js'
import { Session, type SessionParts } from './session.js'

/** Of all calls of an address; beyond it nothing is answered but 403. */
const CALLS_MAX = 600
const CALLS_WITHIN_MS = 5000

export interface ServiceParts extends Omit<SessionParts, 'socket' | 'connId' | 'knows'> {
  knows: (socket: Socket, topic: string) => boolean
  /** The `result` of a method; undefined for one that there is not. */
  call: (method: string, query: Query) => object | undefined | Promise<object | undefined>
}

const SOCKETS: readonly Socket[] = [...CATEGORIES, ...OWN_SOCKETS]

/** WebSockets of four categories and of what belongs to none, and the HTTP methods, on one port. */
export class BybitService implements Service {
  readonly webSocketPaths = SOCKETS.map(socket => `/v5/public/${socket}`)
  readonly httpPath = '/v5'
  readonly #parts: ServiceParts
  #connections = 0
  /** By address: times of its last calls. */
  readonly #calls = new Map<string, number[]>()

  constructor(parts: ServiceParts) {
    this.#parts = parts
  }

  connected(connection: Connection, path: string): Conversation {
    const socket = SOCKETS.find(name => path.endsWith(`/${name}`)) ?? 'linear'
    const { knows, ...parts } = this.#parts
    return new Session(connection, {
      ...parts,
      socket,
      connId: `simulated-${++this.#connections}`,
      knows: topic => knows(socket, topic),
    })
  }

  async answerHttp({ path, query, ip }: HttpRequest): Promise<HttpAnswer> {
    if (this.#isTooMany(ip)) return { status: 403, text: 'access too frequent' }
    try {
      const result = await this.#parts.call(path, query)
      return result ? this.#answer(0, 'OK', result) : { status: 404, text: '' }
    } catch (error) {
      if (error instanceof MethodError) return this.#answer(error.retCode, error.message, {})
      throw error
    }
  }

  turnAway(reason: TurnedAway): string {
    const isMaintenance = reason === 'maintenance'
    return this.#answer(isMaintenance ? 10016 : 10006, isMaintenance ? 'server error' : 'Too many visits!', {}).text
  }

  maintain(connections: readonly Connection[]): void {
    for (const connection of connections) connection.end(1001, 'going away')
  }

  #answer(retCode: number, retMsg: string, result: object): HttpAnswer {
    return { status: 200, text: JSON.stringify({ retCode, retMsg, result, retExtInfo: {}, time: this.#parts.nowMs() }) }
  }

  #isTooMany(ip: string): boolean {
    const now = Date.now()
    const recent = (this.#calls.get(ip) ?? []).filter(ms => now - ms < CALLS_WITHIN_MS)
    recent.push(now)
    this.#calls.set(ip, recent.slice(-CALLS_MAX - 1))
    return recent.length > CALLS_MAX
  }
}
