import { familyOf } from '../../exchanges/exchange.js'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'
import type { OpenElsewhere } from '../../formats/left-open.js'
import type { DiskUse } from './disk-use.js'
import { growthPerDay } from './disk-use.js'
import type { Gap } from '../../formats/journal/gap.js'
import { gapsWithin } from '../../formats/journal/gaps.js'
import { compactorStatus, recorderStatus, syncerStatus, type CompactorStatus } from './part-status.js'
import type { RecorderStatus, SyncerStatus } from './part-status.js'
import type { PartReport } from './parts.js'
import type { Rates } from './rates.js'

/** All that the files say at one moment. Undefined, or left out in JSON, is what no file tells. Times are ms since the epoch. */
export interface Observation {
  atMs: number
  parts: PartReport[]
  /** When a frame of the exchange's data was last received; undefined: never in this run. */
  lastDataMs: number | undefined
  connections: ConnectionSeen[]
  families: FamilySeen[]
  recorder: RecorderStatus
  compactor: CompactorStatus
  syncer: SyncerStatus
  segments: { open: number; openBytes: number; waiting: number | undefined }
  /** Segments that recorders other than the one whose status this is have open, or left open. */
  openElsewhere: readonly OpenElsewhere[]
  quarantine: { files: number; bytes: number }
  sync: SyncSeen | undefined
  disk: DiskSeen | undefined
  /** Of the last 24 hours, by their begin. */
  gaps: Gap[]
}

export interface ConnectionSeen {
  name: string
  state: string | undefined
  framesPerSecond: number | undefined
  lastFrameMs: number | undefined
  reconnects: number | undefined
  channels: number | undefined
  lastError: string | undefined
}

export interface FamilySeen {
  family: string
  /** The exchange sends it by itself: it can fall silent. */
  isStreamed: boolean
  frames: number
  bytes: number
  framesPerSecond: number | undefined
  bytesPerSecond: number | undefined
  lastFrameMs: number | undefined
  /** It flows all the time while the exchange is open, and brings nothing now. */
  isQuiet: boolean
  /** Receive time less the exchange's time. */
  lagMs: number | undefined
  /** Since midnight, UTC; what healed is left out. */
  gapsToday: number
  gapSecondsToday: number
}

export interface SyncSeen {
  target: string | undefined
  state: string | undefined
  files: number | undefined
  bytes: number | undefined
  /** Age of the oldest file that is not verified at the target. */
  behindMinutes: number | undefined
  verifiedThroughMs: number | undefined
  lastError: string | undefined
}

export interface DiskSeen {
  freeBytes: number
  sizeBytes: number
  rawBytes: number
  parquetBytes: number
  growthBytesPerDay: number | undefined
  /** Until it is full if nothing were deleted any more. */
  daysLeft: number | undefined
}

/** What was read, each as fresh as it is looked at. */
export interface Sources {
  atMs: number
  parts: PartReport[]
  rates: Rates
  gaps: Gap[]
  use: DiskUse | undefined
  space: { freeBytes: number; sizeBytes: number } | undefined
  elsewhere?: readonly OpenElsewhere[]
}

/** Puts together what was read. Pure. */
export function observationOf({ atMs, parts, rates, gaps, use, space, elsewhere = [] }: Sources): Observation {
  const statusOf = (part: string) => parts.find(report => report.part === part)?.status ?? {}
  const recorder = recorderStatus.parse(statusOf('recorder'))
  const compactor = compactorStatus.parse(statusOf('compactor'))
  const syncer = syncerStatus.parse(statusOf('syncer'))
  const runs = parts.some(({ part, state }) => part === 'recorder' && state === 'running')
  const families = familiesOf(recorder, runs, rates, gaps, atMs)
  const lastDataMs = Math.max(-1, ...families.filter(seen => seen.isStreamed).map(seen => seen.lastFrameMs ?? -1))
  return {
    atMs,
    parts,
    lastDataMs: lastDataMs < 0 ? undefined : lastDataMs,
    connections: connectionsOf(recorder, runs ? rates : undefined),
    families,
    recorder,
    compactor,
    syncer,
    segments: {
      open: use?.open.files ?? 0,
      openBytes: use?.open.bytes ?? 0,
      waiting: compactor.backlog_segments,
    },
    openElsewhere: elsewhere,
    quarantine: use?.quarantine ?? { files: 0, bytes: 0 },
    sync: syncOf(syncer, parts, atMs),
    disk: use && space && diskOf(use, space),
    gaps,
  }
}

