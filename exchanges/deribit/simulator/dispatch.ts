import { instrumentMethods } from './methods/instruments.js'
import type { Method, Venue } from './methods/method.js'
import { priceMethods } from './methods/prices.js'
import { sessionMethods } from './methods/session.js'
import { tradeMethods } from './methods/trades.js'
import { spellingFor } from './number-spelling.js'
import { Params } from './params.js'
import { RpcError, rpcError } from './rpc-error.js'
import {
  encodeResult,
  errorText,
  MAX_REQUEST_BYTES,
  parseRequest,
  RequestError,
  resultText,
  type RequestId,
  type RpcRequest,
} from './rpc.js'
import type { Session } from './session.js'

/** Every method that a market answers; all others are -32601. */
export const MARKET_METHODS: ReadonlyMap<string, Method> = new Map(
  Object.entries<Method>({ ...sessionMethods, ...instrumentMethods, ...tradeMethods, ...priceMethods }),
)

/** Who calls: a WebSocket session, or one HTTP request. */
export interface Caller {
  ip: string
  session?: Session
}

export interface Answer {
  text: string
  failed: boolean
  /** Runs once the answer is sent. */
  afterwards: (() => void)[]
  /** The caller went over its rate: the answer is the last thing it gets. */
  endSession: boolean
}

/** Answers requests by a table of methods. */
export class Desk<V extends Venue> {
  constructor(
    private readonly exchange: V,
    private readonly methods: ReadonlyMap<string, Method<V>>,
  ) {}

  /** Answers one request, given as the text of a frame or body. */
  answerText(caller: Caller, text: string, bytes: number): Answer {
    const usIn = this.exchange.clock.nowUs()
    let request: RpcRequest
    try {
      if (bytes > MAX_REQUEST_BYTES) throw new RpcError(-32600, 'request entity too large')
      request = parseRequest(text)
    } catch (error) {
      if (error instanceof RequestError) return this.failure(error.id, error.error, usIn)
      if (error instanceof RpcError) return this.failure(undefined, error, usIn)
      throw error
    }
    return this.answerRequest(caller, request, usIn)
  }

  /** Answers one request that was read already. */
  answerRequest(caller: Caller, request: RpcRequest, usIn = this.exchange.clock.nowUs()): Answer {
    const { exchange } = this
    const afterwards: (() => void)[] = []
    try {
      // Several public clients send a slash before the name, and are answered.
      const method = this.methods.get(request.method.replace(/^\//, ''))
      if (!method) throw rpcError(-32601)
      const { session, ip } = caller
      if (!this.spend(session?.login ?? ip, method)) throw rpcError(10028)
      if (method.webSocketOnly && !session) throw rpcError(10030)
      if (method.login && session?.login === undefined) throw rpcError(13009, { reason: 'invalid_token' })
      const params = new Params(request.params)
      const result = method.run({ exchange, params, session, after: run => afterwards.push(run) })
      const text = encodeResult(result, spellingFor(usIn))
      return {
        text: resultText(request.id, text, { usIn, usOut: exchange.clock.nowUs() }),
        failed: false,
        afterwards,
        endSession: false,
      }
    } catch (error) {
      if (error instanceof RpcError) return this.failure(request.id, error, usIn)
      throw error
    }
  }

  private spend(caller: string, method: Method<V>): boolean {
    return this.exchange.credits?.spend(caller, method.pool) ?? true
  }

  private failure(id: RequestId, error: RpcError, usIn: number): Answer {
    const text = errorText(id, error, { usIn, usOut: this.exchange.clock.nowUs() })
    return { text, failed: true, afterwards: [], endSession: error.code === 10028 }
  }
}
