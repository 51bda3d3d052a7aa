/**
 * What the exchange's refusals mean for whoever asked.
 * - `passes`: of the exchange or of this moment; the same question is answered later
 * - `login`: whoever asks may not; logging in again may help, the same login does not
 * - `raw`: this connection gets no raw channels
 * - `notThere`: what was asked about is not there, or not any more
 * - `params`: about the question, which may name an instrument that is not there
 */
type Meaning = 'passes' | 'login' | 'raw' | 'notThere' | 'params'

interface Refusal {
  name: string
  means: Meaning
  /** What a person may do. */
  hint?: string
}

export const TOO_MANY_REQUESTS = 10028

/** Every refusal that we do something about, by code; source: the exchange's documentation, "RPC error codes". */
const REFUSALS: Readonly<Record<number, Refusal>> = {
  [-32602]: { name: 'Invalid params', means: 'params' },
  // The exchange ends the connection that it answers so.
  [TOO_MANY_REQUESTS]: {
    name: 'too_many_requests',
    means: 'passes',
    hint: 'the exchange ends connections that ask for too much: lower exchange.polls.callsPerSecond, or ask less with other programs',
  },
  10020: { name: 'invalid_or_unsupported_instrument', means: 'notThere' },
  10040: { name: 'retry', means: 'passes' },
  10041: { name: 'settlement_in_progress', means: 'passes' },
  10047: { name: 'matching_engine_queue_full', means: 'passes' },
  10048: { name: 'not_on_this_server', means: 'passes' },
  10066: { name: 'too_many_concurrent_requests', means: 'passes' },
  11042: { name: 'permission_denied', means: 'login' },
  11051: {
    name: 'system_maintenance',
    means: 'passes',
    hint: 'maintenance: the recorder resumes by itself when it is over',
  },
  11052: { name: 'subscribe_error_unsubscribed', means: 'passes' },
  11056: {
    name: 'unauthenticated_public_requests_temporarily_disabled',
    means: 'passes',
    hint: 'the exchange answers only those who log in at present: set DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET',
  },
  11094: { name: 'internal_server_error', means: 'passes' },
  13004: { name: 'invalid_credentials', means: 'login' },
  13009: { name: 'unauthorized', means: 'login' },
  13020: { name: 'not_found', means: 'notThere' },
  13021: { name: 'forbidden', means: 'login' },
  13028: { name: 'temporarily_unavailable', means: 'passes' },
  13503: { name: 'unavailable', means: 'passes' },
  13778: {
    name: 'raw_subscriptions_not_available_for_unauthorized',
    means: 'raw',
    hint: 'set DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET, or exchange.interval: 100ms',
  },
  13888: { name: 'timed_out', means: 'passes' },
}

/** Undefined: the exchange says no more than that it does not do this. */
export const meaningOf = (code: number): Meaning | undefined => REFUSALS[code]?.means

/** What a person may do about a refusal. */
export const hintOf = (code: number): string | undefined => REFUSALS[code]?.hint

/** All refusals of a meaning. */
export function refusalsThat(means: Meaning): { code: number; message: string }[] {
  return Object.entries(REFUSALS)
    .filter(([, refusal]) => refusal.means === means)
    .map(([code, { name }]) => ({ code: Number(code), message: name }))
}
