import { z } from '../platform/zod.js'
import type { Part } from './status.js'

/*
 * What each part says of itself in `state/<part>.json`, each second or so (`status.ts`): one object, every field of which a
 * reader can do without. `stopped` is the last word of a part that ended in order.
 */

/** A field that a part of another version may leave out or write otherwise: then it counts as absent. */
function optional<T extends z.ZodType>(type: T) {
  return type
    .nullish()
    .transform(value => value ?? undefined)
    .catch(undefined)
}

const count = optional(z.number())
const text = optional(z.string().min(1))
/** ISO 8601 to ms since the epoch. */
const moment = optional(z.iso.datetime().transform(Date.parse))

const failure = optional(
  z.union([
    z.string().min(1),
    z.looseObject({ message: z.string(), hint: z.string().nullish() }).transform(e => e.message),
  ]),
)

const connection = z.object({
  name: z.string(),
  state: text,
  sessions: count,
  reconnects: count,
  frames: count,
  frames_per_second: count,
  channels: count,
  last_frame_at: moment,
  last_error: failure,
})

/** How old frames were when they came, in seconds: by upper bound, each with all below it. */
const histogram = optional(z.object({ sum: z.number(), buckets: z.record(z.string(), z.number()) }))

const family = z.object({ frames: count, bytes: count, last_frame_at: moment, lag_ms: count, lag: histogram })

/** The last of what people look at first: a price, or an implied volatility in percent. */
const shown = z.object({ name: z.string(), price: count, bid: count, ask: count, iv: count, at: moment })

/** `state/recorder.json`, of several `state/recorder.<exchange>.json`; counts are since the recorder's start. */
export const recorderStatus = z.object({
  exchange: text,
  run: text,
  host: text,
  frames: count,
  bytes: count,
  stored_frames: count,
  compressed_bytes: count,
  lost_frames: count,
  /** What the disk says while it takes no frames. */
  disk_error: failure,
  waiting_bytes: count,
  sealed_segments: count,
  channels_planned: count,
  /** How far the exchange's clock is ahead of ours, as it was measured last. */
  exchange_offset_us: count,
  /** Channels and instruments that are asked for and that the exchange does not offer. */
  not_offered: z.array(z.string()).catch([]),
  families: z.record(z.string(), family).catch({}),
  shown: z.array(shown).catch([]),
  connections: z.array(connection).catch([]),
})

/** `state/compactor.json`; counts are since its start. */
export const compactorStatus = z.object({
  current_segment: text,
  last_segment: text,
  backlog_segments: count,
  segments: count,
  failed: count,
  failing: count,
  frames: count,
  rows: z.record(z.string(), z.number()).catch({}),
  double_rows: count,
  quarantined: count,
  known: count,
  last_error: failure,
})

/** `state/syncer.json`; sums are since its start. */
export const syncerStatus = z.object({
  state: text,
  target: text,
  backlog_files: count,
  backlog_bytes: count,
  unverified_files: count,
  oldest_unverified_age_s: count,
  verified_through: moment,
  shipped_files: count,
  shipped_bytes: count,
  verified_files: count,
  wrong_copies: count,
  missing_copies: count,
  retired_files: count,
  retired_bytes: count,
  problem_files: count,
  /** The first of them. */
  problems: z.array(z.object({ path: z.string(), reason: z.string() })).catch([]),
  failures_in_a_row: count,
  last_success: moment,
  last_error: failure,
  last_error_code: text,
  written_at: moment,
})

/** `state/monitor.json`, written when `serve` begins and ends. */
export const monitorStatus = z.object({ url: text })

export type RecorderStatus = z.infer<typeof recorderStatus>
export type CompactorStatus = z.infer<typeof compactorStatus>
export type SyncerStatus = z.infer<typeof syncerStatus>

/** What a part writes: the fields that readers know, in their spelling, and what else it has to say. */
export type Said<P extends Part> = z.input<Schemas[P]> & Record<string, unknown>

interface Schemas extends Record<Part, z.ZodType> {
  recorder: typeof recorderStatus
  compactor: typeof compactorStatus
  syncer: typeof syncerStatus
  monitor: typeof monitorStatus
}
