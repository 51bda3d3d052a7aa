import { statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import { filesBelow } from '../../platform/folder-entries.js'
import { manifestOf } from '../../formats/segment-files.js'
import { plannedFiles } from '../../formats/planned-files.js'
import { quarantineFiles } from '../../formats/quarantine-tree.js'
import { parseSegmentPath, type SegmentName } from '../../formats/raw-path.js'
import { rawSegments } from '../../formats/raw-tree.js'
import { SLACK_US } from '../../formats/segment-span.js'
import { treePlaceOf } from '../../formats/tree-place.js'
import type { LineChoice } from './line-filter.js'
import { kindOf } from './read-lines.js'
import { dateOfUs } from '../../platform/utc-date.js'

export interface SegmentSource {
  path: string
  bytes: number
  /** Where it lies below a `raw/`; a file that was moved elsewhere says nothing but its lines. */
  name: SegmentName | undefined
}

/** Receive times that were asked for, µs since the epoch; the end does not belong to it. */
export type Span = Partial<Pick<LineChoice, 'fromUs' | 'toUs'>>

/** What is to be dumped: segments are merged by time, then come the Parquet files of each table, then the rest. */
export interface DumpFiles {
  segments: SegmentSource[]
  parquet: Map<string, string[]>
  others: string[]
}

/**
 * Sorts the named files by what they hold. Of a folder the segments are taken, or, where it has none, the Parquet files,
 * or what quarantine holds: a dataDir has the same frames in several forms. What cannot hold lines of the span is not
 * looked for.
 * @throws EdgeError DUMP_NO_FILE
 */
export function dumpFiles(paths: readonly string[], span: Span = {}): DumpFiles {
  const files: DumpFiles = { segments: [], parquet: new Map(), others: [] }
  for (const path of paths.flatMap(path => filesOf(path, span))) {
    const kind = kindOf(path)
    if (kind === 'segment') files.segments.push({ path, bytes: statSync(path).size, name: nameOf(path) })
    else if (kind === 'parquet') {
      const table = /table=[^/]+/.exec(path)?.[0] ?? path
      files.parquet.set(table, [...(files.parquet.get(table) ?? []), path])
    } else files.others.push(path)
  }
  return files
}

function filesOf(path: string, span: Span): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    throw new EdgeError('DUMP_NO_FILE', `no file ${path}`, { path, cause })
  }
  const found = filesOfTree(path, span) ?? filesOfFolder(path)
  if (found.length > 0) return found
  const hint = 'wanted a folder with segments, Parquet files or quarantined lines below it'
  const when = span.fromUs === undefined && span.toUs === undefined ? '' : ' that may hold lines of that time'
  throw new EdgeError('DUMP_NO_FILE', `${path} is a folder without files of ours${when}`, { path, hint })
}

const HOUR_US = 3_600_000_000

/** Files of a tree, or of a part of it; undefined where the folder belongs to none. */
function filesOfTree(path: string, { fromUs, toUs }: Span): string[] | undefined {
  const place = treePlaceOf(path)
  if (!place) return undefined
  const { root } = place
  const below = place.below === undefined ? {} : { below: place.below }
  const full = (files: Iterable<{ path: string }>) => [...files].map(({ path }) => join(root, path))
  const span = { ...(fromUs !== undefined && { fromUs }), ...(toUs !== undefined && { toUs }) }
  const segments = full(rawSegments(root, { ...below, ...span }))
  // Only where nothing of that time is there it matters whether there are others.
  if (segments.length > 0 || rawSegments(root, below).next().done === false) return segments
  // A day's folder holds what was on its way when the day ended, too.
  const dates = {
    first: dateOfUs((fromUs ?? -Infinity) - HOUR_US),
    last: dateOfUs(toUs ?? Infinity),
  }
  const parquet = full(plannedFiles(root, { ...below, dates }))
  return parquet.length > 0 ? parquet : [...quarantineFiles(root, { ...below, dates })].map(file => join(root, file))
}

/** Files that were put into a folder of someone's own: recognised by their endings, for their names may have been changed. */
function filesOfFolder(path: string): string[] {
  const all = [...filesBelow(path, name => !/^[.@~]|^state$/.test(name))]
  for (const pattern of [/\.jsonl\.zst(\.open)?$/, /\.parquet$/, /\.jsonl$/]) {
    const found = all.filter(file => pattern.test(file)).map(name => join(path, name))
    if (found.length > 0) return found.sort()
  }
  return []
}

function nameOf(path: string): SegmentName | undefined {
  const parts = resolve(path).split(sep)
  return parseSegmentPath(parts.slice(parts.lastIndexOf('raw')).join('/'))?.name
}

/**
 * Whether a segment may hold lines that were asked for, by its name and manifest.
 * @throws EdgeError MANIFEST_TOO_NEW
 */
export function mayHold({ path, name }: SegmentSource, { fromUs = -Infinity, toUs = Infinity }: LineChoice): boolean {
  const manifest = manifestOf(path)
  if (manifest) return manifest.last_recv_us >= fromUs && manifest.first_recv_us < toUs
  return name === undefined || name.startedMs * 1000 - SLACK_US < toUs
}