/** A family that flows all the time and brings nothing for this long is marked, ms. */
const QUIET_MS = 60_000

function familiesOf(recorder: RecorderStatus, runs: boolean, rates: Rates, gaps: readonly Gap[], atMs: number) {
  const todayUs = (atMs - (atMs % 86_400_000)) * 1000
  const exchange = recorder.exchange === undefined ? exchanges[0] : exchangeNamed(recorder.exchange)
  const seen = Object.entries(recorder.families).map(([family, told]): FamilySeen => {
    const facts = familyOf(exchange, family)
    const rate = runs ? rates.families.get(family) : undefined
    const today = gapsWithin(gaps, family, todayUs, atMs * 1000)
    return {
      family,
      isStreamed: facts.comes === 'streamed',
      frames: told.frames ?? 0,
      bytes: told.bytes ?? 0,
      framesPerSecond: rate?.frames,
      bytesPerSecond: rate?.bytes,
      lastFrameMs: told.last_frame_at,
      isQuiet: runs && facts.steady === true && atMs - (told.last_frame_at ?? 0) > QUIET_MS,
      lagMs: told.lag_ms,
      gapsToday: today.count,
      gapSecondsToday: today.seconds,
    }
  })
  return seen.sort((a, b) => Number(b.isStreamed) - Number(a.isStreamed) || b.frames - a.frames)
}

function connectionsOf(recorder: RecorderStatus, rates: Rates | undefined): ConnectionSeen[] {
  return recorder.connections.map(told => ({
    name: told.name,
    state: told.state,
    framesPerSecond: rates && (told.frames_per_second ?? rates.connections.get(told.name)),
    lastFrameMs: told.last_frame_at,
    reconnects: told.reconnects ?? (told.sessions === undefined ? undefined : Math.max(0, told.sessions - 1)),
    channels: told.channels,
    lastError: told.last_error,
  }))
}

/** Undefined where no syncer ever ran: nothing is to be shipped. */
function syncOf(syncer: SyncerStatus, parts: readonly PartReport[], atMs: number): SyncSeen | undefined {
  if (!parts.some(({ part, state }) => part === 'syncer' && state !== 'never ran')) return undefined
  const { written_at: writtenMs, unverified_files: unverified, oldest_unverified_age_s: ageS } = syncer
  // A syncer that is gone, or waits for its target, falls behind while its status stands still.
  const sinceMs = writtenMs === undefined || !unverified ? 0 : Math.max(0, atMs - writtenMs)
  return {
    target: syncer.target,
    state: syncer.state,
    files: syncer.backlog_files,
    bytes: syncer.backlog_bytes,
    behindMinutes: ageS === undefined ? undefined : (ageS + sinceMs / 1000) / 60,
    verifiedThroughMs: syncer.verified_through,
    lastError: (syncer.failures_in_a_row ?? 0) > 0 ? syncer.last_error : undefined,
  }
}

function diskOf(use: DiskUse, space: NonNullable<Sources['space']>): DiskSeen {
  const growth = growthPerDay(use)
  return {
    ...space,
    rawBytes: use.raw.bytes,
    parquetBytes: use.parquet.bytes,
    growthBytesPerDay: growth,
    daysLeft: growth === undefined || growth === 0 ? undefined : space.freeBytes / growth,
  }
}
