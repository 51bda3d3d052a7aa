import { unionOf, type Span } from './spans.js'

/** One line of the journal, as Parquet has it. */
export interface JournalEvent {
  /** Host and run of the recorder that wrote it. */
  run: string
  recvUs: number
  event: string
  detail: Readonly<Record<string, unknown>>
}

/**
 * When each channel was subscribed, by the journal: from the exchange's answer to the end of the connection, whichever
 * connection it was on. Events come in the order of their run.
 * @param runEndsUs when a run was last heard of, for runs that were killed or still go on
 */
export function subscribedSpans(
  events: readonly JournalEvent[],
  runEndsUs: ReadonlyMap<string, number>,
): Map<string, Span[]> {
  const spans = new Map<string, Span[]>()
  /** Channels of living connections: run and connection → channel → since when. */
  const open = new Map<string, Map<string, number>>()
  const close = (connection: string, channels: readonly string[], toUs: number) => {
    const since = open.get(connection)
    for (const channel of channels) {
      const fromUs = since?.get(channel)
      since?.delete(channel)
      if (fromUs === undefined || fromUs >= toUs) continue
      const known = spans.get(channel)
      if (known) known.push({ fromUs, toUs })
      else spans.set(channel, [{ fromUs, toUs }])
    }
  }
  const closeAll = (connection: string, toUs: number) =>
    close(connection, [...(open.get(connection)?.keys() ?? [])], toUs)

  for (const { run, recvUs, event, detail } of events) {
    const connection = `${run}/${String(detail['conn'])}`
    if (event === 'subscribed') {
      const since = open.get(connection) ?? new Map<string, number>()
      open.set(connection, since)
      for (const channel of channelsOf(detail)) if (!since.has(channel)) since.set(channel, recvUs)
    } else if (event === 'unsubscribed') close(connection, channelsOf(detail), recvUs)
    else if (event === 'disconnected') closeAll(connection, recvUs)
    else if (event === 'stopped') for (const key of ofRun(open, run)) closeAll(key, recvUs)
  }
  for (const [connection] of open) {
    const run = connection.slice(0, connection.lastIndexOf('/'))
    closeAll(connection, runEndsUs.get(run) ?? 0)
  }
  return new Map([...spans].map(([channel, list]) => [channel, unionOf(list)]))
}

function ofRun(open: ReadonlyMap<string, unknown>, run: string): string[] {
  return [...open.keys()].filter(key => key.startsWith(`${run}/`))
}

/** The channels that an event names; a journal of a later version may name none. */
export function channelsOf(detail: Readonly<Record<string, unknown>>): string[] {
  const channels = detail['channels']
  return Array.isArray(channels) ? channels.filter(channel => typeof channel === 'string') : []
}
