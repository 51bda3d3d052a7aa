import { readdirSync, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import { manifestOf, SLACK_US } from '../../reading/segment-files.js'
import { parseSegmentPath, type SegmentName } from '../../formats/raw-path.js'
import type { LineChoice } from './line-filter.js'
import { kindOf } from './read-lines.js'

export interface SegmentSource {
  path: string
  bytes: number
  /** Where it lies below a `raw/`; a file that was moved elsewhere says nothing but its lines. */
  name: SegmentName | undefined
}

/** What is to be dumped: segments are merged by time, then come the Parquet files of each table, then the rest. */
export interface DumpFiles {
  segments: SegmentSource[]
  parquet: Map<string, string[]>
  others: string[]
}

/**
 * Sorts the named files by what they hold. Of a folder the segments are taken, or, where it has none, the Parquet files,
 * or what quarantine holds: a dataDir has the same frames in several forms.
 * @throws EdgeError DUMP_NO_FILE
 */
export function dumpFiles(paths: readonly string[]): DumpFiles {
  const files: DumpFiles = { segments: [], parquet: new Map(), others: [] }
  for (const path of paths.flatMap(filesOf)) {
    const kind = kindOf(path)
    if (kind === 'segment') files.segments.push({ path, bytes: statSync(path).size, name: nameOf(path) })
    else if (kind === 'parquet') {
      const table = /table=[^/]+/.exec(path)?.[0] ?? path
      files.parquet.set(table, [...(files.parquet.get(table) ?? []), path])
    } else files.others.push(path)
  }
  return files
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    throw new EdgeError('DUMP_NO_FILE', `no file ${path}`, { path, cause })
  }
  const all = readdirSync(path, { recursive: true, encoding: 'utf8' }).map(name => join(path, name))
  for (const pattern of [/\.jsonl\.zst(\.open)?$/, /\.parquet$/, /\.jsonl$/]) {
    const found = all.filter(file => pattern.test(file) && !file.includes(`${sep}state${sep}`)).sort()
    if (found.length > 0) return found
  }
  const hint = 'wanted a folder with segments, Parquet files or quarantined lines below it'
  throw new EdgeError('DUMP_NO_FILE', `${path} is a folder without files of ours`, { path, hint })
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
