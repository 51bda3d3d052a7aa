import type { Config } from '../../config/schema.js'
import { sizeText } from '../../platform/figures.js'
import type { Observation } from '../observe/observation.js'
import { lastSignMs } from '../observe/last-sign.js'
import { isOpenGap } from '../observe/open-gap.js'
import { titleOf, type PartReport } from '../observe/parts.js'

export type Limits = Config['alerts']

/** What was seen before, as far as conditions need it: they are about what changed. */
export interface Memory {
  /** When each part that ran was started. */
  startedAt: Readonly<Record<string, string>>
  quarantineFiles: number | undefined
  /** Copies that the syncer had found damaged or gone at the target, since its start. */
  badCopies: number | undefined
}

export const nothingSeen: Memory = { startedAt: {}, quarantineFiles: undefined, badCopies: undefined }

/** One thing that may be wrong. `steady`: neither bad enough to raise an alert nor good enough to end one. */
export interface Condition {
  key: string
  state: 'bad' | 'good' | 'steady'
  /** In words, for a person: what is, while it is bad; what is again, when it is good. */
  text: string
}

/** Ends an alert only where a value is this much better than what raises it. */
const BETTER = 0.8
const GIB = 1024 ** 3

/** What is good and what is bad at this moment. Pure. */
export function conditionsOf(seen: Observation, limits: Limits, before: Memory): Condition[] {
  return [
    ...noData(seen, limits),
    ...unhealedGaps(seen, limits),
    ...quarantine(seen, before),
    ...failing(seen),
    ...diskPressure(seen, limits),
    ...diskRefuses(seen),
    ...syncBehind(seen, limits),
    ...syncProblems(seen),
    ...badCopies(seen, before),
    ...archive(seen),
    ...parts(seen, before),
    ...target(seen),
    ...clock(seen, limits),
    ...notRecorded(seen),
    ...memory(seen, limits),
  ]
}

/** What is to be remembered of a look. Pure. */
export function remembered(seen: Observation, before: Memory): Memory {
  const ran = seen.parts.flatMap(report =>
    report.since === undefined ? [] : [[titleOf(report), report.since] as const],
  )
  return {
    startedAt: { ...before.startedAt, ...Object.fromEntries(ran) },
    quarantineFiles: seen.disk ? seen.quarantine.files : before.quarantineFiles,
    badCopies: badCopiesIn(seen) ?? before.badCopies,
  }
}

function noData({ recorders, atMs }: Observation, { noDataSeconds }: Limits): Condition[] {
  if (noDataSeconds === 0) return []
  return recorders.flatMap(({ report, lastDataMs }): Condition[] => {
    const { state, since, of } = report
    if (state === 'never ran') return []
    const startedMs = state !== 'dead' && state !== 'stopped' && since !== undefined ? Date.parse(since) : undefined
    const sinceMs = lastSignMs(atMs, [startedMs, lastDataMs])
    const isQuiet = atMs - sinceMs > 1000 * noDataSeconds
    const what = of === undefined ? 'data' : `data of ${of}`
    const text = isQuiet
      ? `no ${what} ${sinceMs === 0 ? 'ever' : `since ${new Date(sinceMs).toISOString()}`}; the recorder ${howIs(report)}`
      : `${what} comes again`
    return [{ key: `no ${what}`, state: isQuiet ? 'bad' : 'good', text }]
  })
}

function unhealedGaps({ recent, atMs }: Observation, { unhealedMinutes }: Limits): Condition[] {
  if (unhealedMinutes === 0 || !recent) return []
  const open = recent.losses.filter(loss => isOpenGap(loss) && atMs - loss.fromMs > 60_000 * unhealedMinutes)
  const [first] = open
  if (!first) return [{ key: 'gap', state: 'good', text: 'no gap of the last 24 hours is left open' }]
  const { whose, cause, fromMs, toMs, lasts } = first
  const until = lasts ? 'since' : `until ${new Date(toMs).toISOString()}, from`
  const more = open.length > 1 ? `, and ${open.length - 1} more` : ''
  const text = `${whose} missing ${until} ${new Date(fromMs).toISOString()} (${cause})${more}; edgetape coverage says what`
  return [{ key: 'gap', state: 'bad', text }]
}

