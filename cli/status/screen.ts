import type { Observation } from '../../monitor/observe/observation.js'
import { versionsText } from '../../monitor/observe/versions-seen.js'
import { elsewhereText } from '../../monitor/observe/elsewhere-text.js'
import { titleOf, type PartReport } from '../../monitor/observe/parts.js'
import { ageText, countText, daysText, sizeText, tenthsText } from '../../platform/figures.js'
import { asOneLine, COLUMNS, wrapped } from '../../platform/wrapped.js'
import { fitTable } from '../fit-table.js'
import { indented } from '../table.js'

const NONE = '–'

const shownBy = (text: (value: number) => string) => (value: number | undefined) =>
  value === undefined ? NONE : text(value)
const countOf = shownBy(countText)
const rateOf = shownBy(tenthsText)
const bytesOf = shownBy(sizeText)

const ERROR_LENGTH = 60
const INDENT = 2

/** All of it for people, on one screen of so many columns. */
export function screenOf(seen: Observation, columns = COLUMNS): string {
  const width = columns - INDENT
  return [
    `${timeOf(seen.atMs)} UTC`,
    ...section('is it all there, today (UTC)?', todayLines(seen, width)),
    '',
    partsTable(seen, columns),
    ...section('connections', connectionsTable(seen, width)),
    ...section('data', familiesTable(seen, width)),
    ...section('files', filesTable(seen, width)),
    ...(seen.versions ? ['', versionsText(seen.versions)] : []),
  ].join('\n')
}

function section(title: string, text: string | undefined): string[] {
  return text === undefined ? [] : ['', title, indented(text)]
}

function partsTable({ parts, atMs }: Observation, columns: number): string {
  const rows = parts.map(report => {
    const { since, version, pid } = report
    const writtenAt = report.aliveAt ?? report.writtenAt
    return [
      titleOf(report),
      stateText(report),
      since === undefined ? NONE : `${since.slice(5, 16).replace('T', ' ')}, ${ageText(atMs - Date.parse(since))}`,
      version ?? NONE,
      pid === undefined ? NONE : String(pid),
      writtenAt === undefined ? NONE : `${ageText(atMs - Date.parse(writtenAt))} ago`,
    ]
  })
  const head = ['part', 'state', 'started', 'version', 'pid', 'updated']
  const table = { head, rows, numeric: [], whole: ['part', 'state'], spare: ['pid', 'version'] }
  return fitTable(table, columns)
}

/** Where there are several exchanges, a thing's own is said before its name. */
const nameOf = ({ length }: Observation['recorders'], exchange: string, name: string) =>
  length > 1 ? `${exchange} ${name}` : name

function stateText({ state }: PartReport): string {
  switch (state) {
    case 'running':
      return 'running'
    case 'stands still':
      return 'STANDS STILL'
    case 'stopped':
      return 'stopped'
    case 'dead':
      return 'dead: not shut down'
    case 'never ran':
      return 'never ran here'
  }
}

function connectionsTable({ connections, recorders, atMs }: Observation, width: number): string | undefined {
  if (connections.length === 0) return undefined
  const rows = connections.map(seen => [
    nameOf(recorders, seen.exchange, seen.name),
    seen.state ?? NONE,
    rateOf(seen.framesPerSecond),
    seen.lastFrameMs === undefined ? NONE : `${ageText(atMs - seen.lastFrameMs)} ago`,
    countOf(seen.reconnects),
    countOf(seen.channels),
    shortened(seen.lastError ?? ''),
  ])
  const head = ['name', 'state', 'frames/s', 'last frame', 'reconnects', 'channels', 'last error']
  return fitTable({ head, rows, numeric: [2, 3, 4, 5], whole: ['name', 'state'] }, width)
}

function familiesTable({ families, recorders, atMs }: Observation, width: number): string | undefined {
  if (families.length === 0) return undefined
  const rows = families.map(seen => {
    const ageMs = seen.lastFrameMs === undefined ? undefined : atMs - seen.lastFrameMs
    return [
      nameOf(recorders, seen.exchange, seen.family),
      rateOf(seen.framesPerSecond),
      bytesOf(seen.bytesPerSecond),
      countOf(seen.frames),
      bytesOf(seen.bytes),
      ageMs === undefined ? NONE : `${ageText(ageMs)}${seen.isQuiet ? ' ⚠️' : ''}`,
      seen.lagMs === undefined ? NONE : `${tenthsText(seen.lagMs)} ms`,
      gapsText(seen),
    ]
  })
  const head = ['family', 'frames/s', 'bytes/s', 'frames', 'bytes', 'age', 'lag', 'gaps today']
  const numeric = [1, 2, 3, 4, 5, 6, 7]
  return fitTable({ head, rows, numeric, whole: ['family'], spare: ['bytes', 'frames', 'bytes/s', 'lag'] }, width)
}

const gapsText = ({ gapsToday, gapSecondsToday = 0 }: Observation['families'][number]) =>
  gapsToday === undefined || gapsToday === 0
    ? countOf(gapsToday)
    : `${countText(gapsToday)} (${ageText(1000 * gapSecondsToday)})`

