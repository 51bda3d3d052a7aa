/**
 * The one walk over `raw/`: whoever looks for segments finds them here, in every layout of `segments.groupBy`, however
 * they are mixed, and in folders of hours, which versions up to 0.1.0 made. What is listed is what is asked for.
 */
import { existsSync } from 'node:fs'
import { addTo } from '../platform/group-by.js'
import { dateOfUs } from '../platform/utc-date.js'
import {
  foldersWithin,
  isOnTheWay,
  listFolder,
  namesOf,
  partitionValues,
  type FolderQuery,
  type Level,
} from './partition-folders.js'
import { isNamedAs, parseSegmentPath, withState, type SegmentName, type SegmentState } from './raw-path.js'
import { mayHoldLinesOf, segmentHourMs, SLACK_US } from './segment-span.js'

/** A file of `raw/` whose whole path is spelled as we spell it. */
export interface RawFile {
  /** Below the root, with forward slashes. */
  path: string
  name: SegmentName
  state: SegmentState
}

export interface RawQuery extends Pick<FolderQuery, 'below' | 'onStranger'> {
  exchange?: string
  /** Which families of channels. */
  mayHold?: ((family: string) => boolean) | undefined
  /** Receive times of lines, µs since the epoch: from this one … */
  fromUs?: number
  /** … up to but not including this one. */
  toUs?: number
  newestFirst?: boolean
  /** Files in these states alone. */
  states?: readonly SegmentState[]
}

const HOUR_US = 3_600_000_000
const DAY_US = 24 * HOUR_US

const LEVELS_TO_DATE: readonly Level[] = [
  { key: 'exchange' },
  { key: 'channel' },
  { key: 'kind', isOptional: true },
  { key: 'currency', isOptional: true },
  { key: 'date' },
]

/** A date, and its folders in all families. */
export interface RawDay {
  date: string
  /** Below the root, with forward slashes; sorted. */
  folders: string[]
}

/** The dates that may hold what is asked for, in their order; no hour is looked into. */
export function rawDays(root: string, query: RawQuery = {}): RawDay[] {
  const { exchange, mayHold, below, onStranger, newestFirst = false } = query
  const dates = datesOf(query)
  const accept = (key: string, value: string) => {
    if (key === 'exchange') return exchange === undefined || value === exchange
    if (key === 'channel') return mayHold?.(value) ?? true
    return key !== 'date' || !dates || overlaps(Date.parse(value) * 1000, DAY_US, query)
  }
  const days = new Map<string, string[]>()
  const top = { path: 'raw', values: {} }
  for (const { parent, values } of foldersWithin(root, top, LEVELS_TO_DATE, { accept, below, onStranger, dates }))
    for (const date of values) addTo(days, date, `${parent.path}/date=${date}`)
  return inOrder([...days.keys()], newestFirst).map(date => ({ date, folders: days.get(date) ?? [] }))
}

/** Those that may hold what is asked for, if it is bounded on any side. */
function datesOf({ fromUs = -Infinity, toUs = Infinity }: RawQuery): FolderQuery['dates'] {
  if (!Number.isFinite(fromUs) && !Number.isFinite(toUs)) return undefined
  return { first: dateOfUs(fromUs - SLACK_US), last: dateOfUs(toUs + SLACK_US) }
}

/** All folders that hold files of a date, below the root: of the date itself, and of its hours. */
export function rawFoldersOf(root: string, day: RawDay): string[] {
  return day.folders.flatMap(folder => [folder, ...contentsOf(root, folder, day).hours.map(({ path }) => path)])
}

const HOUR: readonly Level[] = [{ key: 'hour' }]

/** What lies in one folder of a date: its segments, and the folders of its hours of versions up to 0.1.0. */
function contentsOf(root: string, folder: string, { date }: RawDay, query: RawQuery = {}) {
  const { folders, files } = listWanted(root, folder, query)
  const hours = folders.flatMap(name => {
    const path = `${folder}/${name}`
    if (!isOnTheWay(path, query.below)) return []
    const { hour } = partitionValues([name], HOUR) ?? {}
    if (hour === undefined) query.onStranger?.(`${path}/`)
    return hour === undefined ? [] : { startMs: Date.parse(`${date}T${hour}:00:00Z`), path }
  })
  return { hours, files: filesAmong(folder, files, query) }
}

/**
 * Files that may belong to what is asked for, each with those that were begun in its hour, hour by hour. The folder of an
 * hour is listed when its turn has come.
 */
