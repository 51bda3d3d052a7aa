import type { Json } from '../../../simulator/json.js'

/** The errors that a recorder can meet, by code, with the exchange's own messages. */
const MESSAGES = {
  10001: 'error',
  10020: 'invalid_or_unsupported_instrument',
  10028: 'too_many_requests',
  10030: 'must_be_websocket_request',
  10047: 'matching_engine_queue_full',
  11029: 'invalid_arguments',
  11050: 'bad_request',
  11051: 'system_maintenance',
  13004: 'invalid_credentials',
  13009: 'unauthorized',
  13020: 'not_found',
  13028: 'temporarily_unavailable',
  13503: 'unavailable',
  13778: 'raw_subscriptions_not_available_for_unauthorized',
  [-32000]: 'Missing params',
  [-32600]: 'Invalid Request',
  [-32601]: 'Method not found',
  [-32602]: 'Invalid params',
} as const

export type RpcCode = keyof typeof MESSAGES

/** An error answer: code, message, and perhaps data, as the wire shows it. */
export class RpcError extends Error {
  override readonly name = 'RpcError'

  constructor(
    readonly code: number,
    message: string,
    readonly data?: Json,
  ) {
    super(message)
  }
}

export function rpcError(code: RpcCode, data?: Json): RpcError {
  return new RpcError(code, MESSAGES[code], data)
}

/** -32602 with the reason and the parameter it is about. */
export function invalidParam(reason: string, param: string): RpcError {
  return rpcError(-32602, { reason, param })
}