function filesTable(
  { segments, openElsewhere, compactor, quarantine, sync, disk, recorder, reports, archive, atMs }: Observation,
  columns: number,
): string {
  const rows = Object.values(compactor.rows).reduce((sum, count) => sum + count, 0)
  const lines: [string, string][] = [
    [
      'segments',
      `${countOf(segments.open)} open (${bytesOf(segments.openBytes)}), ${countOf(segments.waiting)} waiting for the compactor, ${countOf(recorder.sealed_segments)} sealed in this run`,
    ],
    ['rows', `${countOf(rows)} since the compactor's start`],
    [
      'quarantine',
      `${countOf(quarantine.files)} files (${bytesOf(quarantine.bytes)}), ${countOf(compactor.quarantined)} lines since the compactor's start${quarantine.files > 0 ? ' ⚠️' : ''}`,
    ],
  ]
  for (const others of openElsewhere) lines.push(['', elsewhereText(others)])
  if (recorder.lost_frames)
    lines.push(['lost', `${countOf(recorder.lost_frames)} frames that the disk did not take ❌`])
  if (compactor.last_error !== undefined) lines.push(['compactor', `⚠️ ${shortened(compactor.last_error)}`])
  if (sync) {
    const { files, bytes, behindMinutes, verifiedThroughMs, target, state, lastError } = sync
    const behind = behindMinutes === undefined ? NONE : ageText(60_000 * behindMinutes)
    lines.push([
      'sync',
      `${countOf(files)} files waiting (${bytesOf(bytes)}), oldest not verified ${behind}, to ${target ?? NONE}: ${state ?? NONE}`,
    ])
    if (verifiedThroughMs !== undefined)
      lines.push(['', `all verified through ${timeOf(verifiedThroughMs)}, ${ageText(atMs - verifiedThroughMs)} ago`])
    if (lastError !== undefined) lines.push(['', `⚠️ ${shortened(lastError)}`])
  }
  if (archive) lines.push(['archive', archiveText(archive, atMs)])
  if (archive?.rotten[0])
    lines.push(['', `${archive.rotten.length} rotten, first ${archive.rotten[0].path}: edgetape verify --repair ❌`])
  const [newest] = reports
  if (newest) lines.push(['report', `${newest.path}${reports.length > 1 ? `, and ${reports.length - 1} before` : ''}`])
  if (disk) lines.push(['disk', diskText(disk)])
  if (disk?.isReadOnly === true) lines.push(['', 'read-only: nothing can be written ❌'])
  if (recorder.disk_error !== undefined) lines.push(['', `takes no frames: ${shortened(recorder.disk_error)} ❌`])
  const width = Math.max(...lines.map(([label]) => label.length))
  return lines
    .map(([label, text]) => wrapped(asOneLine(text), ' '.repeat(width + 2), `${label.padEnd(width)}  `, columns))
    .join('\n')
}

function archiveText(
  { throughDate, datesDone, dates, lastEndedMs, lastFiles, lastBytes }: NonNullable<Observation['archive']>,
  atMs: number,
): string {
  const last =
    lastEndedMs === undefined
      ? 'never read again as a whole yet'
      : `all ${countOf(lastFiles)} files (${bytesOf(lastBytes)}) read again ${ageText(atMs - lastEndedMs)} ago`
  return throughDate === undefined
    ? last
    : `${last}; now through ${throughDate}, ${countOf(datesDone)} of ${countOf(dates)} days`
}

function diskText({
  freeBytes,
  sizeBytes,
  growthBytesPerDay,
  daysLeft,
  rawBytes,
  parquetBytes,
}: NonNullable<Observation['disk']>): string {
  const growth =
    growthBytesPerDay === undefined ? 'growth not known yet' : `grows by ${bytesOf(growthBytesPerDay)} a day`
  const left = daysLeft === undefined ? '' : `, ${daysText(daysLeft)} left if nothing were deleted`
  return `${bytesOf(freeBytes)} of ${bytesOf(sizeBytes)} free, raw ${bytesOf(rawBytes)}, Parquet ${bytesOf(parquetBytes)}, ${growth}${left}`
}

/** Two lines: whether all is there, and what else is to be said of it. */
function todayLines({ today }: Observation, width: number): string | undefined {
  if (!today) return undefined
  const { sentence, trades, healedCount, pending, count } = today
  const more = [
    trades?.replace(/^.*: (.*)\.$/, 'trades $1'),
    healedCount > 0 ? `${countText(healedCount)} healed` : undefined,
    pending?.replace(/^Not (.*)\.$/, 'not $1'),
    count > 1 ? 'see coverage' : undefined,
  ].filter(text => text !== undefined)
  return [sentence, ...(more.length > 0 ? [more.join('; ')] : [])].map(line => shortened(line, width)).join('\n')
}

function shortened(text: string, length = ERROR_LENGTH): string {
  const line = asOneLine(text)
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}
