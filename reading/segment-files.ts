import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { EdgeError, hasErrno } from '../platform/edge-error.js'
import { parseManifest, type Manifest } from '../formats/manifest.js'
import { parseSegmentPath, withState, type SegmentName } from '../formats/raw-path.js'

/** A segment as it was found below a `raw/`. */
export interface SegmentFile {
  /** Of the state it was found in; a segment may be sealed in the meantime. */
  path: string
  state: 'open' | 'sealed'
  name: SegmentName
}

/** What is to be read: a span of receive time, and of which families. */
export interface SegmentChoice {
  /** µs since the epoch: from this one … */
  fromUs: number
  /** … up to but not including this one. */
  toUs: number
  mayHold: (family: string) => boolean
}

/** Lines may be stamped a little before the first of their segment, where the clock was set; µs. */
export const SLACK_US = 60_000_000
const HOUR_US = 3_600_000_000

/** A tree of segments, or a part of one. */
interface Place {
  /** The folder that holds `raw/`. */
  root: string
  /** Only what lies here, below `root`; '' for all of it. */
  below: string
}

/**
 * Finds the tree of a path: a dataDir, its copy, or any folder or segment in one.
 * @throws EdgeError READ_NO_RAW
 */
export function placeOf(path: string): Place {
  const absolute = resolve(path)
  const isRoot = existsSync(join(absolute, 'raw'))
  const parts = absolute.split(sep)
  const at = isRoot ? -1 : parts.lastIndexOf('raw')
  const exists = existsSync(absolute) || existsSync(withState(absolute, 'sealed'))
  if ((!isRoot && at < 0) || !exists) {
    throw new EdgeError('READ_NO_RAW', `${path} ${exists ? 'holds no raw data' : 'is not there'}`, {
      path,
      hint: 'wanted a dataDir, a copy of one, or a folder or file below its raw/',
    })
  }
  if (isRoot) return { root: absolute, below: '' }
  const root = parts.slice(0, at).join(sep)
  return { root, below: relative(root, withState(absolute, 'sealed')).split(sep).join('/') }
}

/**
 * Segments that may hold what was chosen, in the order in which they were begun, found day by day: what is held at once
 * are the names of one day. A segment that is being renamed is found once.
 * @throws EdgeError READ_NO_RAW
 */
export function* segmentFiles(path: string, choice: SegmentChoice): Generator<SegmentFile, void> {
  const { root, below } = placeOf(path)
  const groups = groupFolders(root, choice.mayHold)
  const days = new Set(groups.flatMap(folder => subfolders(folder).filter(name => name.startsWith('date='))))
  for (const day of [...days].sort()) {
    const found = groups.flatMap(folder => segmentsOfDay(root, `${folder.slice(root.length + 1)}/${day}`, choice))
    found.sort((a, b) => a.name.startedMs - b.name.startedMs)
    for (const file of found) {
      const sealed = withState(file.path, 'sealed').slice(root.length + 1)
      if (sealed === below || below === '' || sealed.startsWith(`${below}/`)) yield file
    }
  }
}

/** Folders that hold `date=…`, of families that are wanted. */
function groupFolders(root: string, mayHold: (family: string) => boolean): string[] {
  const groups: string[] = []
  const walk = (folder: string, family: string | undefined) => {
    for (const name of subfolders(folder)) {
      const [key, value = ''] = name.split('=')
      if (key === 'date') {
        groups.push(folder)
        return
      }
      if (key === 'channel' && !mayHold(value)) continue
      if (key === 'exchange' || key === 'channel' || key === 'kind' || key === 'currency')
        walk(`${folder}/${name}`, family)
    }
  }
  walk(`${root}/raw`, undefined)
  return groups
}

function segmentsOfDay(root: string, day: string, { fromUs, toUs }: SegmentChoice): SegmentFile[] {
  const dayStartUs = Date.parse(day.slice(-10)) * 1000
  if (dayStartUs - SLACK_US >= toUs || dayStartUs + 25 * HOUR_US <= fromUs) return []
  return subfolders(`${root}/${day}`).flatMap(hour => {
    const startUs = dayStartUs + Number(hour.slice('hour='.length)) * HOUR_US
    // A segment ends with its hour, but for a frame on its way.
    if (startUs - SLACK_US >= toUs || startUs + HOUR_US + SLACK_US <= fromUs) return []
    return segmentsOfHour(root, `${day}/${hour}`)
  })
}

function segmentsOfHour(root: string, hour: string): SegmentFile[] {
  const found = new Map<string, SegmentFile>()
  for (const name of entries(`${root}/${hour}`)) {
    const path = `${hour}/${name}`
    const parsed = parseSegmentPath(path)
    if (!parsed) continue
    const { state, name: segment } = parsed
    const sealed = withState(path, 'sealed')
    // While a segment is sealed a listing may show it under both names, or under none but that of its manifest.
    if (state === 'sealed' || state === 'open') {
      if (state === 'sealed' || !found.has(sealed)) found.set(sealed, { path: `${root}/${path}`, state, name: segment })
    } else if (!found.has(sealed) && existsSync(`${root}/${sealed}`))
      found.set(sealed, { path: `${root}/${sealed}`, state: 'sealed', name: segment })
  }
  return [...found.values()]
}

function subfolders(folder: string): string[] {
  return entries(folder).filter(name => name.includes('='))
}

/** Names in a folder; none for one that retention removed in the meantime. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** The name under which a segment can be opened now; undefined for one that is gone. */
export function currentPath({ path }: SegmentFile): string | undefined {
  return [withState(path, 'sealed'), withState(path, 'open'), withState(path, 'sealed')].find(existsSync)
}

/**
 * The manifest of a sealed segment; undefined where there is none, or none that can be read.
 * @throws EdgeError MANIFEST_TOO_NEW the lines may mean something else, too
 */
export function manifestOf(path: string): Manifest | undefined {
  const file = withState(path, 'manifest')
  if (!path.endsWith('.jsonl.zst') || !existsSync(file)) return undefined
  try {
    return parseManifest(readFileSync(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'MANIFEST_INVALID') return undefined
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Size of a file, 0 for one that is gone. */
export function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
