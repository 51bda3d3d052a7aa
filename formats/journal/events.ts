import { counts, flag, id, number, ranges, text, texts, us, type Field } from './fields.js'

/**
 * What an event does to what is known of the data:
 * - `run`: a run of a recorder begins, ends, or showed that it lives;
 * - `carries`: which channels are wanted, and which connection brings them, changes;
 * - `opens`, `closes`: from here on something is missing or late; from here on it is not any more;
 * - `misses`: a whole span in which frames are missing, or may be;
 * - `covers`: a span that one connection did not bring and another one did;
 * - `heals`: what was missing came after all;
 * - `nothing`: it is written for people.
 */
export type Effect = 'run' | 'carries' | 'opens' | 'closes' | 'misses' | 'covers' | 'heals' | 'nothing'

/** Who writes it. `nobody`: it stands in no journal; the files say as much. */
export type Writer = 'recorder' | 'connection' | 'exchange' | 'storage' | 'compactor' | 'nobody'

type Fields = Readonly<Record<string, Field<unknown>>>

interface Event<Must extends Fields, May extends Fields> {
  by: Writer
  effect: Effect
  /** Fields that whoever writes it today gives, and those that it may give. */
  must: Must
  may: May
}

function event<Must extends Fields, May extends Fields>(
  by: Writer,
  effect: Effect,
  must: Must,
  may: May,
): Event<Must, May> {
  return { by, effect, must, may }
}

const span = { from_us: us, to_us: us }
const conn = { conn: text }
const session = { conn: text, session: number }
const seqs = { from_seq: number, to_seq: number }
const ids = { change_id: id, prev_change_id: id, last_change_id: id }
const nothing = {}

/**
 * All that a journal may say, an event a row: the frame of a line is `{"event":NAME,…}` with these fields. Nothing else is
 * written, as the writers take their types from here, and nothing else is read. docs/journal.md explains it to people.
 */
