import type { CoverageDay, EventOfDay } from '../../coverage/account/day.js'
import type { ReportFile } from '../../formats/report-path.js'
import type { OpenElsewhere } from '../../formats/left-open.js'
import type { Gap } from '../../formats/journal/gap.js'
import type { ArchiveSeen } from './archive-seen.js'
import { connectionsOf, type ConnectionSeen } from './connections-seen.js'
import { diskOf, type DiskSeen } from './disk-growth.js'
import type { DiskUse, Space } from './disk-use.js'
import { exchangeSeen, type ExchangeSeen } from './exchange-seen.js'
import { byInterest, familiesOf, type FamilySeen } from './families-seen.js'
import { compactorStatus, recorderStatus, syncerStatus, type CompactorStatus } from '../../formats/part-status.js'
import type { RecorderStatus, SyncerStatus } from '../../formats/part-status.js'
import { isRecorder, titleOf, type PartReport } from './parts.js'
import { noRates, type Rates } from './rates.js'
import type { VersionsSeen } from './versions-seen.js'
import { syncOf, type SyncSeen } from './sync-seen.js'

/** All that the files say at one moment. Undefined, or left out in JSON, is what no file says. Times are ms since the epoch. */
export interface Observation {
  atMs: number
  parts: PartReport[]
  /** When a frame of an exchange's data was last received; undefined: never in this run. */
  lastDataMs: number | undefined
  /** Each recorder, and the same of its exchange. */
  recorders: { report: PartReport; status: RecorderStatus; lastDataMs: number | undefined }[]
  exchanges: ExchangeSeen[]
  connections: ConnectionSeen[]
  families: FamilySeen[]
  /** Of several recorders the sum. */
  recorder: RecorderStatus
  compactor: CompactorStatus
  syncer: SyncerStatus
  segments: { open: number; openBytes: number; waiting: number | undefined }
  /** Segments that recorders other than the one whose status this is have open, or left open. */
  openElsewhere: readonly OpenElsewhere[]
  quarantine: { files: number; bytes: number }
  sync: SyncSeen | undefined
  disk: DiskSeen | undefined
  /** What the journal says of the last 24 hours, by its begin; what is missing is in the account. */
  gaps: Gap[]
  /** Of this machine, or of the container or unit that the parts run in. */
  memoryLimitBytes?: number
  /** The account of today, once it was measured. */
  today?: CoverageDay
  /** The same of the last 24 hours: events that left something missing, and how many healed. */
  recent?: { losses: EventOfDay[]; healed: number }
  /** How far files were proven since they were written, and what rotted. */
  archive?: ArchiveSeen
  /** Reports of days that lie here, the newest first. */
  reports: readonly ReportFile[]
  versions?: VersionsSeen
}

/** What was read, each as fresh as it is looked at. */
export interface Sources {
  atMs: number
  parts: PartReport[]
  /** By recorder, as it is called. */
  rates: ReadonlyMap<string, Rates>
  gaps: Gap[]
  use: DiskUse | undefined
  space: Space | undefined
  elsewhere?: readonly OpenElsewhere[]
  reports?: readonly ReportFile[]
  archive?: ArchiveSeen | undefined
  memoryLimitBytes?: number
  versions?: VersionsSeen | undefined
}

/** Puts together what was read. Pure. */
export function observationOf({
  atMs,
  parts,
  rates,
  gaps,
  use,
  space,
  elsewhere = [],
  reports = [],
  archive,
  memoryLimitBytes,
  versions,
}: Sources): Observation {
  const statusOf = (part: string) => parts.find(report => report.part === part)?.status ?? {}
  const compactor = compactorStatus.parse(statusOf('compactor'))
  const syncer = syncerStatus.parse(statusOf('syncer'))
  const seen = parts.filter(isRecorder).map(report => {
    const status = recorderStatus.parse(report.status)
    const own = report.state === 'running' ? (rates.get(titleOf(report)) ?? noRates) : undefined
    const families = familiesOf(status, own, atMs)
    return { report, status, families, connections: connectionsOf(status, own), lastDataMs: lastDataMs(families) }
  })
  const families = seen.flatMap(({ families }) => families).sort(byInterest)
  return {
    atMs,
    parts,
    lastDataMs: lastDataMs(families),
    recorders: seen.map(({ report, status, lastDataMs }) => ({ report, status, lastDataMs })),
    exchanges: seen.map(exchangeSeen),
    connections: seen.flatMap(({ connections }) => connections),
    families,
    recorder: together(seen.map(({ status }) => status)),
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
    reports,
    ...(archive && { archive }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
    ...(versions && { versions }),
  }
}

function lastDataMs(families: readonly FamilySeen[]): number | undefined {
  const last = Math.max(-1, ...families.filter(seen => seen.isStreamed).map(seen => seen.lastFrameMs ?? -1))
  return last < 0 ? undefined : last
}

/** Counts of several recorders as one's. */
function together(statuses: readonly RecorderStatus[]): RecorderStatus {
  const [first = recorderStatus.parse({}), ...others] = statuses
  if (others.length === 0) return first
  const sums = COUNTS.map(key => {
    const counts = statuses.flatMap(status => status[key] ?? [])
    return [key, counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)] as const
  })
  const connections = statuses.flatMap(status => status.connections)
  const ofAll = {
    disk_error: statuses.find(({ disk_error }) => disk_error !== undefined)?.disk_error,
    exchange_offset_us: farthest(statuses.flatMap(({ exchange_offset_us: us }) => us ?? [])),
    not_offered: statuses.flatMap(({ not_offered }) => not_offered),
  }
  return {
    ...first,
    exchange: undefined,
    run: undefined,
    ...Object.fromEntries(sums),
    ...ofAll,
    families: {},
    connections,
  }
}

/** The one that is farthest from 0. */
const farthest = (offsets: readonly number[]) => [...offsets].sort((a, b) => Math.abs(b) - Math.abs(a))[0]

const COUNTS = [
  ...(['frames', 'bytes', 'stored_frames', 'compressed_bytes', 'lost_frames'] as const),
  ...(['waiting_bytes', 'sealed_segments', 'channels_planned'] as const),
]
