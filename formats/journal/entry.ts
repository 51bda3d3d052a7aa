import { parsedJson } from '../../platform/json-object.js'
import { groupBy } from '../../platform/group-by.js'
import { EVENTS, isEventName, type DetailOf, type EventName, type FactsOf } from './events.js'
import type { Field } from './fields.js'

/** An event as it is read. */
export type JournalEvent = {
  [Name in EventName]: { readonly event: Name; readonly detail: Readonly<DetailOf<Name>> }
}[EventName]

/** One entry of the journal: who wrote it, when (µs since the epoch by the receive clock), and what. */
export type JournalEntry = JournalEvent & {
  /** Of which exchange's recorder. */
  readonly exchange: string
  readonly host: string
  readonly run: string
  readonly recvUs: number
}

/** The entries of each exchange by itself: recorders of several know nothing of each other, though they share a host. Pure. */
export function byExchange<Entry extends { readonly exchange: string }>(entries: readonly Entry[]): Entry[][] {
  return [...groupBy(entries, ({ exchange }) => exchange).values()]
}

export type EntryOf<Name extends EventName> = Extract<JournalEntry, { readonly event: Name }>

/**
 * What an event's JSON value says; undefined for what is no event. One that only a later version knows says that its run
 * lived then, and no more.
 */
export function journalEventOf(value: unknown): JournalEvent | undefined {
  if (typeof value !== 'object' || value === null || !('event' in value)) return undefined
  const { event } = value
  if (typeof event !== 'string') return undefined
  if (!isEventName(event) || EVENTS[event].by === 'nobody') return { event: 'heard', detail: {} }
  const { must, may } = EVENTS[event]
  const detail: Record<string, unknown> = {}
  const fields: Readonly<Record<string, Field<unknown>>> = { ...must, ...may }
  for (const [name, read] of Object.entries(fields)) {
    const found = read((value as Record<string, unknown>)[name])
    if (found !== undefined) detail[name] = found
  }
  return { event, detail } as JournalEvent
}

/** The same of the text of a frame. */
export const parseJournalEvent = (text: string) => journalEventOf(parsedJson(text))

/** The frame of an event, as it stands in a line of the journal. */
export function journalFrame<Name extends EventName>(event: Name, facts: FactsOf<Name>): string {
  return JSON.stringify({ event, ...facts })
}
