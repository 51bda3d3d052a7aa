import type { SessionLink } from '../../../exchanges/adapter.js'

/** A connection that keeps what is said on it. */
export function silentLink(into: { sent?: string[]; journal?: object[]; complaints?: object[] } = {}): SessionLink {
  return {
    conn: 'd1',
    send: text => void into.sent?.push(text),
    ping: () => undefined,
    journal: (event, facts) => void into.journal?.push({ event, ...facts }),
    subscribed: (channels, facts) => void into.journal?.push({ event: 'subscribed', channels, ...facts }),
    nowUs: () => 1,
    complain: complaint => void into.complaints?.push(complaint),
    limited: () => undefined,
    maintenance: facts => void into.journal?.push({ event: 'maintenance', ...facts }),
    measured: () => undefined,
    fail: () => undefined,
  }
}
