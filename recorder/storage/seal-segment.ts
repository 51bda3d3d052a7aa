import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import { createFolderDurable, writeFileDurable, writeFully } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'
import { version } from '../../platform/package-info.js'
import { type Manifest, type ManifestGap, parseManifest, SEGMENT_FORMAT_VERSION } from '../../formats/manifest.js'
import { parseSegmentPath, withState } from '../../formats/raw-path.js'
import { decodeSegment } from '../../formats/decode-segment.js'
import { scanSegment, type SegmentScan } from '../../formats/segment-scan.js'
import { compressBound, EndDirective, frameCompressor } from '../../platform/zstd.js'

export interface SealOptions {
  disk: Disk
  dataDir: string
  /** Path of the open segment below `dataDir`. */
  path: string
  level: number
  gaps: ManifestGap[]
  /** Bytes of the open file that count, where it is known that a failed write left more. */
  keepBytes?: number
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
 * Yields between slices of work. Afterwards the sealed file and its manifest are durable.
 * @throws EdgeError MANIFEST_TOO_NEW a later edgetape was about to seal it; SEGMENT_CHANGED
 */
export function* sealSegment(options: SealOptions): Generator<undefined, SealOutcome> {
  const { disk, dataDir, path, keepBytes } = options
  const open = join(dataDir, path)
  const sealed = join(dataDir, withState(path, 'sealed'))
  const manifestFile = join(dataDir, withState(path, 'manifest'))
  if (!existsSync(open) && existsSync(sealed)) {
    // The last rename was done, and its folder could not be synced.
    disk.syncFolder(dirname(sealed))
    const manifest = parseManifest(readFileSync(manifestFile, 'utf8'), manifestFile)
    return { kind: 'sealed', path: withState(path, 'sealed'), manifest }
  }
  const earlier = finishedManifest(open, manifestFile)
  if (earlier) {
    commit(disk, open, sealed)
    return { kind: 'sealed', path: withState(path, 'sealed'), manifest: earlier }
  }
  if (statSync(open).size === 0 || keepBytes === 0) {
    disk.remove(open)
    return { kind: 'empty' }
  }
  const scan = yield* scanSegment(open, keepBytes)
  if (scan.facts.frames === 0) return { kind: 'unreadable', movedTo: moveAside(disk, dataDir, path) }

  const rewriting = join(dataDir, withState(path, 'rewriting'))
  const manifest = manifestOf(path, scan, yield* rewrite(disk, open, rewriting, scan, options.level), options.gaps)
  let isInPlace = false
  try {
    // Each of these waits for the disk, and so do the lines that came meanwhile.
    yield
    writeFileDurable(manifestFile, `${JSON.stringify(manifest)}\n`, disk)
    yield
    // First over the open name, then away from it: each step is one rename, and no reader ever counts the lines twice.
    disk.rename(rewriting, open)
    isInPlace = true
  } finally {
    if (!isInPlace) disk.remove(rewriting)
  }
  commit(disk, open, sealed)
  return { kind: 'sealed', path: withState(path, 'sealed'), manifest }
}

function commit(disk: Disk, open: string, sealed: string): void {
  disk.rename(open, sealed)
  disk.syncFolder(dirname(sealed))
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

interface Written {
  bytes: number
  sha256: string
  md5: string
}

/** Writes the lines that hold as one zstd frame with checksum and size; durable, still under a name without meaning. */
function* rewrite(
  disk: Disk,
  open: string,
  target: string,
  scan: SegmentScan,
  level: number,
): Generator<undefined, Written> {
  const compressor = frameCompressor(level)
  compressor.setPledgedSrcSize(scan.facts.bytes_raw)
  const output = Buffer.allocUnsafeSlow(compressBound(1024 * 1024))
  const sha256 = createHash('sha256')
  const md5 = createHash('md5')
  let bytes = 0
  let left = scan.facts.bytes_raw
  const fd = disk.open(target, 'replace')
  let isWhole = false
  try {
    // What lies behind does not count, and might take with it what does.
    for (const chunk of decodeSegment(open, 0, scan.decode.totalBytes)) {
      const kept = chunk.bytes.subarray(0, left)
      left -= kept.length
      const directive = left === 0 ? EndDirective.end : EndDirective.continue
      let from = 0
      for (let pendingOutput = 1; pendingOutput > 0 || from < kept.length;) {
        const [remaining, produced, consumed] = compressor.compressStream2(output, kept.subarray(from), directive)
        from += consumed
        pendingOutput = directive === EndDirective.end ? remaining : 0
        const piece = output.subarray(0, produced)
        writeFully(fd, piece, disk)
        sha256.update(piece)
        md5.update(piece)
        bytes += produced
      }
      if (left === 0) break
      yield
    }
    if (left > 0) {
      throw new EdgeError('SEGMENT_CHANGED', `${open} ended ${left} bytes before what was read from it a moment ago`, {
        path: open,
        retry: true,
      })
    }
    disk.sync(fd)
    isWhole = true
  } finally {
    disk.close(fd)
    // On a full disk half a copy must not take the room that the frames need.
    if (!isWhole) disk.remove(target)
  }
  return { bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}

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
