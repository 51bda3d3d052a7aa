/** What lines name as their connection that came by no WebSocket, but was asked for: their stamps are of the recorder's clock itself. */

/** Answers of the exchange's HTTP API. */
export const ANSWERED_OVER_HTTP = 'http'
/** Of those, the trades that were fetched for a hole. */
export const FETCHED_FOR_HOLE = 'backfill'

export const ASKED_CONNECTIONS: readonly string[] = [ANSWERED_OVER_HTTP, FETCHED_FOR_HOLE]
