import { parsedObject } from '../../../platform/json-object.js'
import type { Channels } from '../../../simulator/broker.js'
import type { Connection, Conversation } from '../../../simulator/connection.js'
import type { Faults } from '../../../simulator/faults.js'
import { channelOf, type Socket } from '../names.js'

/** A connection without any subscription is cut after this. */
const IDLE_MS = 61_000
/** Spot takes no more in one request. */
const SPOT_ARGS_MAX = 10
/** All topics of a connection together, letters. */
const ARGS_LETTERS_MAX = 21_000

export interface SessionParts {
  channels: Channels
  faults: Faults
  socket: Socket
  connId: string
  nowMs: () => number
  /** Whether a topic of the socket is known, and sends anything. */
  knows: (topic: string) => boolean
  /** Called after a subscription was answered. */
  subscribed: (connection: Connection) => void
}

/** One WebSocket connection with the manners of its socket. */
export class Session implements Conversation {
  readonly #connection: Connection
  readonly #parts: SessionParts
  readonly #topics = new Set<string>()
  #idleTimer: NodeJS.Timeout | undefined

  constructor(connection: Connection, parts: SessionParts) {
    this.#connection = connection
    this.#parts = parts
    this.#restartIdleTimer()
  }

  heard(frame: Buffer): void {
    this.#restartIdleTimer()
    const message = parsedObject(frame)
    if (!message) {
      this.#say({ success: false, ret_msg: 'Failed to decode incoming data', ...this.#rest('', undefined) })
      return
    }
    const { op, req_id: reqId, args } = message
    if (op === 'ping') {
      this.#pong(reqId)
      return
    }
    if ((op !== 'subscribe' && op !== 'unsubscribe') || !Array.isArray(args)) {
      this.#say({
        success: false,
        ret_msg: 'error:invalid op',
        ...this.#rest(typeof op === 'string' ? op : '', reqId),
      })
      return
    }
    const topics = args.filter((arg): arg is string => typeof arg === 'string')
    if (this.#parts.faults.leavesUnanswered(topics.map(topic => channelOf(this.#parts.socket, topic)))) {
      if (op === 'subscribe') for (const topic of topics) if (this.#parts.knows(topic)) this.#take(topic)
      return
    }
    if (op === 'unsubscribe') this.#unsubscribe(topics, reqId)
    else this.#subscribe(topics, reqId)
  }

  silenced(): void {
    clearTimeout(this.#idleTimer)
  }

  ended(): void {
    this.silenced()
    for (const topic of this.#topics) this.#leave(topic)
    this.#topics.clear()
  }

  #subscribe(topics: readonly string[], reqId: unknown): void {
    const { socket, faults, knows } = this.#parts
    const ordered = faults.subscribeError()
    if (ordered) {
      this.#refuse('subscribe', ordered.message, reqId)
      return
    }
    if (socket === 'option') {
      this.#subscribeOptions(topics)
      return
    }
    if (socket === 'spot' && topics.length > SPOT_ARGS_MAX) {
      this.#refuse('subscribe', 'args size >10', reqId)
      return
    }
    const letters = [...this.#topics, ...topics].reduce((sum, topic) => sum + topic.length, 0)
    if (letters > ARGS_LETTERS_MAX) {
      this.#refuse('subscribe', 'error:request too large', reqId)
      return
    }
    for (const topic of topics) {
      const isRefused = faults.refuses(channelOf(socket, topic))
      // One bad topic refuses all of them.
      if (isRefused || !knows(topic)) {
        const said = socket === 'spot' ? `Invalid symbol :[${topic}]` : `error:handler not found,topic:${topic}`
        this.#refuse('subscribe', said, reqId)
        return
      }
      if (this.#topics.has(topic)) {
        this.#refuse('subscribe', `error:already subscribed,topic:${topic}`, reqId)
        return
      }
    }
    // Derivatives send first frames before the answer, spot after it.
    if (socket !== 'spot') for (const topic of topics) this.#take(topic)
    this.#say({ success: true, ret_msg: socket === 'spot' ? 'subscribe' : '', ...this.#rest('subscribe', reqId) })
    if (socket === 'spot') for (const topic of topics) this.#take(topic)
    this.#parts.subscribed(this.#connection)
  }

  /** This socket says yes to everything, and sends what there is. */
  #subscribeOptions(topics: readonly string[]): void {
    const { faults, knows } = this.#parts
    const failTopics = topics.filter(topic => faults.refuses(topic))
    const successTopics = topics.filter(topic => !failTopics.includes(topic))
    this.#say({ success: true, conn_id: this.#parts.connId, data: { failTopics, successTopics }, type: 'COMMAND_RESP' })
    for (const topic of successTopics) if (knows(topic) && !this.#topics.has(topic)) this.#take(topic)
    this.#parts.subscribed(this.#connection)
  }

  #unsubscribe(topics: readonly string[], reqId: unknown): void {
    for (const topic of topics) if (this.#topics.delete(topic)) this.#leave(topic)
    if (this.#parts.socket !== 'option') {
      this.#say({ success: true, ret_msg: '', ...this.#rest('unsubscribe', reqId) })
      return
    }
    const data = { failTopics: [], successTopics: topics }
    this.#say({ success: true, conn_id: this.#parts.connId, data, type: 'COMMAND_RESP' })
  }

  #take(topic: string): void {
    this.#topics.add(topic)
    this.#parts.channels.subscribe(channelOf(this.#parts.socket, topic), this.#connection)
  }

  #leave(topic: string): void {
    this.#parts.channels.unsubscribe(channelOf(this.#parts.socket, topic), this.#connection)
  }

  #refuse(op: string, message: string, reqId: unknown): void {
    this.#say({ success: false, ret_msg: message, ...this.#rest(op, reqId) })
  }

  #pong(reqId: unknown): void {
    if (this.#parts.socket === 'option') {
      this.#say({ args: [String(this.#parts.nowMs())], op: 'pong' })
      return
    }
    this.#say({ success: true, ret_msg: 'pong', ...this.#rest('ping', reqId) })
  }

  /** Derivatives send an empty id where none was sent, spot none. */
  #rest(op: string, reqId: unknown): Record<string, unknown> {
    const { socket, connId } = this.#parts
    const id = typeof reqId === 'string' ? reqId : socket === 'spot' ? undefined : ''
    return { conn_id: connId, ...(id !== undefined && { req_id: id }), op }
  }

  #say(message: object): void {
    this.#connection.send(JSON.stringify(message))
  }

  #restartIdleTimer(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      if (this.#topics.size > 0) this.#restartIdleTimer()
      else this.#connection.cut()
    }, IDLE_MS)
  }
}
