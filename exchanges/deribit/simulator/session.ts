import type { Channels } from '../../../simulator/broker.js'
import type { Connection, Conversation } from '../../../simulator/connection.js'
import { Heartbeat } from './heartbeat.js'
import { heartbeatText } from './rpc.js'

/** Without heartbeat and subscriptions a silent connection is cut after this. */
const IDLE_MS = 60_500
const HEARTBEAT_CLOSE = 4000

/** What a session asks of an answer. */
export interface SessionAnswer {
  text: string
  /** Runs once the answer is sent. */
  afterwards: readonly (() => void)[]
  /** The caller went over its rate: the answer is the last thing it gets. */
  endSession: boolean
}

export interface SessionParts {
  channels: Channels
  /** An answer that has to be looked for comes later, perhaps behind others. */
  answer(session: Session, text: string, bytes: number): SessionAnswer | Promise<SessionAnswer>
  /** Multiplies the times of heartbeat and idle close. */
  timeScale: number
}

/** One WebSocket connection: its login, its subscriptions, its heartbeat. */
export class Session implements Conversation {
  /** Client id after a login. */
  login: string | undefined
  readonly channels = new Set<string>()
  readonly heartbeat: Heartbeat
  #idleTimer: NodeJS.Timeout | undefined

  constructor(
    readonly connection: Connection,
    private readonly parts: SessionParts,
  ) {
    this.heartbeat = new Heartbeat(
      {
        send: type => connection.send(heartbeatText(type)),
        quietFor: ms => Date.now() - connection.lastSentMs >= ms,
        expire: () => connection.end(HEARTBEAT_CLOSE, 'heartbeat close'),
      },
      parts.timeScale,
    )
    this.#restartIdleTimer()
  }

  heard(frame: Buffer): void {
    this.#restartIdleTimer()
    const answer = this.parts.answer(this, frame.toString('utf8'), frame.length)
    if (answer instanceof Promise) void answer.then(found => this.#say(found))
    else this.#say(answer)
  }

  #say(answer: SessionAnswer): void {
    this.connection.send(answer.text)
    for (const run of answer.afterwards) run()
    if (answer.endSession) this.connection.end(1008, 'too_many_requests')
  }

  subscribe(channel: string): void {
    this.parts.channels.subscribe(channel, this.connection)
  }

  /** Ends a subscription; false where there was none. */
  unsubscribe(channel: string): boolean {
    this.parts.channels.unsubscribe(channel, this.connection)
    return this.channels.delete(channel)
  }

  silenced(): void {
    clearTimeout(this.#idleTimer)
    this.heartbeat.stop()
  }

  ended(): void {
    this.silenced()
    for (const channel of this.channels) this.parts.channels.unsubscribe(channel, this.connection)
    this.channels.clear()
  }

  #restartIdleTimer(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      if (this.heartbeat.running || this.channels.size > 0) this.#restartIdleTimer()
      else this.connection.cut()
    }, IDLE_MS * this.parts.timeScale)
  }
}
