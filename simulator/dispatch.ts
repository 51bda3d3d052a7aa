import { instrumentMethods } from './methods/instruments.js'
import type { Exchange, Method } from './methods/method.js'
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

/** Every method that is answered; all others are -32601. */
const METHODS: ReadonlyMap<string, Method> = new Map(
  Object.entries({ ...sessionMethods, ...instrumentMethods, ...tradeMethods, ...priceMethods }),
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

/** Answers one request, given as the text of a frame or body. */
export function answerText(exchange: Exchange, caller: Caller, text: string, bytes: number): Answer {
  const usIn = exchange.clock.nowUs()
  let request: RpcRequest
  try {
    if (bytes > MAX_REQUEST_BYTES) throw new RpcError(-32600, 'request entity too large')
    request = parseRequest(text)
  } catch (error) {
    if (error instanceof RequestError) return failure(exchange, error.id, error.error, usIn)
    if (error instanceof RpcError) return failure(exchange, undefined, error, usIn)
    throw error
  }
  return answerRequest(exchange, caller, request, usIn)
}

/** Answers one request that was read already. */
export function answerRequest(
  exchange: Exchange,
  caller: Caller,
  request: RpcRequest,
  usIn = exchange.clock.nowUs(),
): Answer {
  const afterwards: (() => void)[] = []
  try {
    const method = METHODS.get(request.method)
    if (!method) throw rpcError(-32601)
    const { session, ip } = caller
    if (!spend(exchange, session?.login ?? ip, method)) throw rpcError(10028)
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
    if (error instanceof RpcError) return failure(exchange, request.id, error, usIn)
    throw error
  }
}

function spend(exchange: Exchange, caller: string, method: Method): boolean {
  return exchange.credits?.spend(caller, method.pool) ?? true
}

function failure(exchange: Exchange, id: RequestId, error: RpcError, usIn: number): Answer {
  const text = errorText(id, error, { usIn, usOut: exchange.clock.nowUs() })
  return { text, failed: true, afterwards: [], endSession: error.code === 10028 }
}
