/**
 * The one walk over `raw/`: whoever looks for segments finds them here, in every layout of `segments.groupBy`, however
 * they are mixed. What is listed is what is asked for: of an hour, the folders of that hour.
 */
import { existsSync } from 'node:fs'
import { isOnTheWay, listFolder, partitionFolders, type FolderQuery, type Level } from './partition-folders.js'
import { parseSegmentPath, withState, type SegmentName, type SegmentState } from './raw-path.js'

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
}

/** An hour, and all folders that hold its files. */
export interface RawHour {
  /** When it begins, ms since the epoch. */
  startMs: number
  /** Below the root, with forward slashes; sorted. */
  folders: string[]
}

/** Lines may be stamped a little before the first of their segment, where the clock was set; µs. */
export const SLACK_US = 60_000_000
const HOUR_US = 3_600_000_000
const DAY_US = 24 * HOUR_US

const LEVELS_TO_DATE: readonly Level[] = [
  { key: 'exchange' },
  { key: 'channel' },
  { key: 'kind', isOptional: true },
  { key: 'currency', isOptional: true },
  { key: 'date' },
]

/** A date, and the folders of all families that hold its hours. */
export interface RawDay {
  date: string
  /** Below the root, with forward slashes; sorted. */
  folders: string[]
}

/** The dates that may hold what is asked for, in their order; no hour is looked into. */
export function rawDays(root: string, query: RawQuery = {}): RawDay[] {
  const { exchange, mayHold, below, onStranger, newestFirst = false } = query
  const accept = (key: string, value: string) => {
    if (key === 'exchange') return exchange === undefined || value === exchange
    if (key === 'channel') return mayHold?.(value) ?? true
    return key !== 'date' || overlaps(Date.parse(value) * 1000, DAY_US, query)
  }
  const days = new Map<string, string[]>()
  const top = { path: 'raw', values: {} }
  for (const { path, values } of partitionFolders(root, top, LEVELS_TO_DATE, {
    accept,
    below,
    onStranger,
    dates: datesOf(query),
  }))
    add(days, values['date'] ?? '', path)
  return inOrder(days, newestFirst).map(([date, folders]) => ({ date, folders }))
}

/** Those that may hold what is asked for, if it is bounded on any side. */
function datesOf({ fromUs = -Infinity, toUs = Infinity }: RawQuery): FolderQuery['dates'] {
  if (!Number.isFinite(fromUs) && !Number.isFinite(toUs)) return undefined
  return { first: dateAt(fromUs - SLACK_US, '0000-00-00'), last: dateAt(toUs + SLACK_US, '9999-99-99') }
}

const LAST_US = 8.64e21

const dateAt = (us: number, otherwise: string) =>
  Math.abs(us) < LAST_US ? new Date(us / 1000).toISOString().slice(0, 10) : otherwise

/** The hours that may hold what is asked for, in their order. */
export function* rawHours(root: string, query: RawQuery = {}): Generator<RawHour, void> {
  for (const day of rawDays(root, query)) yield* rawHoursOf(root, day, query)
}

/** Those of one date. */
export function rawHoursOf(root: string, { date, folders }: RawDay, query: RawQuery = {}): RawHour[] {
  const { below, onStranger, newestFirst = false } = query
  const hours = new Map<string, string[]>()
  for (const folder of folders) {
    const inDay = { path: folder, values: {} }
    for (const { path, values } of partitionFolders(root, inDay, [{ key: 'hour' }], { below, onStranger }))
      add(hours, values['hour'] ?? '', path)
  }
  return (
    inOrder(hours, newestFirst)
      .map(([hour, folders]) => ({ startMs: Date.parse(`${date}T${hour}:00:00Z`), folders }))
      // A segment ends with its hour, but for a frame on its way.
      .filter(({ startMs }) => overlaps(startMs * 1000, HOUR_US, query))
  )
}

/** Files of one folder of an hour, in the order of their names. */
export function rawFilesIn(root: string, folder: string, { below, onStranger }: RawQuery = {}): RawFile[] {
  const { folders, files } = listFolder(root, folder)
  for (const name of folders) if (isOnTheWay(`${folder}/${name}`, below)) onStranger?.(`${folder}/${name}/`)
  return files.flatMap(file => {
    const path = `${folder}/${file}`
    if (!isOnTheWay(path, below)) return []
    const parsed = parseSegmentPath(path)
    if (!parsed) onStranger?.(path)
    return parsed ? [{ path, ...parsed }] : []
  })
}

/** All files of `raw/` that may belong to what is asked for, hour by hour, in the order in which their segments were begun. */
export function* rawFiles(root: string, query: RawQuery = {}): Generator<RawFile, void> {
  for (const { folders } of rawHours(root, query)) {
    const files = folders.flatMap(folder => rawFilesIn(root, folder, query)).sort(byStart)
    yield* query.newestFirst === true ? files.reverse() : files
  }
}

/** A segment that can be read. */
export interface RawSegment extends RawFile {
  state: 'open' | 'sealed'
}

/** The same, each segment once, though it is being sealed at this moment; without those of which only a manifest is left. */
export function* rawSegments(root: string, query: RawQuery = {}): Generator<RawSegment, void> {
  for (const { folders } of rawHours(root, query)) {
    const found = folders.flatMap(folder => segmentsAmong(root, rawFilesIn(root, folder, query))).sort(byStart)
    yield* query.newestFirst === true ? found.reverse() : found
  }
}

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

function add(folders: Map<string, string[]>, key: string, path: string): void {
  const known = folders.get(key)
  if (known) known.push(path)
  else folders.set(key, [path])
}

function inOrder(folders: ReadonlyMap<string, string[]>, newestFirst: boolean): [string, string[]][] {
  const sorted = [...folders].sort(([a], [b]) => (a < b ? -1 : 1))
  return newestFirst ? sorted.reverse() : sorted
}
