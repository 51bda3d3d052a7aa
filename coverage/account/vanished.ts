import { DateLedger, syncerState } from '../../formats/ledger.js'
import { listFolder } from '../../formats/partition-folders.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { groupPath, parseSegmentPath, withState, type SegmentName } from '../../formats/raw-path.js'
import type { RawFile, RawSegment } from '../../formats/raw-tree.js'
import { segmentEndMs, segmentHourMs } from '../../formats/segment-span.js'
import { readReceiptsOf } from '../../formats/receipt.js'
import { groupBy } from '../../platform/group-by.js'
import type { Span } from '../../platform/spans.js'
import type { Vanished } from './facts.js'
import { dateOfUs, datesBetween } from '../../platform/utc-date.js'

const HOUR_US = 3_600_000_000
/** In a copy nobody knows whether the recorder lives: a segment is there within this time of its end. */
export const ARRIVES_WITHIN_US = 2 * HOUR_US
const NOT_HERE_YET = 'its segment goes on at the recorder, or is on its way'

/**
 * Segments of which there is a trace and that are nowhere: the numbers of a run's segments follow one upon the other, a
 * manifest lies beside each, and receipts name what was made of them. What was deleted here after the target had it, what
 * the disk refused and what was moved aside have records of their own and are not among them. What goes on beyond its hour
 * is waited for until it is over.
 */
export function findVanished(
  root: string,
  exchange: string,
  span: Span,
  { files, manifests }: { files: readonly RawSegment[]; manifests: readonly RawFile[] },
  entries: readonly JournalEntry[],
  familyOfChannel: (channel: string) => string,
  nowUs: number,
): Vanished[] {
  const here = new Set(files.map(({ name }) => idOf(name)))
  const byRun = groupBy(files, ({ name: { host, run } }) => `${host} ${run}`)
  const suspects = [...byRun.values()].flatMap(own => {
    const run = own[0]?.name.run ?? ''
    return suspectsOf(
      own.map(({ name }) => name),
      () => subscribedBy(run, entries, familyOfChannel),
      span.fromUs - HOUR_US,
    )
  })
  const orphans = manifests.flatMap(({ name }) => (here.has(idOf(name)) ? [] : [name]))
  const names = files.map(({ name }) => name)
  const long = longSegments(entries, names).filter(({ name }) => !here.has(idOf(name)))
  if (suspects.length + orphans.length + long.length === 0) return []
  const traces = new Traces(root, exchange, span)
  const refused = new Set(entries.flatMap(({ event, run }) => (event === 'disk_error' ? [run] : [])))
  const moved = new Set(
    entries.flatMap(({ event, detail }) => {
      const name =
        event === 'segment_unreadable' ? parseSegmentPath(withState(detail.path ?? '', 'sealed'))?.name : undefined
      return name ? [idOf(name)] : []
    }),
  )
  const isGone = (name: Pick<SegmentName, 'host' | 'run' | 'number'>) =>
    !here.has(idOf(name)) && !refused.has(name.run) && !moved.has(idOf(name)) && !traces.has(idOf(name))
  const known = new Set([...orphans, ...long.map(({ name }) => name)].map(idOf))
  const endOf = runEnds(entries)
  const gone = [
    ...orphans.filter(isGone).map(name => vanishedOf(name, spanOf(name))),
    ...suspects
      .filter(({ name }) => !known.has(idOf(name)) && isGone(name))
      .map(({ name, span }) => vanishedOf(name, span)),
    ...long
      .filter(({ name }) => isGone(name) && !orphans.some(one => idOf(one) === idOf(name)))
      .map(({ name, span }) => ({ ...vanishedOf(name, span), isLong: true })),
  ]
  return gone
    .map(({ isLong = false, ...file }: Vanished & { isLong?: boolean }): Vanished => {
      const toUs = Math.min(file.toUs, endOf(file.host, file.fromUs))
      const isPending = isLong && nowUs < toUs + ARRIVES_WITHIN_US
      return { ...file, toUs, ...(isPending && { isPending: true as const, cause: NOT_HERE_YET }) }
    })
    .filter(({ fromUs, toUs }) => fromUs < toUs && fromUs < span.toUs && toUs > span.fromUs)
}

