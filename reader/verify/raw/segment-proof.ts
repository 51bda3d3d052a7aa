import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { EdgeError, hasErrno } from '../../../platform/edge-error.js'
import { parseManifest, type Manifest } from '../../../formats/manifest.js'
import { withState } from '../../../formats/raw-path.js'
import { decodeSegment, type DecodeResult } from '../../../formats/decode-segment.js'
import { sha256Of } from '../../../platform/sha256.js'
import { LineSplitter } from '../../../platform/line-splitter.js'
import type { Findings } from '../findings.js'
import type { SegmentFile } from './find-segments.js'
import { proveLine } from './line-proof.js'
import { manifestFaults, type SegmentTruth } from './manifest-proof.js'
import { LONGEST_HEAD_BYTES, parseZstdFrameHead } from '../../../formats/zstd-frame.js'

/** Where a line stands, and its facts. */
export interface SeenLine {
  path: string
  line: number
  recvUs: number
  conn: string
  seq: number
}

export interface SegmentProofOptions {
  root: string
  findings: Findings
  /** Sees each line with a head, in the file's order. */
  onLine: (line: SeenLine) => void
  /** Bytes of the file that were read. */
  onBytes: (bytes: number) => void
}

/** Other work, such as Ctrl-C, gets its turn this often, ms. */
const TURN_EVERY_MS = 50

/**
 * Proves one segment: its manifest, its zstd frame, its lines. Returns what the lines say; undefined where the file went
 * away meanwhile (sealed segments may go by retention, which deletes only what is verified elsewhere).
 */
export async function proveSegment(
  listed: SegmentFile,
  options: SegmentProofOptions,
): Promise<{ segment: SegmentFile; truth: SegmentTruth } | undefined> {
  const { root, findings } = options
  try {
    const segment = asItIsNow(root, listed)
    const manifest = segment.isOpen ? undefined : readManifest(segment.path, options)
    const truth = await readTruth(segment, options)
    if (manifest)
      for (const fault of manifestFaults(manifest, segment.name, truth))
        findings.add({ ...fault, weight: 'fault', path: withState(segment.path, 'manifest') })
    if (manifest?.recovered) {
      const { torn_bytes, cut_lines } = manifest.recovered
      const message = `recovered after a crash: ${torn_bytes} torn bytes, ${cut_lines} lines cut`
      findings.add({ weight: 'note', code: 'RECOVERED', path: segment.path, message })
    }
    return { segment, truth }
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
    findings.add({
      weight: 'note',
      code: 'WENT_AWAY',
      path: listed.path,
      message: 'went away while it was to be proven',
    })
    return undefined
  }
}

/** An open segment may have been sealed since it was listed. */
function asItIsNow(root: string, segment: SegmentFile): SegmentFile {
  if (!segment.isOpen || existsSync(join(root, segment.path))) return segment
  return { ...segment, path: withState(segment.path, 'sealed'), isOpen: false, bytes: Infinity }
}

function readManifest(path: string, { root, findings }: SegmentProofOptions): Manifest | undefined {
  const manifest = withState(path, 'manifest')
  try {
    return parseManifest(readFileSync(join(root, manifest), 'utf8'), manifest)
  } catch (error) {
    if (error instanceof EdgeError) {
      const { code, message, hint } = error
      findings.add({ weight: 'fault', code, path: manifest, message, ...(hint !== undefined && { hint }) })
      return undefined
    }
    if (!hasErrno(error, 'ENOENT') || !existsSync(join(root, path))) throw error
    const hint = 'the recorder writes it before the segment gets its name; on a copy, wait for the next pass of sync'
    findings.add({ weight: 'fault', code: 'MANIFEST_MISSING', path, message: 'has no manifest', hint })
    return undefined
  }
}

