import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { EdgeError, hasErrno } from '../platform/edge-error.js'
import { parseManifest, type Manifest } from './manifest.js'
import { parseSegmentPath, withState, type SegmentName } from './raw-path.js'
import { rawSegments } from './raw-tree.js'
import { treePlaceOf } from './tree-place.js'

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
  const sealed = withState(resolve(path), 'sealed')
  const exists = existsSync(path) || existsSync(sealed)
  const { root = '', below = '' } = (exists && treePlaceOf(sealed)) || {}
  if (root !== '' && (below === '' ? existsSync(join(root, 'raw')) : /^raw(?:\/|$)/.test(below))) return { root, below }
  throw new EdgeError('READ_NO_RAW', `${path} ${exists ? 'holds no raw data' : 'is not there'}`, {
    path,
    hint: 'wanted a dataDir, a copy of one, or a folder or file below its raw/',
  })
}

/**
 * Segments that may hold what was chosen, in the order in which they were begun. Found day by day, so that what is
 * taken away while a day is read does not go unnoticed. A segment that is being renamed is found once.
 * @throws EdgeError READ_NO_RAW
 */
export function* segmentFiles(path: string, choice: SegmentChoice): Generator<SegmentFile, void> {
  const { root, below } = placeOf(path)
  // A segment that was named is looked for in its folder, under whichever name it has by now.
  const isFile = parseSegmentPath(below) !== undefined
  const folder = isFile ? dirname(below) : below
  let day: SegmentFile[] = []
  for (const { path: found, state, name } of rawSegments(root, {
    ...choice,
    ...(folder !== '' && { below: folder }),
  })) {
    if (isFile && withState(found, 'sealed') !== below) continue
    const [before] = day
    if (before && dayOf(before) !== dayOf({ name })) {
      yield* day
      day = []
    }
    day.push({ path: `${root}/${found}`, state, name })
  }
  yield* day
}

const DAY_MS = 86_400_000
const dayOf = ({ name }: Pick<SegmentFile, 'name'>) => Math.floor(name.startedMs / DAY_MS)

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
