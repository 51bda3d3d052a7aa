import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import type { DiskSteps } from '../../platform/disk-steps.js'
import { createFolderDurable, replaceDurably } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'
import { version } from '../../platform/package-info.js'
import { type Manifest, type ManifestGap, parseManifest, SEGMENT_FORMAT_VERSION } from '../../formats/manifest.js'
import { parseSegmentPath, withState } from '../../formats/raw-path.js'
import { decodeSegment } from '../../formats/decode-segment.js'
import { scanSegment, type SegmentScan } from '../../formats/segment-scan.js'
import { SealedCopy, type Written } from './sealed-copy.js'

export interface SealOptions {
  disk: Disk
  dataDir: string
  /** Path of the open segment below `dataDir`. */
  path: string
  level: number
  gaps: ManifestGap[]
  /** Bytes of the open file that count, where it is known that a failed write left more. */
  keepBytes?: number
  /** What its lines come to, where it is known: then they are read only once. */
  rawBytes?: number
}

export type SealOutcome =
  | { kind: 'sealed'; path: string; manifest: Manifest }
  /** It held nothing: a run that was killed before its first flush. */
  | { kind: 'empty' }
  /** Not one line could be read; the file was moved, whole, to this path below `dataDir`. */
  | { kind: 'unreadable'; movedTo: string }

/**
 * Turns an open segment into a sealed one: written anew as one zstd frame, manifest, rename. A reader that looks at any
 * moment sees the segment once, under one of its names. May be killed anywhere and called again with the same result.
 * In steps: slices of work, and what waits for the disk. Afterwards the sealed file and its manifest are durable.
 * @throws EdgeError MANIFEST_TOO_NEW a later edgetape was about to seal it; SEGMENT_CHANGED
 */
export function* sealSegment(options: SealOptions): DiskSteps<SealOutcome> {
  const { disk, dataDir, path, keepBytes } = options
  const open = join(dataDir, path)
  const sealed = join(dataDir, withState(path, 'sealed'))
  const manifestFile = join(dataDir, withState(path, 'manifest'))
  if (!existsSync(open) && existsSync(sealed)) {
    // The last rename was done, and its folder could not be synced.
    yield { syncFolder: dirname(sealed) }
    const manifest = parseManifest(readFileSync(manifestFile, 'utf8'), manifestFile)
    return { kind: 'sealed', path: withState(path, 'sealed'), manifest }
  }
  const earlier = finishedManifest(open, manifestFile)
  if (earlier) {
    yield* commit(disk, open, sealed)
    return { kind: 'sealed', path: withState(path, 'sealed'), manifest: earlier }
  }
  if (statSync(open).size === 0 || keepBytes === 0) {
    disk.remove(open)
    return { kind: 'empty' }
  }
  const rewriting = join(dataDir, withState(path, 'rewriting'))
  const { scan, written } = yield* writeAnew(open, rewriting, options)
  if (!written) return { kind: 'unreadable', movedTo: moveAside(disk, dataDir, path) }
  const manifest = manifestOf(path, scan, written, options.gaps)
  let isInPlace = false
  try {
    yield* replaceDurably(manifestFile, `${JSON.stringify(manifest)}\n`, disk)
    // First over the open name, then away from it: each step is one rename, and no reader ever counts the lines twice.
    disk.rename(rewriting, open)
    isInPlace = true
  } finally {
    if (!isInPlace) disk.remove(rewriting)
  }
  yield* commit(disk, open, sealed)
  return { kind: 'sealed', path: withState(path, 'sealed'), manifest }
}

function* commit(disk: Disk, open: string, sealed: string): DiskSteps<void> {
  disk.rename(open, sealed)
  yield { syncFolder: dirname(sealed) }
}

/** The manifest, if a seal that was cut off had come as far as the last rename. */
function finishedManifest(open: string, manifestFile: string): Manifest | undefined {
  if (!existsSync(manifestFile)) return undefined
  try {
    const manifest = parseManifest(readFileSync(manifestFile, 'utf8'), manifestFile)
    if (manifest.bytes_compressed !== statSync(open).size) return undefined
    return createHash('sha256').update(readFileSync(open)).digest('hex') === manifest.sha256 ? manifest : undefined
  } catch (error) {
    // One of a later format is not ours to replace. One that cannot be read proves nothing; the segment is sealed from its content.
    if (error instanceof EdgeError && error.code !== 'MANIFEST_TOO_NEW') return undefined
    throw error
  }
}

function moveAside(disk: Disk, dataDir: string, path: string): string {
  const target = `quarantine/unreadable/${basename(path)}`
  createFolderDurable(join(dataDir, 'quarantine/unreadable'), disk)
  disk.rename(join(dataDir, path), join(dataDir, target))
  disk.syncFolder(join(dataDir, 'quarantine/unreadable'))
  return target
}

/** Writes the lines that hold as one zstd frame; durable, still under a name without meaning. Nothing written: none holds. */
function* writeAnew(
  open: string,
  target: string,
  options: SealOptions,
): DiskSteps<{ scan: SegmentScan; written?: Written }> {
  const { keepBytes, rawBytes } = options
  if (rawBytes !== undefined && rawBytes > 0) {
    const copy = new SealedCopy(options, target, rawBytes)
    let scan: SegmentScan | undefined
    try {
      scan = yield* scanSegment(open, keepBytes, bytes => copy.add(bytes))
      if (holdsAll(scan, rawBytes)) return { scan, written: yield* copy.end() }
    } finally {
      copy.close()
    }
  }
  const scan = yield* scanSegment(open, keepBytes)
  if (scan.facts.frames === 0) return { scan }
  const copy = new SealedCopy(options, target, scan.facts.bytes_raw)
  try {
    // What lies behind does not count, and might take with it what does.
    for (const { bytes } of decodeSegment(open, 0, scan.decode.totalBytes)) {
      copy.add(bytes)
      if (copy.missing === 0) break
      yield
    }
    if (copy.missing > 0) {
      const what = `${open} ended ${copy.missing} bytes before what was read from it a moment ago`
      throw new EdgeError('SEGMENT_CHANGED', what, { path: open, retry: true })
    }
    return { scan, written: yield* copy.end() }
  } finally {
    copy.close()
  }
}

/** Whether it is what was written to it, no byte more or less. */
const holdsAll = ({ facts, decode, cutLines }: SegmentScan, rawBytes: number) =>
  facts.bytes_raw === rawBytes && cutLines === 0 && decode.flushedBytes === decode.totalBytes

function manifestOf(path: string, scan: SegmentScan, written: Written, gaps: ManifestGap[]): Manifest {
  const parsed = parseSegmentPath(path)
  if (!parsed) throw new EdgeError('SEGMENT_NAME_INVALID', `${path} is not the name of a segment`, { path })
  const { exchange, channel, host, run, number } = parsed.name
  const torn = scan.decode.totalBytes - scan.decode.flushedBytes
  const base: Manifest = {
    format_version: SEGMENT_FORMAT_VERSION,
    edgetape: version,
    exchange,
    channel,
    host,
    run,
    number,
    ...scan.facts,
    bytes_compressed: written.bytes,
    sha256: written.sha256,
    md5: written.md5,
    gaps,
  }
  return torn > 0 || scan.cutLines > 0 ? { ...base, recovered: { torn_bytes: torn, cut_lines: scan.cutLines } } : base
}
