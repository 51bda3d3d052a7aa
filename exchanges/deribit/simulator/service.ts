import type { Channels } from '../../../simulator/broker.js'
import type { ExchangeClock } from '../../../simulator/clock.js'
import type { Connection, Conversation } from '../../../simulator/connection.js'
import type { HttpAnswer, HttpRequest, Service, TurnedAway } from '../../../simulator/protocol.js'
import type { Answer, Caller } from './dispatch.js'
import { rpcError, type RpcCode } from './rpc-error.js'
import { errorText, type RpcRequest } from './rpc.js'
import { Session } from './session.js'

/** Who answers requests. */
export interface Answering {
  answerText(caller: Caller, text: string, bytes: number): Answer | Promise<Answer>
  answerRequest(caller: Caller, request: RpcRequest): Answer | Promise<Answer>
}

export interface ServiceParts {
  channels: Channels
  clock: ExchangeClock
  desk: Answering
  /** Multiplies the times of heartbeat and idle close. */
  timeScale: number
}

/** JSON-RPC over WebSocket and HTTP on one port. */
export class RpcService implements Service {
  readonly webSocketPaths = ['/ws/api/v2']
  readonly httpPath = '/api/v2'

  constructor(private readonly parts: ServiceParts) {}

  connected(connection: Connection): Conversation {
    const { channels, desk, timeScale } = this.parts
    const answer = (session: Session, text: string, bytes: number) =>
      desk.answerText({ ip: connection.ip, session }, text, bytes)
    return new Session(connection, { channels, answer, timeScale })
  }

  async answerHttp({ method, path, query, body, ip }: HttpRequest): Promise<HttpAnswer> {
    const { desk } = this.parts
    const { failed, text } = await (method === 'POST'
      ? desk.answerText({ ip }, body.toString('utf8'), body.length)
      : desk.answerRequest({ ip }, { id: undefined, method: path, params: query }))
    return { status: failed ? 400 : 200, text }
  }

  turnAway(reason: TurnedAway): string {
    return this.bareError(reason === 'maintenance' ? 11051 : 10028)
  }

  maintain(connections: readonly Connection[]): void {
    this.parts.channels.announce('platform_state', { maintenance: true })
    for (const connection of connections) {
      connection.send(this.bareError(11051))
      connection.end(1001, 'system_maintenance')
    }
  }

  private bareError(code: RpcCode): string {
    const now = this.parts.clock.nowUs()
    return errorText(undefined, rpcError(code), { usIn: now, usOut: now })
  }
}
