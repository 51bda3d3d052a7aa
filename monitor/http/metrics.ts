import { Counter, Gauge, Registry } from 'prom-client'
import { version } from '../../platform/package-info.js'
import type { Gap } from '../../formats/journal/gap.js'
import type { Health } from '../observe/health.js'
import type { Observation } from '../observe/observation.js'

/** One value of a metric; undefined: no file tells it, and it is left out. */
type Sample = readonly [labels: Record<string, string>, value: number | undefined]

export interface Metric {
  name: string
  help: string
  type: 'counter' | 'gauge'
  labels?: readonly string[]
  read: (seen: Observation, health: Health) => readonly Sample[] | number | undefined
}

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)
const parsed = (iso: string | undefined) => (iso === undefined ? undefined : Date.parse(iso) / 1000)

/** Samples of each family. */
function byFamily(value: (family: Observation['families'][number]) => number | undefined): Metric['read'] {
  return ({ families }) => families.map(seen => [{ family: seen.family }, value(seen)])
}

/** Samples of each connection. */
function byConnection(value: (connection: Observation['connections'][number]) => number | undefined): Metric['read'] {
  return ({ connections }) => connections.map(seen => [{ connection: seen.name }, value(seen)])
}

/** Samples of each part. */
function byPart(value: (report: Observation['parts'][number]) => number | undefined): Metric['read'] {
  return ({ parts }) => parts.map(report => [{ part: report.part }, value(report)])
}

function countKinds(gaps: readonly Gap[], which: (gap: Gap) => boolean): Sample[] {
  const counts = new Map<string, number>()
  for (const gap of gaps) counts.set(gap.kind, (counts.get(gap.kind) ?? 0) + Number(which(gap)))
  return [...counts].map(([kind, count]) => [{ kind }, count])
}

