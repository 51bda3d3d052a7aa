import { randomBytes } from 'node:crypto'
import { isJsonObject, parsedObject } from '../../../platform/json-object.js'
import type { Channels } from '../../../simulator/broker.js'
import type { Connection, Conversation } from '../../../simulator/connection.js'
import type { Faults } from '../../../simulator/faults.js'
import { channelOfArg, textOf, type Message } from '../message.js'
import { familyNamed } from '../families.js'
import { familyOfChannel } from '../names.js'

/** Nothing moved on it for so long: it is ended. */
const IDLE_MS = 30_000
/** Requests of a connection in an hour. */
const OPS_MAX = 480
const REQUEST_BYTES_MAX = 64 * 1024

export interface SessionParts {
  channels: Channels
  faults: Faults
  /** The socket of business data, not that of public data. */
  isBusiness: boolean
  /** Whether there is such a channel. */
  accepts: (channel: string) => boolean
  subscribed: () => void
  /** Multiplies the times of the idle close. */
  timeScale: number
}

/** One connection of a client: requests, answers, the texts `ping` and `pong`. */
export class Session implements Conversation {
  readonly #connection: Connection
  readonly #parts: SessionParts
  readonly #channels = new Set<string>()
  readonly #connId = randomBytes(4).toString('hex')
  #ops = 0
  #idleTimer: NodeJS.Timeout | undefined

  constructor(connection: Connection, parts: SessionParts) {
    this.#connection = connection
    this.#parts = parts
    this.#restartIdleTimer()
  }

  heard(frame: Buffer): void {
    this.#restartIdleTimer()
    const text = frame.toString('utf8')
    if (text === 'ping') {
      this.#connection.send('pong')
      return
    }
    if (frame.length > REQUEST_BYTES_MAX) {
      this.#connection.end(1009, 'Request message exceeds the maximum frame length')
      return
    }
    const message = parsedObject(frame)
    const args = message?.['args']
    const op = message?.['op']
    if (!message || !Array.isArray(args) || (op !== 'subscribe' && op !== 'unsubscribe')) {
      this.#error(message, '60012', `Invalid request: ${text}`)
      return
    }
    if (++this.#ops > OPS_MAX) {
      this.#error(message, '60014', 'Requests too frequent')
      return
    }
    const ordered = op === 'subscribe' ? this.#parts.faults.subscribeError() : undefined
    if (ordered) this.#error(message, String(ordered.code), ordered.message)
    else for (const arg of args as unknown[]) this.#take(op, arg, message)
    if (op === 'subscribe') this.#parts.subscribed()
  }

  /** The connection will be ended soon. */
  warn(): void {
    const msg = 'The connection will soon be closed for a service upgrade. Please reconnect.'
    this.#connection.send(JSON.stringify({ event: 'notice', msg, code: '64008', connId: this.#connId }))
  }

  silenced(): void {
    clearTimeout(this.#idleTimer)
  }

  ended(): void {
    this.silenced()
    for (const channel of this.#channels) this.#parts.channels.unsubscribe(channel, this.#connection)
    this.#channels.clear()
  }

  #take(op: 'subscribe' | 'unsubscribe', arg: unknown, request: Message): void {
    const { channels, faults, accepts, isBusiness } = this.#parts
    const channel = channelOfArg(arg) ?? ''
    if (op === 'unsubscribe') {
      channels.unsubscribe(channel, this.#connection)
      this.#channels.delete(channel)
      this.#ack(op, arg, request)
      return
    }
    const isHere = (familyNamed(familyOfChannel(channel))?.isBusiness === true) === isBusiness
    if (!isHere || !accepts(channel) || faults.refuses(channel)) {
      this.#error(request, '60018', unknownText(arg))
      return
    }
    const isPromiseEmpty = faults.breaksPromise(channel)
    if (!faults.leavesUnanswered([channel])) this.#ack(op, arg, request)
    if (isPromiseEmpty) return
    // Taken again, a channel begins anew with what it says at first, and its frames come once all the same.
    channels.unsubscribe(channel, this.#connection)
    this.#channels.add(channel)
    channels.subscribe(channel, this.#connection)
  }

  #ack(op: string, arg: unknown, request: Message): void {
    this.#connection.send(JSON.stringify({ ...idOf(request), event: op, arg, connId: this.#connId }))
  }

  #error(request: Message | undefined, code: string, msg: string): void {
    this.#connection.send(JSON.stringify({ ...idOf(request), event: 'error', msg, code, connId: this.#connId }))
  }

  #restartIdleTimer(): void {
    clearTimeout(this.#idleTimer)
    const idleMs = IDLE_MS * this.#parts.timeScale
    this.#idleTimer = setTimeout(() => {
      if (Date.now() - this.#connection.lastSentMs < idleMs && this.#channels.size > 0) this.#restartIdleTimer()
      else this.#connection.end(4004, 'No data received in 30s')
    }, idleMs)
  }
}

const idOf = (request: Message | undefined) => (typeof request?.['id'] === 'string' ? { id: request['id'] } : {})

function unknownText(arg: unknown): string {
  const member = (name: string) => (isJsonObject(arg) ? textOf(arg[name]) : '')
  const about = ['instId', 'instFamily', 'instType'].filter(name => member(name) !== '')
  const said = [`channel:${member('channel')}`, ...about.map(name => `${name}:${member(name)}`)].join(',')
  return `Wrong URL or ${said} doesn't exist. Please use the correct URL, channel and parameters referring to API document.`
}