export const EVENTS = {
  started: event(
    'recorder',
    'run',
    {
      ...{ version: text, host: text, run: text, exchange: text },
      ...{ flush_ms: number, fsync_ms: number, rotate_minutes: number },
    },
    { took_over: flag, since_us: us },
  ),
  stopped: event('recorder', 'run', { reason: text }, nothing),
  inherited: event('storage', 'run', { exchange: text, host: text, segments: number }, nothing),
  /** Something of the run was received then: a row, a frame, an event of a later version. */
  heard: event('nobody', 'run', nothing, nothing),
  /** The run was not heard of any more. */
  ceased: event('nobody', 'run', nothing, nothing),

  connected: event('connection', 'carries', { ...session, url: text }, { message: text }),
  live: event('connection', 'closes', { ...conn, channels: number }, nothing),
  disconnected: event(
    'connection',
    'opens',
    { ...session, cause: text, code: number },
    { reason: text, before_live: flag, message: text, hint: text },
  ),
  connect_failed: event(
    'connection',
    'nothing',
    { ...session, cause: text, code: number, message: text },
    { reason: text, before_live: flag, hint: text },
  ),
  subscribed: event('connection', 'carries', { ...conn, channels: texts }, { reason: text }),
  unsubscribed: event('exchange', 'carries', { ...conn, channels: texts }, { reason: text }),
  rejected: event(
    'exchange',
    'carries',
    { ...conn, channels: texts, message: text, again_in_s: id },
    { code: id, instead: text, since_us: number },
  ),
  subscriptions: event('recorder', 'carries', { ...conn, channels: texts, part: number, parts: number }, nothing),
  planned: event('recorder', 'nothing', { channels: number, connections: number }, nothing),
  instruments_added: event('recorder', 'nothing', { instruments: texts }, nothing),
  instruments_removed: event('recorder', 'carries', { instruments: texts }, { reason: text }),
  unlisted: event('exchange', 'misses', { instrument: text, ...span, cause: text }, nothing),
  not_offered: event('recorder', 'carries', { reason: text }, { channels: texts, instruments: texts }),
  trades_renumbered: event('exchange', 'nothing', { instrument: text, last_seq: id, first_seq: id, ...span }, nothing),
  discovery_failed: event('recorder', 'nothing', { message: text }, { hint: text }),
  maintenance: event('exchange', 'nothing', conn, nothing),
  login_refused: event('exchange', 'nothing', { ...conn, code: id, message: text }, nothing),

  gap: event('connection', 'misses', { ...conn, ...span, cause: text, families: texts }, { also: texts }),
  silent: event(
    'connection',
    'misses',
    { ...conn, ...span, cause: text, family: text },
    { also: texts, channels: texts },
  ),
  lost: event('storage', 'misses', { channel: text, ...span, frames: number, cause: text }, nothing),
  covered: event(
    'connection',
    'covers',
    { ...conn, ...span, by: text, cause: text, families: texts },
    { watched: texts },
  ),

  book_break: event(
    'exchange',
    'opens',
    { ...conn, channel: text, family: text, instrument: text, ...ids, ...span },
    { message: text },
  ),
  resync: event('exchange', 'heals', { ...conn, channel: text, instrument: text, change_id: id, ...span }, nothing),
  /** Without numbers: of trades that have none, seen by comparing lists. */
  trade_hole: event(
    'exchange',
    'opens',
    { instrument: text, ...span, cause: text },
    { ...seqs, family: text, channel: text },
  ),
  /** Without an instrument: trades of a span that were not even looked for. */
  backfill: event(
    'exchange',
    'heals',
    { outcome: text },
    { instrument: text, family: text, ...seqs, trades: number, got: ranges, message: text, ...span },
  ),

  /**
   * The exchange's lists of trades of a span were compared with what came: whatever they have beyond it has a `trade_hole`.
   * `scopes`: names of instruments, or kind and currency; `trades`: how many the run has recorded until then.
   */
  compared: event('exchange', 'heals', { scopes: texts, ...span }, { trades: number }),

  /** The recorder itself did not run: what came meanwhile waited in the sockets, and is stamped late. */
  stood_still: event('recorder', 'misses', { ...span }, nothing),
  clock: event(
    'recorder',
    'nothing',
    { offset_us: us, drift_us: us, exchange_offset_us: id, round_trip_us: id },
    nothing,
  ),
  clock_step: event('recorder', 'misses', { step_us: us }, nothing),
  paused: event('storage', 'opens', { waiting_bytes: number }, nothing),
  resumed: event('storage', 'closes', { waiting_bytes: number }, nothing),
  disk_error: event('storage', 'opens', { what: text, message: text }, nothing),
  disk_again: event('storage', 'closes', { after_ms: number, message: text }, nothing),
  made_room: event('storage', 'nothing', { files: texts, bytes: number }, nothing),
  room_again: event('storage', 'closes', { after_ms: number }, nothing),
  /** A segment goes on beyond its hour: until then a copy has to wait for it. Written when it is begun, and in each hour. */
  goes_on: event('storage', 'nothing', { path: text, to_us: us }, nothing),
  segment_recovered: event(
    'storage',
    'nothing',
    { path: text, frames: number, torn_bytes: number, cut_lines: number },
    nothing,
  ),
  segment_unreadable: event('storage', 'misses', { path: text, moved_to: text }, nothing),

  error: event('exchange', 'nothing', { message: text }, { ...conn, channels: texts, code: id, hint: text }),
  odd_frame: event(
    'connection',
    'nothing',
    { ...conn, seq: number, message: text },
    { bytes: number, family: text, frames: number },
  ),
  /** Frames came that are no whole JSON: nothing can be read of what was in them. `frames` in number, from one good frame to the next. */
  not_whole: event('connection', 'misses', { ...conn, ...span, family: text, frames: number }, { channels: texts }),
  repeated: event('recorder', 'nothing', { of: text, message: text, count: number, ...span }, nothing),
  /** What coverage has of it, it reads in the quarantine itself. */
  quarantined: event(
    'compactor',
    'nothing',
    {
      ...{ channel: text, segment: text, frames: number, reasons: counts },
      ...{ host: text, run: text },
    },
    { reason: text },
  ),
} as const satisfies Readonly<Record<string, Event<Fields, Fields>>>

export type EventName = keyof typeof EVENTS

type Read<Of extends Fields> = { readonly [K in keyof Of]: NonNullableOrNull<ReturnType<Of[K]>> }
type NonNullableOrNull<Value> = Exclude<Value, undefined>

/** The fields of an event as they are written. */
export type FactsOf<Name extends EventName> = Read<(typeof EVENTS)[Name]['must']> &
  Partial<Read<(typeof EVENTS)[Name]['may']>>

/** Writes an event. */
export type WriteEvent = <Name extends EventName>(event: Name, facts: FactsOf<Name>) => void

/** The same for whoever adds the name of the connection. */
export type WriteEventOfConn = <Name extends EventOfConn>(event: Name, facts: Omit<FactsOf<Name>, 'conn'>) => void
export type EventOfConn = {
  [Name in EventName]: 'conn' extends keyof FactsOf<Name> ? Name : never
}[EventName]

/** The fields of an event as they are read: any may be missing. */
export type DetailOf<Name extends EventName> = Partial<FactsOf<Name>>

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name)
}
