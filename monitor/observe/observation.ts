import type { OpenElsewhere } from '../../formats/left-open.js'
import type { Gap } from '../../formats/journal/gap.js'
import { connectionsOf, type ConnectionSeen } from './connections-seen.js'
import { diskOf, type DiskSeen } from './disk-growth.js'
import type { DiskUse, Space } from './disk-use.js'
import { familiesOf, type FamilySeen } from './families-seen.js'
import { compactorStatus, recorderStatus, syncerStatus, type CompactorStatus } from '../../formats/part-status.js'
import type { RecorderStatus, SyncerStatus } from '../../formats/part-status.js'
import type { PartReport } from './parts.js'
import type { Rates } from './rates.js'
import { syncOf, type SyncSeen } from './sync-seen.js'

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

/** What was read, each as fresh as it is looked at. */
export interface Sources {
  atMs: number
  parts: PartReport[]
  rates: Rates
  gaps: Gap[]
  use: DiskUse | undefined
  space: Space | undefined
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