function* filesByHour(root: string, query: RawQuery): Generator<RawFile[], void> {
  for (const day of rawDays(root, query)) {
    const folders = new Map<number, string[]>()
    const begun = new Map<number, RawFile[]>()
    for (const folder of day.folders) {
      const { hours, files } = contentsOf(root, folder, day, query)
      // A segment ends with its hour, but for a frame on its way.
      for (const { startMs, path } of hours) if (overlaps(startMs * 1000, HOUR_US, query)) addTo(folders, startMs, path)
      for (const file of files) if (mayHoldLinesOf(file.name, query)) addTo(begun, segmentHourMs(file.name), file)
    }
    for (const hourMs of inOrder([...new Set([...folders.keys(), ...begun.keys()])], query.newestFirst)) {
      const inHour = (folders.get(hourMs) ?? []).flatMap(folder => rawFilesIn(root, folder, query))
      yield [...(begun.get(hourMs) ?? []), ...inHour]
    }
  }
}

/** Files of one folder, of an hour or of a date, in the order of their names. */
export function rawFilesIn(root: string, folder: string, query: RawQuery = {}): RawFile[] {
  const { folders, files } = listWanted(root, folder, query)
  for (const name of folders) if (isOnTheWay(`${folder}/${name}`, query.below)) query.onStranger?.(`${folder}/${name}/`)
  return filesAmong(folder, files, query)
}

/** Hardly any folder holds what is open: what each is, which costs more than its name, is asked only where a name is wanted. */
function listWanted(root: string, folder: string, { states, onStranger }: RawQuery) {
  const names = states && !onStranger ? namesOf(root, folder) : undefined
  const hasWanted = names?.some(name => isNamedAs(name, states ?? [])) ?? true
  return hasWanted ? listFolder(root, folder) : { folders: names ?? [], files: [] }
}

function filesAmong(folder: string, names: readonly string[], { below, onStranger, states }: RawQuery): RawFile[] {
  return names.flatMap(file => {
    if (states && !isNamedAs(file, states)) return []
    const path = `${folder}/${file}`
    if (!isOnTheWay(path, below)) return []
    const parsed = parseSegmentPath(path)
    if (!parsed) onStranger?.(path)
    return parsed ? [{ path, ...parsed }] : []
  })
}

/** All files of `raw/` that may belong to what is asked for, in the order in which their segments were begun. */
export function* rawFiles(root: string, query: RawQuery = {}): Generator<RawFile, void> {
  for (const files of filesByHour(root, query)) yield* inOrderOfStart(files, query)
}

/** A segment that can be read. */
export interface RawSegment extends RawFile {
  state: 'open' | 'sealed'
}

/** The same, each segment once, though it is being sealed at this moment; without those of which only a manifest is left. */
export function* rawSegments(root: string, query: RawQuery = {}): Generator<RawSegment, void> {
  for (const files of filesByHour(root, query)) yield* inOrderOfStart(segmentsAmong(root, files), query)
}

/** Of files that were found already: the same, in the order in which the segments were begun. */
export const segmentsOf = (root: string, files: readonly RawFile[]): RawSegment[] =>
  inOrderOfStart(segmentsAmong(root, files), {})

/** While a segment is sealed a listing may show it under both names, or under none but that of its manifest. */
function segmentsAmong(root: string, files: readonly RawFile[]): RawSegment[] {
  const found = new Map<string, RawSegment>()
  for (const { path, name, state } of files) {
    const sealed = withState(path, 'sealed')
    if (state === 'sealed' || (state === 'open' && !found.has(sealed))) found.set(sealed, { path, name, state })
  }
  for (const { path, name } of files) {
    const sealed = withState(path, 'sealed')
    if (!found.has(sealed) && existsSync(`${root}/${sealed}`))
      found.set(sealed, { path: sealed, name, state: 'sealed' })
  }
  return [...found.values()]
}

export const byStart = (a: RawFile, b: RawFile) =>
  a.name.startedMs - b.name.startedMs || a.name.number - b.name.number || (a.path < b.path ? -1 : 1)

function overlaps(startUs: number, lengthUs: number, { fromUs = -Infinity, toUs = Infinity }: RawQuery): boolean {
  return startUs - SLACK_US < toUs && startUs + lengthUs + SLACK_US > fromUs
}

function inOrderOfStart<File extends RawFile>(files: readonly File[], { newestFirst = false }: RawQuery): File[] {
  const sorted = [...files].sort(byStart)
  return newestFirst ? sorted.reverse() : sorted
}

function inOrder<Key extends string | number>(keys: readonly Key[], newestFirst = false): Key[] {
  const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1))
  return newestFirst ? sorted.reverse() : sorted
}
