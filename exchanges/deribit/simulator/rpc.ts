import { isJsonObject } from '../../../platform/json-object.js'
import type { Json } from '../../../simulator/json.js'
import { encode } from './json-text.js'
import type { Spelling } from './number-spelling.js'
import { rpcError, type RpcError } from './rpc-error.js'

/** Client frames above this are refused. */
export const MAX_REQUEST_BYTES = 32 * 1024

export type RequestId = string | number | undefined

export interface RpcRequest {
  id: RequestId
  method: string
  params: Readonly<Record<string, unknown>> | undefined
}

/** When a request came and an answer went, µs of the simulated clock. */
export interface Timing {
  usIn: number
  usOut: number
}

/**
 * Reads one request; parameters by name, no batches.
 * @throws RpcError 11050 not JSON (its answer carries no id); -32600 no request
 */
export function parseRequest(text: string): RpcRequest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw rpcError(11050, 'invalid json')
  }
  if (!isJsonObject(value)) throw rpcError(-32600)
  const id = typeof value['id'] === 'string' || typeof value['id'] === 'number' ? value['id'] : undefined
  const method = value['method']
  if (typeof method !== 'string') throw new RequestError(id, rpcError(-32600))
  const params = value['params']
  if (params !== undefined && params !== null && !isJsonObject(params)) {
    throw new RequestError(id, rpcError(-32602, { reason: 'params must be an object', param: 'params' }))
  }
  return { id, method, params: params ?? undefined }
}

/** A request that is wrong as a whole, but whose id could be read. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  constructor(
    readonly id: RequestId,
    readonly error: RpcError,
  ) {
    super(error.message)
  }
}

const idText = (id: RequestId) => (id === undefined ? '' : `"id":${JSON.stringify(id)},`)
const tail = ({ usIn, usOut }: Timing) => `"usIn":${usIn},"usOut":${usOut},"usDiff":${usOut - usIn},"testnet":true}`

/** `result` must be JSON text already. */
export function resultText(id: RequestId, result: string, timing: Timing): string {
  return `{"jsonrpc":"2.0",${idText(id)}"result":${result},${tail(timing)}`
}

export function errorText(id: RequestId, error: RpcError, timing: Timing): string {
  const data = error.data === undefined ? '' : `"data":${encode(error.data, 'plain')},`
  const body = `{"code":${error.code},${data}"message":${JSON.stringify(error.message)}}`
  return `{"jsonrpc":"2.0",${idText(id)}"error":${body},${tail(timing)}`
}

/** `data` must be JSON text already. */
export function notificationText(channel: string, data: string): string {
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":${data}}}`
}

export function heartbeatText(type: 'heartbeat' | 'test_request'): string {
  return `{"params":{"type":"${type}"},"method":"heartbeat","jsonrpc":"2.0"}`
}

export function encodeResult(result: Json, spelling: Spelling): string {
  // A bare number as result is a whole one: get_time.
  return typeof result === 'number' && Number.isInteger(result) ? String(result) : encode(result, spelling)
}