/** Every metric there is, once. Counters count since the start of the part that they are about. */
export const metrics: readonly Metric[] = [
  {
    name: 'edgetape_build_info',
    help: 'Version of edgetape, as a label; always 1.',
    type: 'gauge',
    labels: ['version'],
    read: () => [[{ version }, 1]],
  },
  {
    name: 'edgetape_healthy',
    help: 'Whether data is being recorded, as /healthz says: 1 or 0.',
    type: 'gauge',
    read: (_seen, { live }) => Number(live.length === 0),
  },
  {
    name: 'edgetape_ready',
    help: 'Whether data is being recorded and every part is up, as /readyz says: 1 or 0.',
    type: 'gauge',
    read: (_seen, { ready }) => Number(ready.length === 0),
  },
  {
    name: 'edgetape_part_up',
    help: 'Whether the process of a part is running: 1 or 0.',
    type: 'gauge',
    labels: ['part'],
    read: byPart(({ state }) => Number(state === 'running')),
  },
  {
    name: 'edgetape_part_stopped',
    help: 'Whether a part was stopped in order, so that nobody is to be woken for it: 1 or 0.',
    type: 'gauge',
    labels: ['part'],
    read: byPart(({ state }) => Number(state === 'stopped')),
  },
  {
    name: 'edgetape_part_start_time_seconds',
    help: 'When the process of a part started, seconds since the epoch.',
    type: 'gauge',
    labels: ['part'],
    read: byPart(({ since }) => parsed(since)),
  },
  {
    name: 'edgetape_part_status_timestamp_seconds',
    help: 'When a part last wrote its status, seconds since the epoch; compactor and syncer write only when they work.',
    type: 'gauge',
    labels: ['part'],
    read: byPart(({ writtenAt }) => parsed(writtenAt)),
  },
  {
    name: 'edgetape_frames_received_total',
    help: 'Frames received, by channel family.',
    type: 'counter',
    labels: ['family'],
    read: byFamily(({ frames }) => frames),
  },
  {
    name: 'edgetape_received_bytes_total',
    help: 'Bytes of frames received, uncompressed, by channel family.',
    type: 'counter',
    labels: ['family'],
    read: byFamily(({ bytes }) => bytes),
  },
  {
    name: 'edgetape_family_last_frame_timestamp_seconds',
    help: 'When the last frame of a channel family was received, seconds since the epoch.',
    type: 'gauge',
    labels: ['family'],
    read: byFamily(({ lastFrameMs }) => seconds(lastFrameMs)),
  },
  {
    name: 'edgetape_last_data_timestamp_seconds',
    help: 'When any data of the exchange was last received, heartbeats and answers left out, seconds since the epoch.',
    type: 'gauge',
    read: ({ lastDataMs }) => seconds(lastDataMs),
  },
  {
    name: 'edgetape_family_lag_seconds',
    help: "Receive time less the exchange's time of a recent frame, by channel family.",
    type: 'gauge',
    labels: ['family'],
    read: byFamily(({ lagMs }) => seconds(lagMs)),
  },
  {
    name: 'edgetape_gaps_today',
    help: 'Gaps since midnight UTC that concern a channel family, without those that healed.',
    type: 'gauge',
    labels: ['family'],
    read: byFamily(({ gapsToday }) => gapsToday),
  },
  {
    name: 'edgetape_gap_today_seconds',
    help: 'Length of the gaps since midnight UTC that concern a channel family, without those that healed.',
    type: 'gauge',
    labels: ['family'],
    read: byFamily(({ gapSecondsToday }) => gapSecondsToday),
  },
  {
    name: 'edgetape_gaps_recent',
    help: 'Gaps of the last 24 hours, by kind.',
    type: 'gauge',
    labels: ['kind'],
    read: ({ gaps }) => countKinds(gaps, () => true),
  },
  {
    name: 'edgetape_gaps_unhealed',
    help: 'Gaps of the last 24 hours that last, or that could be healed and are not, by kind.',
    type: 'gauge',
    labels: ['kind'],
    read: ({ gaps }) => countKinds(gaps, ({ toUs, healed }) => toUs === undefined || healed === false),
  },
  {
    name: 'edgetape_connection_up',
    help: 'Whether a connection is open and its channels subscribed: 1 or 0.',
    type: 'gauge',
    labels: ['connection'],
    read: byConnection(({ state }) => Number(state === 'live')),
  },
  {
    name: 'edgetape_connection_reconnects_total',
    help: 'Times that a connection was opened anew.',
    type: 'counter',
    labels: ['connection'],
    read: byConnection(({ reconnects }) => reconnects),
  },
  {
    name: 'edgetape_connection_channels',
    help: 'Channels subscribed on a connection.',
    type: 'gauge',
    labels: ['connection'],
    read: byConnection(({ channels }) => channels),
  },
  {
    name: 'edgetape_connection_last_frame_timestamp_seconds',
    help: 'When a connection last received any frame, seconds since the epoch.',
    type: 'gauge',
    labels: ['connection'],
    read: byConnection(({ lastFrameMs }) => seconds(lastFrameMs)),
  },
  {
    name: 'edgetape_channels_planned',
    help: 'Channels that the config asks for.',
    type: 'gauge',
    read: ({ recorder }) => recorder.channels_planned,
  },
  {
    name: 'edgetape_recorder_stored_frames_total',
    help: 'Frames that the recorder has written to open segments.',
    type: 'counter',
    read: ({ recorder }) => recorder.stored_frames,
  },
  {
    name: 'edgetape_recorder_written_bytes_total',
    help: 'Compressed bytes that the recorder has written to open segments.',
    type: 'counter',
    read: ({ recorder }) => recorder.compressed_bytes,
  },
  {
    name: 'edgetape_recorder_lost_frames_total',
    help: 'Frames that the disk did not take and memory could not hold.',
    type: 'counter',
    read: ({ recorder }) => recorder.lost_frames,
  },
  {
    name: 'edgetape_recorder_queue_bytes',
    help: 'Bytes of frames in memory that wait for the disk.',
    type: 'gauge',
    read: ({ recorder }) => recorder.waiting_bytes,
  },
  {
    name: 'edgetape_recorder_sealed_segments_total',
    help: 'Segments sealed.',
    type: 'counter',
    read: ({ recorder }) => recorder.sealed_segments,
  },
  {
    name: 'edgetape_segments_open',
    help: 'Segments that are being written.',
    type: 'gauge',
    read: ({ segments }) => segments.open,
  },
  {
    name: 'edgetape_compactor_backlog_segments',
    help: 'Sealed segments that wait for the compactor.',
    type: 'gauge',
    read: ({ compactor }) => compactor.backlog_segments,
  },
  {
    name: 'edgetape_compactor_segments_total',
    help: 'Segments converted to Parquet.',
    type: 'counter',
    read: ({ compactor }) => compactor.segments,
  },
  {
    name: 'edgetape_compactor_failed_total',
    help: 'Conversions that failed.',
    type: 'counter',
    read: ({ compactor }) => compactor.failed,
  },
  {
    name: 'edgetape_compactor_rows_total',
    help: 'Rows written to Parquet, by table.',
    type: 'counter',
    labels: ['table'],
    read: ({ compactor }) => Object.entries(compactor.rows).map(([table, rows]) => [{ table }, rows] as const),
  },
  {
    name: 'edgetape_compactor_double_rows_total',
    help: 'Rows left out because their event was received twice.',
    type: 'counter',
    read: ({ compactor }) => compactor.double_rows,
  },
  {
    name: 'edgetape_compactor_quarantined_lines_total',
    help: 'Lines that could not be converted.',
    type: 'counter',
    read: ({ compactor }) => compactor.quarantined,
  },
  {
    name: 'edgetape_quarantine_files',
    help: 'Files in quarantine.',
    type: 'gauge',
    read: ({ quarantine }) => quarantine.files,
  },
  {
    name: 'edgetape_quarantine_bytes',
    help: 'Size of the files in quarantine.',
    type: 'gauge',
    read: ({ quarantine }) => quarantine.bytes,
  },
  {
    name: 'edgetape_sync_backlog_files',
    help: 'Files that wait to be brought to the target.',
    type: 'gauge',
    read: ({ sync }) => sync?.files,
  },
  {
    name: 'edgetape_sync_backlog_bytes',
    help: 'Size of the files that wait to be brought to the target.',
    type: 'gauge',
    read: ({ sync }) => sync?.bytes,
  },
  {
    name: 'edgetape_sync_behind_seconds',
    help: 'Age of the oldest file that is not verified at the target.',
    type: 'gauge',
    read: ({ sync }) => (sync?.behindMinutes === undefined ? undefined : 60 * sync.behindMinutes),
  },
  {
    name: 'edgetape_sync_verified_through_timestamp_seconds',
    help: 'Through when all that was recorded is verified at the target, seconds since the epoch.',
    type: 'gauge',
    read: ({ sync }) => seconds(sync?.verifiedThroughMs),
  },
  {
    name: 'edgetape_sync_last_success_timestamp_seconds',
    help: 'When a pass of the syncer last went well, seconds since the epoch.',
    type: 'gauge',
    read: ({ syncer }) => seconds(syncer.last_success),
  },
  {
    name: 'edgetape_sync_failed_passes_in_a_row',
    help: 'Passes of the syncer that failed since the last that went well.',
    type: 'gauge',
    read: ({ syncer }) => syncer.failures_in_a_row,
  },
  {
    name: 'edgetape_sync_shipped_files_total',
    help: 'Files brought to the target.',
    type: 'counter',
    read: ({ syncer }) => syncer.shipped_files,
  },
  {
    name: 'edgetape_sync_shipped_bytes_total',
    help: 'Bytes brought to the target.',
    type: 'counter',
    read: ({ syncer }) => syncer.shipped_bytes,
  },
  {
    name: 'edgetape_sync_verified_files_total',
    help: 'Files whose checksum was computed at the target and found right.',
    type: 'counter',
    read: ({ syncer }) => syncer.verified_files,
  },
  {
    name: 'edgetape_sync_wrong_copies_total',
    help: 'Copies at the target whose checksum was wrong; they are brought anew.',
    type: 'counter',
    read: ({ syncer }) => syncer.wrong_copies,
  },
  {
    name: 'edgetape_sync_missing_copies_total',
    help: 'Copies that were no longer at the target; they are brought anew.',
    type: 'counter',
    read: ({ syncer }) => syncer.missing_copies,
  },
  {
    name: 'edgetape_sync_problem_files',
    help: 'Files that the syncer could not deal with.',
    type: 'gauge',
    read: ({ syncer }) => syncer.problem_files,
  },
  {
    name: 'edgetape_sync_retired_bytes_total',
    help: 'Bytes deleted here after they were verified at the target.',
    type: 'counter',
    read: ({ syncer }) => syncer.retired_bytes,
  },
  {
    name: 'edgetape_disk_free_bytes',
    help: 'Free bytes of the file system of dataDir.',
    type: 'gauge',
    read: ({ disk }) => disk?.freeBytes,
  },
  {
    name: 'edgetape_disk_size_bytes',
    help: 'Size of the file system of dataDir.',
    type: 'gauge',
    read: ({ disk }) => disk?.sizeBytes,
  },
  {
    name: 'edgetape_disk_used_bytes',
    help: 'Size of our files in dataDir, by kind.',
    type: 'gauge',
    labels: ['kind'],
    read: ({ disk, quarantine }) =>
      disk && [
        [{ kind: 'raw' }, disk.rawBytes],
        [{ kind: 'parquet' }, disk.parquetBytes],
        [{ kind: 'quarantine' }, quarantine.bytes],
      ],
  },
  {
    name: 'edgetape_disk_full_in_seconds',
    help: 'Time until the disk is full at the pace of the last day, if nothing were deleted.',
    type: 'gauge',
    read: ({ disk }) => (disk?.daysLeft === undefined ? undefined : 86_400 * disk.daysLeft),
  },
]

/** All of it as Prometheus reads it; a metric of which no file tells anything is left out. */
export async function exposition(seen: Observation, health: Health): Promise<{ contentType: string; text: string }> {
  const registry = new Registry()
  for (const { name, help, type, labels = [], read } of metrics) {
    const samples = samplesOf(read(seen, health)).filter(([, value]) => value !== undefined)
    if (samples.length === 0) continue
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options)
    for (const [of, value] of samples) metric.inc(of, value)
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}

function samplesOf(samples: ReturnType<Metric['read']>): readonly Sample[] {
  return typeof samples === 'object' ? samples : [[{}, samples]]
}