/** Files there stay: news is that there are more. */
function quarantine({ disk, quarantine: { files } }: Observation, { quarantineFiles }: Memory): Condition[] {
  // Where dataDir is away for a moment, all of it would be new when it is back.
  if (!disk) return []
  const more = quarantineFiles === undefined ? 0 : files - quarantineFiles
  const text =
    more > 0
      ? `${more} more files with lines that could not be converted, ${files} in all`
      : 'no further lines in quarantine'
  return [{ key: 'quarantine', state: more > 0 ? 'bad' : 'good', text }]
}

/** It is tried again by itself, and raw files stay until it works. */
function failing({ compactor: { failing = 0, last_error } }: Observation): Condition[] {
  const text =
    failing > 0
      ? `${failing} segments, dates or roll-ups could not be made and are tried again: ${last_error ?? 'for an unknown reason'}`
      : 'the compactor makes all that it has to'
  return [{ key: 'compactor failing', state: failing > 0 ? 'bad' : 'good', text }]
}

function diskPressure({ disk }: Observation, { minFreeGiB }: Limits): Condition[] {
  if (!disk || minFreeGiB === 0) return []
  const { freeBytes, daysLeft } = disk
  const state = freeBytes < minFreeGiB * GIB ? 'bad' : freeBytes * BETTER > minFreeGiB * GIB ? 'good' : 'steady'
  const left = daysLeft === undefined ? '' : `, ${daysLeft.toFixed(1)} days if nothing were deleted`
  return [{ key: 'disk', state, text: `${sizeText(freeBytes)} free where dataDir is${left}` }]
}

/** It is tried again for ever; meanwhile frames wait in memory, and then are lost. */
function diskRefuses({ disk, recorder: { disk_error: refusal } }: Observation): Condition[] {
  if (!disk) return []
  const why = disk.isReadOnly ? 'the file system of dataDir is read-only' : refusal
  const text =
    why === undefined
      ? 'the disk takes what is written'
      : `the disk takes no frames: ${why}; what comes waits in memory as far as segments.queueMiB goes, then it is lost`
  return [{ key: 'disk refuses', state: why === undefined ? 'good' : 'bad', text }]
}

function syncBehind({ sync }: Observation, { syncBehindHours }: Limits): Condition[] {
  if (!sync || syncBehindHours === 0) return []
  const hours = (sync.behindMinutes ?? 0) / 60
  const state = hours > syncBehindHours ? 'bad' : hours < BETTER * syncBehindHours ? 'good' : 'steady'
  const why = sync.lastError === undefined ? '' : `: ${sync.lastError}`
  const text =
    state === 'good'
      ? 'the target has what is due'
      : `the oldest file not proven at the target is ${hours.toFixed(1)} h old${why}`
  return [{ key: 'sync', state, text }]
}

/** Each is tried again in every pass, and stays here meanwhile. */
function syncProblems({ sync, syncer: { problem_files: files = 0, problems } }: Observation): Condition[] {
  if (!sync) return []
  const [first] = problems
  const text =
    files > 0
      ? `${files} files could not be shipped, verified or deleted${first ? `, first ${first.path}: ${first.reason}` : ''}`
      : 'no file is in trouble any more'
  return [{ key: 'sync problems', state: files > 0 ? 'bad' : 'good', text }]
}

/** Damaged or gone at the target since the syncer's start; undefined where no syncer says. */
function badCopiesIn({ syncer: { wrong_copies: wrong, missing_copies: missing } }: Observation): number | undefined {
  return wrong === undefined && missing === undefined ? undefined : (wrong ?? 0) + (missing ?? 0)
}

/** They are copied again while they are here; what was deleted here before is at the target alone, and may be as bad. */
function badCopies(seen: Observation, { badCopies: before = 0 }: Memory): Condition[] {
  const all = badCopiesIn(seen)
  if (all === undefined) return []
  // A syncer that was started again counts from 0.
  const more = all < before ? all : all - before
  const { wrong_copies: wrong = 0, missing_copies: missing = 0, target = 'the target' } = seen.syncer
  const text =
    more > 0
      ? `${more} more copies at ${target} are not what was brought there, ${wrong} damaged and ${missing} gone since the ` +
        "syncer's start; they are copied again, but what is no longer here may be as bad: edgetape verify nas"
      : 'no further copies were found damaged or gone at the target'
  return [{ key: 'copies', state: more > 0 ? 'bad' : 'good', text }]
}

/** Known until it is mended, or proven to be right again. */
function archive({ archive: seen }: Observation): Condition[] {
  if (!seen) return []
  const [first] = seen.rotten
  const text = first
    ? `${seen.rotten.length} files have changed since they were written, first ${first.path}: ${first.message}`
    : 'no file is damaged any more'
  return [{ key: 'archive', state: first ? 'bad' : 'good', text }]
}