/** When the run that recorded at a moment ended, as far as its journal says; what the next one has is another file. */
function runEnds(entries: readonly JournalEntry[]): (host: string, atUs: number) => number {
  const ends = entries.filter(({ event }) => event === 'stopped' || event === 'started')
  return (host, atUs) => ends.find(entry => entry.host === host && entry.recvUs > atUs + STARTS_US)?.recvUs ?? Infinity
}

/** The name of a segment has whole seconds, and may be older than the word with which its run began. */
const STARTS_US = 1_000_000

const idOf = ({ host, run, number }: Pick<SegmentName, 'host' | 'run' | 'number'>) => `${host} ${run} ${number}`

const spanOf = (name: Pick<SegmentName, 'startedMs' | 'ofDate'>): Span => ({
  fromUs: name.startedMs * 1000,
  toUs: segmentEndMs(name) * 1000,
})

function vanishedOf({ host, channel, kind, currency, number }: SegmentName, span: Span): Vanished {
  return {
    ...span,
    host,
    family: channel,
    kind,
    currency,
    cause: `segment ${number} of ${channel} is gone without a record`,
  }
}

/** The name of a segment has whole seconds, and the entry that it goes on may be written a moment after it ended. */
const ANNOUNCED_LATE_US = 2_000_000

/** Segments that go on beyond their hour, as journals say: until the time announced, or until the next of their group. */
export function longSegments(
  entries: readonly JournalEntry[],
  here: readonly SegmentName[],
): { name: SegmentName; span: Span }[] {
  const announced = new Map<string, { name: SegmentName; toUs: number; announcedUs: number }>()
  for (const { event, recvUs, detail } of entries) {
    const name = event === 'goes_on' ? parseSegmentPath(detail.path ?? '')?.name : undefined
    if (name && event === 'goes_on') announced.set(idOf(name), { name, toUs: detail.to_us ?? 0, announcedUs: recvUs })
  }
  const groupOf = (name: SegmentName) => `${name.host} ${name.run} ${groupPath(name)}`
  const groups = groupBy([...here, ...[...announced.values()].map(({ name }) => name)], groupOf)
  return [...announced.values()].flatMap(({ name, toUs, announcedUs }) => {
    const later = (groups.get(groupOf(name)) ?? []).filter(({ number }) => number > name.number)
    // Its file was taken away, and written anew from memory under the next number.
    if (later.some(({ startedMs }) => startedMs === name.startedMs)) return []
    const follows = later.map(({ startedMs }) => startedMs * 1000).filter(us => us >= announcedUs - ANNOUNCED_LATE_US)
    return [{ name, span: { fromUs: name.startedMs * 1000, toUs: Math.min(toUs, ...follows) } }]
  })
}

/** Families of which a run had channels. */
function subscribedBy(run: string, entries: readonly JournalEntry[], familyOfChannel: (channel: string) => string) {
  const families = new Set<string>()
  for (const { run: own, event, detail } of entries)
    if (own === run && (event === 'subscribed' || event === 'subscriptions'))
      for (const channel of detail.channels ?? []) families.add(familyOfChannel(channel))
  return families
}

/**
 * Numbers between those that are here, and what may have been in them: what has no segment of its own then. Pure.
 * @param families of the run, where it has segments of none that is missing then
 * @param fromUs of what was begun earlier and goes on, the neighbours are not known
 */