async function readTruth(segment: SegmentFile, options: SegmentProofOptions): Promise<SegmentTruth> {
  const { findings, onLine } = options
  const { path, isOpen } = segment
  const file = join(options.root, path)
  const fault = (code: string, message: string, line?: number) =>
    findings.add({ weight: 'fault', code, path, message, ...(line !== undefined && { line }) })
  const truth: SegmentTruth = {
    ...(isOpen
      ? { sha256: undefined, bytes: segment.bytes }
      : { sha256: await sha256Of(file), bytes: statSync(file).size }),
    isReadable: true,
    frames: 0,
    bytesRaw: 0,
    firstRecvUs: 0,
    lastRecvUs: 0,
    firstLineUs: undefined,
    connections: {},
  }
  if (truth.bytes > 0) {
    const frameHead = parseZstdFrameHead(readStart(file))
    if (!frameHead) fault('ZSTD_HEAD', 'does not start with a zstd frame')
    else if (!frameHead.hasChecksum) fault('ZSTD_NO_CHECKSUM', 'its zstd frame has no checksum')
    else if (!isOpen && frameHead.contentBytes === undefined)
      fault('ZSTD_NO_SIZE', 'its zstd frame has no content size')
  }
  const splitter = new LineSplitter()
  let zstdFrames = 0
  let turnMs = performance.now()
  let consumed = 0
  const chunks = decodeSegment(file, 0, isOpen ? segment.bytes : Infinity)
  for (let next = chunks.next(); ; next = chunks.next()) {
    if (next.done) {
      truth.isReadable = isOpen || next.value.fault === undefined
      endOfFile(next.value, zstdFrames, splitter.rest.length, isOpen, findings, path)
      break
    }
    if (next.value.frameEnded) zstdFrames++
    for (const line of splitter.split(next.value.bytes)) {
      truth.bytesRaw += line.length + 1
      const { head, fault: wrong } = proveLine(line)
      truth.frames++
      if (wrong) fault(wrong.code, wrong.message, truth.frames)
      if (!head) continue
      count(truth, head)
      onLine({ path, line: truth.frames, recvUs: head.recvUs, conn: head.conn, seq: head.seq })
    }
    options.onBytes(next.value.consumed - consumed)
    consumed = next.value.consumed
    if (performance.now() - turnMs > TURN_EVERY_MS) {
      await nextTurn()
      turnMs = performance.now()
    }
  }
  return truth
}

function count(truth: SegmentTruth, { recvUs, conn, seq }: { recvUs: number; conn: string; seq: number }): void {
  truth.firstLineUs ??= recvUs
  if (truth.firstRecvUs === 0 || recvUs < truth.firstRecvUs) truth.firstRecvUs = recvUs
  if (recvUs > truth.lastRecvUs) truth.lastRecvUs = recvUs
  const known = truth.connections[conn]
  if (!known) {
    truth.connections[conn] = { frames: 1, first_seq: seq, last_seq: seq }
    return
  }
  known.frames++
  if (seq < known.first_seq) known.first_seq = seq
  if (seq > known.last_seq) known.last_seq = seq
}

function endOfFile(
  { fault, wholeBytes, flushedBytes, totalBytes }: DecodeResult,
  zstdFrames: number,
  unfinishedBytes: number,
  isOpen: boolean,
  findings: Findings,
  path: string,
): void {
  if (isOpen) {
    const torn = totalBytes - flushedBytes
    const tail = torn > 0 ? `, and ${torn} bytes behind it` : ''
    const message = `open: proven up to its last flush (${zstdFrames} whole zstd frames, ${flushedBytes} bytes${tail})`
    findings.add({ weight: 'note', code: 'OPEN', path, message })
    return
  }
  const wrong = (code: string, message: string) => findings.add({ weight: 'fault', code, path, message })
  if (fault !== undefined)
    wrong('ZSTD_DAMAGED', `cannot be decoded behind byte ${wholeBytes} of ${totalBytes}: ${fault}`)
  else if (zstdFrames !== 1) wrong('ZSTD_FRAMES', `holds ${zstdFrames} zstd frames, wanted exactly one`)
  if (fault === undefined && unfinishedBytes > 0)
    wrong('LINE_UNFINISHED', `ends with ${unfinishedBytes} bytes without a line feed`)
}

function readStart(file: string): Buffer {
  const fd = openSync(file, 'r')
  try {
    const start = Buffer.alloc(LONGEST_HEAD_BYTES)
    return start.subarray(0, readSync(fd, start, 0, start.length, 0))
  } finally {
    closeSync(fd)
  }
}
