import type { Connection, Conversation } from '../../../simulator/connection.js'
import type { HttpAnswer, HttpRequest, Service, TurnedAway } from '../../../simulator/protocol.js'
import { methods, type MethodAnswer, type MethodParts } from './methods.js'
import { Session, type SessionParts } from './session.js'

export const PUBLIC_PATH = '/ws/v5/public'
export const BUSINESS_PATH = '/ws/v5/business'
/** Questions of an address in two seconds that any method takes. */
const CALLS_IN_2_S = 20
/** New connections of an address in a second. */
const DIALS_IN_1_S = 3

export interface ServiceParts extends Omit<SessionParts, 'isBusiness' | 'subscribed'> {
  subscribed: (connection: Connection) => void
  /** Answers questions; without a market some are answered otherwise. */
  answer?: (path: string, query: Readonly<Record<string, string>>) => MethodAnswer | undefined
  methodParts?: MethodParts
  /** ms of a clock that nobody sets. */
  nowMs: () => number
}

/** Two sockets, public and business data, and methods over HTTP, on one port. */
export class OkxService implements Service {
  readonly webSocketPaths = [PUBLIC_PATH, BUSINESS_PATH]
  readonly httpPath = '/api/v5'
  readonly #parts: ServiceParts
  readonly #sessions = new Map<Connection, Session>()
  readonly #calls = new Map<string, number[]>()

  constructor(parts: ServiceParts) {
    this.#parts = parts
  }

  admits(ip: string): boolean {
    return this.#isAllowed(`dial ${ip}`, DIALS_IN_1_S, 1000)
  }

  connected(connection: Connection, path: string): Conversation {
    const session = new Session(connection, {
      ...this.#parts,
      isBusiness: path === BUSINESS_PATH,
      subscribed: () => this.#parts.subscribed(connection),
    })
    this.#sessions.set(connection, session)
    return {
      heard: frame => session.heard(frame),
      silenced: () => session.silenced(),
      ended: () => {
        this.#sessions.delete(connection)
        session.ended()
      },
    }
  }

  answerHttp({ path, query, ip }: HttpRequest): HttpAnswer {
    if (!this.#isAllowed(`${ip} ${path} ${query['instType'] ?? ''}`, CALLS_IN_2_S, 2000))
      return { status: 429, text: JSON.stringify({ msg: 'Too Many Requests', code: '50011' }) }
    const { answer, methodParts } = this.#parts
    const method = Object.hasOwn(methods, path) ? methods[path] : undefined
    const said = answer?.(path, query) ?? (methodParts && method?.(query, methodParts))
    if (!said)
      return { status: 404, text: JSON.stringify({ code: '404', data: [], msg: 'The requested URL not found.' }) }
    if ('code' in said) return { status: 200, text: JSON.stringify({ ...said, data: [] }) }
    return { status: 200, text: JSON.stringify({ code: '0', data: said.rows, msg: '' }) }
  }

  turnAway(reason: TurnedAway): string {
    const [code, msg] =
      reason === 'maintenance' ? ['50001', 'Service temporarily unavailable.'] : ['50011', 'Too Many Requests']
    return JSON.stringify({ code, data: [], msg })
  }

  /** Says that these are ended soon. */
  warn(connections: readonly Connection[]): void {
    for (const connection of connections) this.#sessions.get(connection)?.warn()
  }

  maintain(connections: readonly Connection[]): void {
    this.warn(connections)
    for (const connection of connections) connection.end(1001, 'service upgrade')
  }

  #isAllowed(key: string, most: number, withinMs: number): boolean {
    const nowMs = this.#parts.nowMs()
    const recent = (this.#calls.get(key) ?? []).filter(ms => nowMs - ms < withinMs)
    this.#calls.set(key, [...recent, nowMs])
    return recent.length < most
  }
}