export function suspectsOf(
  names: readonly SegmentName[],
  families: () => ReadonlySet<string>,
  fromUs = -Infinity,
): { name: SegmentName; span: Span }[] {
  const ordered = names
    .filter(({ ofDate, startedMs }) => !ofDate || startedMs * 1000 >= fromUs)
    .sort((a, b) => a.number - b.number)
  const suspects: { name: SegmentName; span: Span }[] = []
  ordered.forEach((next, at) => {
    const before = ordered[at - 1]
    if (!before) return
    const missing = next.number - before.number - 1
    const groups = missing > 0 ? groupsWithout(names, begunBetween(before, next), missing, families) : []
    for (let number = before.number + 1; number < next.number; number++)
      for (const name of groups) {
        // It ended with the hour in which it was begun, or with the next segment of its group.
        const follows = ordered.find(one => groupPath(one) === groupPath(name) && one.startedMs > name.startedMs)
        const { fromUs, toUs } = spanOf({ startedMs: name.startedMs })
        const span = { fromUs, toUs: Math.min(toUs, (follows?.startedMs ?? Infinity) * 1000) }
        suspects.push({ name: { ...name, number }, span })
      }
  })
  return suspects
}

const HOUR_MS = 3_600_000
/** So many hours are looked at one by one; of more, the first and the last. */
const HOURS_BETWEEN = 24

/** When a segment may have been begun whose number lies between two others: in the hour of the one, of the other, or between them. */
function begunBetween(before: SegmentName, next: SegmentName): number[] {
  const [first, last] = [segmentHourMs(before), segmentHourMs(next)]
  const hours = (last - first) / HOUR_MS
  const later =
    hours > HOURS_BETWEEN ? [last] : Array.from({ length: Math.max(0, hours) }, (_, at) => first + (at + 1) * HOUR_MS)
  return [before.startedMs, ...later]
}

/** Groups of a run in each hour of which they have no segment; where more are missing, families that have none at all, too. */
function groupsWithout(
  names: readonly SegmentName[],
  begun: readonly number[],
  missing: number,
  families: () => ReadonlySet<string>,
): SegmentName[] {
  const groups = [...groupBy(names, groupPath).values()]
  const without = begun.flatMap(startedMs => {
    const isThen = (name: SegmentName) => segmentHourMs(name) <= startedMs && startedMs < segmentEndMs(name)
    return groups.flatMap(group => (group[0] && !group.some(isThen) ? [{ ...group[0], startedMs }] : []))
  })
  const [startedMs = 0] = begun
  if (without.length >= missing || !names[0]) return without
  const here = new Set(names.map(({ channel }) => channel))
  const { exchange, host, run } = names[0]
  const unseen = [...families()].filter(family => !here.has(family))
  return [...without, ...unseen.map(channel => ({ ...{ exchange, host, run }, channel, startedMs, number: 0 }))]
}

/** Where a segment that is not here may be all the same. */
class Traces {
  readonly #ids = new Set<string>()

  constructor(root: string, exchange: string, span: Span) {
    const dates = datesOf(span)
    const converted = new Set<string>()
    for (const date of dates) {
      for (const { name, path } of parquetFiles(root, { exchange, date })) {
        converted.add(path)
        if (name.run !== undefined && name.number !== undefined)
          this.#add({ host: name.host, run: name.run, number: name.number })
        else converted.add(path.replace(/\/[^/]+$/, ''))
      }
      for (const { segment, outputs } of readReceiptsOf(root, date).values()) {
        // A day's file took the place of its hours.
        const isHere = (path: string) => converted.has(path) || converted.has(path.replace(/\/[^/]+$/, ''))
        if (outputs.every(({ path }) => isHere(path))) this.#addPath(segment)
      }
      const state = syncerState(root)
      for (const ledger of listFolder(state, '.').folders.filter(name => name.startsWith('ledger-')))
        for (const path of new DateLedger(`${state}/${ledger}`, date, true).verified()) this.#addPath(path)
    }
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  #addPath(path: string): void {
    const name = parseSegmentPath(path)?.name
    if (name) this.#add(name)
  }

  #add(name: Pick<SegmentName, 'host' | 'run' | 'number'>): void {
    this.#ids.add(idOf(name))
  }
}

const datesOf = ({ fromUs, toUs }: Span) => datesBetween(dateOfUs(fromUs - HOUR_US), dateOfUs(toUs + HOUR_US)) ?? []
