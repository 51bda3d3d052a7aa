import { EdgeError } from '../../platform/edge-error.js'
import type { SessionLink } from '../adapter.js'

/** An answer comes within a second; after this it is not waited for any more. */
const ANSWER_WITHIN_MS = 10_000

export type Op = 'subscribe' | 'unsubscribe'

/** What the exchange said to one request. */
export interface Ack {
  success: boolean
  message: string
  /** Topics that it says it will not send, where it names them. */
  failed: readonly string[]
}

/** No answer came to a request. */
export class UnansweredError extends EdgeError {
  constructor(op: Op, why: string) {
    super('REQUEST_UNANSWERED', `${op}: ${why}`, { retry: true })
  }
}

interface Pending {
  op: Op
  reqId: string
  topics: ReadonlySet<string>
  resolve: (ack: Ack) => void
  timer: NodeJS.Timeout
  reject: (error: UnansweredError) => void
}

/**
 * Requests of one connection and their answers. Most sockets send back the id of a request; that of options names the
 * topics instead, and some say nothing but yes, in the order of the requests.
 */
export class Requests {
  readonly #link: Pick<SessionLink, 'send'>
  readonly #withinMs: number
  #pending: Pending[] = []
  #sent = 0

  constructor(link: Pick<SessionLink, 'send'>, withinMs = ANSWER_WITHIN_MS) {
    this.#link = link
    this.#withinMs = withinMs
  }

  /** @throws UnansweredError no answer came in time, or the connection ended before */
  ask(op: Op, topics: readonly string[]): Promise<Ack> {
    return new Promise((resolve, reject) => {
      const reqId = `${op === 'subscribe' ? 's' : 'u'}${++this.#sent}`
      const timer = setTimeout(() => {
        this.#take(pending)
        reject(new UnansweredError(op, `no answer within ${this.#withinMs / 1000} s`))
      }, this.#withinMs)
      const pending: Pending = { op, reqId, topics: new Set(topics), resolve, reject, timer }
      this.#pending.push(pending)
      this.#link.send(JSON.stringify({ op, args: topics, req_id: reqId }))
    })
  }

  /** Takes an answer; false where it is none to anything that was asked. */
  settle(message: Readonly<Record<string, unknown>>): boolean {
    const answered = this.#answeredBy(message)
    if (!answered) return false
    this.#take(answered)
    const { ret_msg: said } = message
    answered.resolve({
      success: message['success'] === true,
      message: typeof said === 'string' ? said : '',
      failed: topicsOf(message, 'failTopics'),
    })
    return true
  }

  close(): void {
    for (const pending of this.#pending.splice(0)) {
      clearTimeout(pending.timer)
      pending.reject(new UnansweredError(pending.op, 'the connection ended'))
    }
  }

  #answeredBy(message: Readonly<Record<string, unknown>>): Pending | undefined {
    if (typeof message['success'] !== 'boolean') return undefined
    const { req_id: reqId, op, type } = message
    if (typeof reqId === 'string' && reqId !== '') return this.#pending.find(pending => pending.reqId === reqId)
    if (type === 'COMMAND_RESP') {
      const named = [...topicsOf(message, 'successTopics'), ...topicsOf(message, 'failTopics')]
      return this.#pending.find(({ topics }) => named.some(topic => topics.has(topic))) ?? this.#pending[0]
    }
    return op === 'ping' ? undefined : this.#pending.find(pending => op === undefined || op === pending.op)
  }

  #take(pending: Pending): void {
    clearTimeout(pending.timer)
    this.#pending = this.#pending.filter(other => other !== pending)
  }
}

function topicsOf(message: Readonly<Record<string, unknown>>, name: string): string[] {
  const { data } = message
  if (typeof data !== 'object' || data === null) return []
  const list = (data as Record<string, unknown>)[name]
  return Array.isArray(list) ? list.filter(topic => typeof topic === 'string') : []
}