function parts({ parts: reports }: Observation, { startedAt }: Memory): Condition[] {
  return reports.flatMap((report): Condition[] => {
    const { state, since } = report
    if (state === 'never ran') return []
    const part = titleOf(report)
    const isDown = state === 'dead' || state === 'stands still'
    const before = startedAt[part]
    const isNew = before !== undefined && since !== undefined && since !== before
    return [
      { key: `${part} down`, state: isDown ? 'bad' : 'good', text: `the ${part} ${howIs(report)}` },
      {
        key: `${part} restarted`,
        state: isNew ? 'bad' : 'good',
        text: isNew ? `the ${part} was started again at ${since}` : `the ${part} runs since ${since ?? 'long'}`,
      },
    ]
  })
}

const REPLACED: readonly string[] = ['SYNC_TARGET_UNMARKED', 'SYNC_TARGET_DIFFERS']
const FULL: readonly string[] = ['SYNC_TARGET_FULL']

/** Nothing is brought to it, and nothing is deleted here because of it, until somebody has looked. */
function target({ sync, syncer: { last_error_code: code = '' } }: Observation): Condition[] {
  if (!sync) return []
  const why = sync.lastError
  const conditionOf = (key: string, codes: readonly string[], well: string): Condition => {
    const isBad = why !== undefined && codes.includes(code)
    return { key, state: isBad ? 'bad' : 'good', text: isBad ? why : well }
  }
  return [
    conditionOf('target replaced', REPLACED, 'the target is the one that is known'),
    conditionOf('target full', FULL, 'the target has room'),
  ]
}

/** By the exchange's own time in its answers; half of the way there and back is in it. */
function clock({ recorder: { exchange_offset_us: us } }: Observation, { clockSeconds }: Limits): Condition[] {
  if (us === undefined || clockSeconds === 0) return []
  const seconds = Math.abs(us) / 1e6
  const state = seconds > clockSeconds ? 'bad' : seconds < BETTER * clockSeconds ? 'good' : 'steady'
  const text = `the clock of this machine is ${seconds.toFixed(2)} s ${us > 0 ? 'behind' : 'ahead of'} the exchange's`
  return [{ key: 'clock', state, text: state === 'good' ? "the clock agrees with the exchange's" : text }]
}

const NAMES_SHOWN = 5

function notRecorded({ recorders, recorder: { not_offered: names } }: Observation): Condition[] {
  if (recorders.every(({ report: { state } }) => state !== 'running')) return []
  const first = names.slice(0, NAMES_SHOWN).join(', ')
  const text =
    names.length > 0
      ? `${names.length} channels or instruments of the config are not recorded, the exchange does not offer them: ${first}${names.length > NAMES_SHOWN ? ', …' : ''}`
      : 'all that the config names is recorded'
  return [{ key: 'not recorded', state: names.length > 0 ? 'bad' : 'good', text }]
}

/** Of the machine, or of the container or unit; and of each part's JavaScript, which has a limit of its own. */
function memory({ parts, memoryLimitBytes }: Observation, { memoryPercent }: Limits): Condition[] {
  const running = parts.flatMap(report =>
    report.state === 'running' && report.pulse ? [{ report, ...report.pulse }] : [],
  )
  if (memoryPercent === 0 || running.length === 0) return []
  const uses = running.map(({ report, heap_bytes, heap_limit_bytes }) => ({
    whose: `the ${titleOf(report)} uses ${sizeText(heap_bytes)} of the ${sizeText(heap_limit_bytes)} that JavaScript may have`,
    share: heap_bytes / heap_limit_bytes,
  }))
  const all = running.reduce((sum, { rss_bytes }) => sum + rss_bytes, 0)
  if (memoryLimitBytes !== undefined)
    uses.push({
      whose: `all parts use ${sizeText(all)} of ${sizeText(memoryLimitBytes)} of memory`,
      share: all / memoryLimitBytes,
    })
  const [most] = uses.sort((a, b) => b.share - a.share)
  const percent = 100 * (most?.share ?? 0)
  const state = percent > memoryPercent ? 'bad' : percent < BETTER * memoryPercent ? 'good' : 'steady'
  return [{ key: 'memory', state, text: state === 'good' ? 'there is memory left' : (most?.whose ?? '') }]
}

const howIs = ({ state, aliveAt }: PartReport) =>
  state === 'stands still' ? `stands still: no sign of life since ${aliveAt ?? 'long'}` : `is ${state}`
