import { isOpenGap } from '../observe/open-gap.js'
import type { PartReport } from '../observe/parts.js'
import type { Vitals } from '../../formats/pulse.js'
import { version } from '../../platform/package-info.js'
import * as metric from './metric.js'

const { by, byConnection, byExchange, byFamily, byKind, byPart, counter, gauge, histogram } = metric

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)
/** Of a process that is there. */
const ofProcess =
  (value: (vitals: Vitals) => number) =>
  ({ state, pulse }: PartReport) =>
    pulse && (state === 'running' || state === 'stands still') ? value(pulse) : undefined
const parsed = (iso: string | undefined) => (iso === undefined ? undefined : Date.parse(iso) / 1000)

/**
 * Every metric there is, once: kind, name, what it is, and where it is in the observation. Its unit is the end of its
 * name. Counters count since the start of the part that they are about.
 */
export const metrics: readonly metric.Metric[] = [
  gauge(
    'edgetape_build_info',
    'Version of edgetape, as a label; always 1.',
    by('version', () => [[version, 1]]),
  ),
  gauge('edgetape_healthy', 'Whether data is being recorded, as /healthz says: 1 or 0.', (_seen, { live }) =>
    Number(live.length === 0),
  ),
  gauge(
    'edgetape_ready',
    'Whether data is being recorded and every part is up, as /readyz says: 1 or 0.',
    (_seen, { ready }) => Number(ready.length === 0),
  ),
  gauge(
    'edgetape_part_up',
    'Whether a part is running and gives signs of life: 1 or 0.',
    byPart(({ state }) => Number(state === 'running')),
  ),
  gauge(
    'edgetape_part_stopped',
    'Whether a part was stopped on purpose, so that nobody needs to be woken for it: 1 or 0.',
    byPart(({ state }) => Number(state === 'stopped')),
  ),
  gauge(
    'edgetape_part_start_time_seconds',
    'When the process of a part started, seconds since the epoch.',
    byPart(({ since }) => parsed(since)),
  ),
  gauge(
    'edgetape_part_status_timestamp_seconds',
    'When a part last wrote its status, seconds since the epoch; compactor and syncer write only when they work.',
    byPart(({ writtenAt }) => parsed(writtenAt)),
  ),
  gauge(
    'edgetape_part_pulse_timestamp_seconds',
    'When a part last gave a sign of life, seconds since the epoch; each does once a second.',
    byPart(({ aliveAt }) => parsed(aliveAt)),
  ),
  gauge(
    'edgetape_part_resident_memory_bytes',
    'Resident memory of the process of a part, as of its last sign of life.',
    byPart(ofProcess(({ rss_bytes }) => rss_bytes)),
  ),
  gauge(
    'edgetape_part_heap_bytes',
    'Memory that JavaScript uses in the process of a part.',
    byPart(ofProcess(({ heap_bytes }) => heap_bytes)),
  ),
  gauge(
    'edgetape_part_heap_limit_bytes',
    'Memory that JavaScript may use in the process of a part.',
    byPart(ofProcess(({ heap_limit_bytes }) => heap_limit_bytes)),
  ),
  counter(
    'edgetape_part_cpu_seconds_total',
    'CPU time of the process of a part, user and system, of all its threads.',
    byPart(ofProcess(({ cpu_seconds }) => cpu_seconds)),
  ),
  gauge(
    'edgetape_part_event_loop_delay_seconds',
    'Longest delay of the event loop of a part in the last 15 seconds.',
    byPart(ofProcess(({ loop_delay_seconds }) => loop_delay_seconds)),
  ),
  gauge(
    'edgetape_memory_limit_bytes',
    'Memory of the machine, or of the container or unit that the parts run in.',
    ({ memoryLimitBytes }) => memoryLimitBytes,
  ),
  counter(
    'edgetape_frames_received_total',
    'Frames received, by channel family.',
    byFamily(({ frames }) => frames),
  ),
  counter(
    'edgetape_received_bytes_total',
    'Bytes of frames received, uncompressed, by channel family.',
    byFamily(({ bytes }) => bytes),
  ),
  gauge(
    'edgetape_family_last_frame_timestamp_seconds',
    'When the last frame of a channel family was received, seconds since the epoch.',
    byFamily(({ lastFrameMs }) => seconds(lastFrameMs)),
  ),
  gauge(
    'edgetape_last_data_timestamp_seconds',
    'When any data of the exchange was last received, heartbeats and answers left out, seconds since the epoch.',
    byExchange(({ lastDataMs }) => seconds(lastDataMs)),
  ),
  histogram(
    'edgetape_receive_lag_seconds',
    "Receive time less the exchange's time, of a frame a second of each channel family.",
    byFamily(({ lag }) => lag),
  ),
  gauge(
    'edgetape_clock_offset_seconds',
    "How far the exchange's clock is ahead of this machine's, by its answers.",
    byExchange(({ status: { exchange_offset_us: us } }) => (us === undefined ? undefined : us / 1e6)),
  ),
  gauge(
    'edgetape_coverage_missing_seconds',
    'Time since midnight UTC in which anything that should have been recorded is missing, as edgetape coverage reports it.',
    ({ today }) => (today?.isEmpty ? undefined : today?.missingSeconds),
  ),
  gauge(
    'edgetape_coverage_complete',
    'Whether nothing is known to be missing since midnight UTC: 1 or 0.',
    ({ today }) => (today && !today.isEmpty ? Number(today.isComplete) : undefined),
  ),
  gauge(
    'edgetape_coverage_today_ratio',
    'Share of what was to be recorded since midnight UTC that is there, by kind of instrument: of the least complete of its data.',
    byKind(({ share }) => share),
  ),
  gauge(
    'edgetape_gaps_today',
    'Gaps since midnight UTC that concern a channel family, without those that healed.',
    byFamily(({ gapsToday }) => gapsToday),
  ),
  gauge(
    'edgetape_gap_today_seconds',
    'Length of the gaps since midnight UTC that concern a channel family, without those that healed.',
    byFamily(({ gapSecondsToday }) => gapSecondsToday),
  ),
  gauge(
    'edgetape_gaps_recent',
    'Gaps of the last 24 hours as edgetape coverage reports them, by what became of them: missing or healed.',
    by(
      'state',
      ({ recent }) =>
        recent && [
          ['missing', recent.losses.length],
          ['healed', recent.healed],
        ],
    ),
  ),
  gauge(
    'edgetape_gaps_unhealed',
    'Gaps of the last 24 hours that are still open, or whose trades the exchange was asked for in vain.',
    ({ recent }) => recent?.losses.filter(isOpenGap).length,
  ),
  gauge(
    'edgetape_connection_up',
    'Whether a connection is open and its channels subscribed: 1 or 0.',
    byConnection(({ state }) => Number(state === 'live')),
  ),
  counter(
    'edgetape_connection_reconnects_total',
    'Times that a connection was reopened.',
    byConnection(({ reconnects }) => reconnects),
  ),
  gauge(
    'edgetape_connection_channels',
    'Channels subscribed on a connection.',
    byConnection(({ channels }) => channels),
  ),
  gauge(
    'edgetape_connection_last_frame_timestamp_seconds',
    'When a connection last received any frame, seconds since the epoch.',
    byConnection(({ lastFrameMs }) => seconds(lastFrameMs)),
  ),
  gauge(
    'edgetape_channels_planned',
    'Channels that the config asks for.',
    byExchange(({ status }) => status.channels_planned),
  ),
  counter(
    'edgetape_recorder_stored_frames_total',
    'Frames that the recorder has written to open segments.',
    byExchange(({ status }) => status.stored_frames),
  ),
  counter(
    'edgetape_recorder_written_bytes_total',
    'Compressed bytes that the recorder has written to open segments.',
    byExchange(({ status }) => status.compressed_bytes),
  ),
  counter(
    'edgetape_recorder_lost_frames_total',
    'Frames that the disk did not take and memory could not hold.',
    byExchange(({ status }) => status.lost_frames),
  ),
  gauge(
    'edgetape_recorder_queue_bytes',
    'Bytes of frames in memory that wait for the disk.',
    byExchange(({ status }) => status.waiting_bytes),
  ),
  counter(
    'edgetape_recorder_sealed_segments_total',
    'Segments sealed.',
    byExchange(({ status }) => status.sealed_segments),
  ),
  gauge('edgetape_segments_open', 'Segments that are being written.', ({ segments }) => segments.open),
  gauge(
    'edgetape_compactor_backlog_segments',
    'Sealed segments that wait for the compactor.',
    ({ compactor }) => compactor.backlog_segments,
  ),
  counter('edgetape_compactor_segments_total', 'Segments converted to Parquet.', ({ compactor }) => compactor.segments),
  counter('edgetape_compactor_failed_total', 'Conversions that failed.', ({ compactor }) => compactor.failed),
  gauge(
    'edgetape_compactor_failing',
    'Segments, dates and roll-ups that failed and are tried again after a pause.',
    ({ compactor }) => compactor.failing,
  ),
  counter(
    'edgetape_compactor_rows_total',
    'Rows written to Parquet, by table.',
    by('table', ({ compactor }) => Object.entries(compactor.rows)),
  ),
  counter(
    'edgetape_compactor_double_rows_total',
    'Rows left out because their event was received twice.',
    ({ compactor }) => compactor.double_rows,
  ),
  counter(
    'edgetape_compactor_quarantined_lines_total',
    'Lines that could not be converted.',
    ({ compactor }) => compactor.quarantined,
  ),
  gauge('edgetape_quarantine_files', 'Files in quarantine.', ({ quarantine }) => quarantine.files),
  gauge('edgetape_quarantine_bytes', 'Size of the files in quarantine.', ({ quarantine }) => quarantine.bytes),
  gauge('edgetape_sync_backlog_files', 'Files waiting for upload to the target.', ({ sync }) => sync?.files),
  gauge(
    'edgetape_sync_backlog_bytes',
    'Size of the files waiting for upload to the target.',
    ({ sync }) => sync?.bytes,
  ),
  gauge('edgetape_sync_behind_seconds', 'Age of the oldest file that is not verified at the target.', ({ sync }) =>
    sync?.behindMinutes === undefined ? undefined : 60 * sync.behindMinutes,
  ),
  gauge(
    'edgetape_sync_verified_through_timestamp_seconds',
    'Up to when everything recorded is verified at the target, seconds since the epoch.',
    ({ sync }) => seconds(sync?.verifiedThroughMs),
  ),
  gauge(
    'edgetape_sync_last_success_timestamp_seconds',
    'When a pass of the syncer last succeeded, seconds since the epoch.',
    ({ syncer }) => seconds(syncer.last_success),
  ),
  gauge(
    'edgetape_sync_failed_passes_in_a_row',
    'Passes of the syncer that failed since the last success.',
    ({ syncer }) => syncer.failures_in_a_row,
  ),
  counter('edgetape_sync_shipped_files_total', 'Files uploaded to the target.', ({ syncer }) => syncer.shipped_files),
  counter('edgetape_sync_shipped_bytes_total', 'Bytes uploaded to the target.', ({ syncer }) => syncer.shipped_bytes),
  counter(
    'edgetape_sync_verified_files_total',
    'Files whose checksum was computed at the target and found right.',
    ({ syncer }) => syncer.verified_files,
  ),
  counter(
    'edgetape_sync_wrong_copies_total',
    'Copies at the target whose checksum was wrong; they are copied again.',
    ({ syncer }) => syncer.wrong_copies,
  ),
  counter(
    'edgetape_sync_missing_copies_total',
    'Copies that were no longer at the target; they are copied again.',
    ({ syncer }) => syncer.missing_copies,
  ),
  gauge(
    'edgetape_sync_problem_files',
    'Files that the syncer could not deal with.',
    ({ syncer }) => syncer.problem_files,
  ),
  counter(
    'edgetape_sync_retired_bytes_total',
    'Bytes deleted here after they were verified at the target.',
    ({ syncer }) => syncer.retired_bytes,
  ),
  gauge(
    'edgetape_archive_rotten_files',
    'Files, here and at the target, whose content was found changed since they were written.',
    ({ archive }) => archive?.rotten.length,
  ),
  gauge(
    'edgetape_archive_proven_timestamp_seconds',
    'When the last full check of every file ended, seconds since the epoch.',
    ({ archive }) => seconds(archive?.lastEndedMs),
  ),
  gauge('edgetape_disk_free_bytes', 'Free bytes of the file system of dataDir.', ({ disk }) => disk?.freeBytes),
  gauge('edgetape_disk_size_bytes', 'Size of the file system of dataDir.', ({ disk }) => disk?.sizeBytes),
  gauge(
    'edgetape_disk_used_bytes',
    'Size of our files in dataDir, by kind.',
    by(
      'kind',
      ({ disk, quarantine }) =>
        disk && [
          ['raw', disk.rawBytes],
          ['parquet', disk.parquetBytes],
          ['quarantine', quarantine.bytes],
        ],
    ),
  ),
  gauge(
    'edgetape_disk_full_in_seconds',
    'Time until the disk is full at the pace of the last day, if nothing were deleted.',
    ({ disk }) => (disk?.daysLeft === undefined ? undefined : 86_400 * disk.daysLeft),
  ),
]
