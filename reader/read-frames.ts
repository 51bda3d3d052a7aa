import { setImmediate as nextTurn } from 'node:timers/promises'
import { EdgeError, hasErrno } from '../platform/edge-error.js'
import type { Manifest } from '../formats/manifest.js'
import { SLACK_US } from '../formats/segment-span.js'
import { ChannelChoice } from './channel-choice.js'
import type { Frame, LineFrame } from './frame.js'
import { mergeByTime, type MergeInput } from './merge-by-time.js'
import { segmentFrames } from './segment-frames.js'
import { bytesOf, currentPath, manifestOf, segmentFiles, type SegmentFile } from '../formats/segment-files.js'
import { momentUs, type Moment } from '../platform/moment.js'

export interface ReadOptions {
  /** A dataDir, its copy on the NAS, or any folder or segment below the `raw/` of one. */
  path: string
  /** Received at this moment or later. Default: from the first frame on. */
  from?: Moment | undefined
  /** Received before this moment. Default: up to the last frame that is readable now. */
  to?: Moment | undefined
  /**
   * Families (`trades`, `journal`), channels (`trades.BTC-PERPETUAL.100ms`) or their beginnings (`trades.BTC-PERPETUAL`).
   * A family gives all of its frames; a channel those that name it, not the answers that fill its holes. Default: all.
   */
  channels?: readonly string[] | undefined
  /** Connections, e.g. `d1` or `backfill`. Default: all. */
  conns?: readonly string[] | undefined
  /**
   * Hears of what cannot be read: a sealed segment that is damaged or gone, a line that is none. What can be read goes on.
   * Without it the iteration ends with an error.
   */
  onProblem?: ((path: string, problem: string) => void) | undefined
  /** Hears how many bytes of files were read or passed over. */
  onProgress?: ((bytes: number) => void) | undefined
}

/** The iteration gives other work a turn after so long, ms. */
const TURN_MS = 10

/**
 * Recorded frames in the order of receive time, over all segments, sealed and open, of all families, hosts and runs.
 * Nothing is read ahead of the consumer but the block at hand; memory does not grow with the recording. Where the
 * recorder's clock was set back, times of one connection go back, too.
 * @throws EdgeError READ_NO_RAW, READ_DAMAGED, MANIFEST_TOO_NEW, TIME_INVALID
 */
export function readFrames(options: ReadOptions): AsyncIterableIterator<Frame> {
  return new Flattened(readFrameBatches(options))
}

/** The same in batches of at most 1,024 frames: a promise for each batch in place of one for each frame. */
export async function* readFrameBatches(options: ReadOptions): AsyncGenerator<Frame[], void> {
  let turnEndsMs = performance.now() + TURN_MS
  for (const batch of frameBatches(options)) {
    if (batch.length > 0) yield batch
    if (performance.now() < turnEndsMs) continue
    await nextTurn()
    turnEndsMs = performance.now() + TURN_MS
  }
}

/** The same without a turn for anybody else, for programs that do nothing beside; a batch may be empty. */
export function* frameBatches(options: ReadOptions): Generator<Frame[], void> {
  const fromUs = options.from === undefined ? -Infinity : momentUs(options.from)
  const toUs = options.to === undefined ? Infinity : momentUs(options.to)
  const choice = new ChannelChoice(options.channels)
  const files = segmentFiles(options.path, { fromUs, toUs, mayHold: family => choice.mayHold(family) })
  yield* mergeByTime(mergeInputs(files, { ...options, fromUs, toUs, choice }))
}

interface Reading extends Pick<ReadOptions, 'conns' | 'onProblem' | 'onProgress'> {
  fromUs: number
  toUs: number
  choice: ChannelChoice
}

function* mergeInputs(files: Iterable<SegmentFile>, reading: Reading): Generator<MergeInput, void> {
  for (const file of files)
    yield { notBeforeUs: file.name.startedMs * 1000 - SLACK_US, open: () => framesOfFile(file, reading) }
}

/** What was chosen of one segment. */
function* framesOfFile(file: SegmentFile, reading: Reading): Generator<LineFrame[], void> {
  const problem = reading.onProblem ?? fail
  const path = currentPath(file)
  if (path === undefined) {
    problem(file.path, 'was removed before it was read')
    return
  }
  try {
    const manifest = manifestOf(path)
    if (manifest && !mayHold(manifest, reading)) {
      reading.onProgress?.(bytesOf(path))
      return
    }
    const torn = (why: string) => {
      // An open segment ends where its writer is, or was.
      if (path.endsWith('.jsonl.zst')) problem(path, why)
    }
    const ear = { torn, ...(reading.onProgress && { read: reading.onProgress }) }
    for (const frames of segmentFrames(path, file.name, ear)) {
      yield chosen(frames, file, reading, problem)
      const last = frames.at(-1)
      if (last && last.recvUs >= reading.toUs + SLACK_US) return
    }
  } catch (error) {
    if (!(error instanceof EdgeError) && !hasErrno(error, 'ENOENT', 'EIO', 'EACCES')) throw error
    if (!reading.onProblem) throw error
    reading.onProblem(path, error instanceof Error ? error.message : String(error))
  }
}

function mayHold(manifest: Manifest, { fromUs, toUs, conns }: Reading): boolean {
  if (manifest.last_recv_us < fromUs || manifest.first_recv_us >= toUs) return false
  return conns?.some(conn => conn in manifest.connections) ?? true
}

function chosen(
  frames: LineFrame[],
  { name, path }: SegmentFile,
  { fromUs, toUs, choice, conns }: Reading,
  problem: (path: string, problem: string) => void,
): LineFrame[] {
  const takesAll = choice.takesAllOf(name.channel)
  return frames.filter(frame => {
    if (!frame.isOurs) problem(path, `holds a line that is none: ${frame.line.toString('utf8', 0, 80)}`)
    else if (frame.recvUs >= fromUs && frame.recvUs < toUs && (conns?.includes(frame.conn) ?? true))
      return takesAll || choice.takes(frame.channel)
    return false
  })
}

function fail(path: string, problem: string): never {
  throw new EdgeError('READ_DAMAGED', `${path}: ${problem}`, {
    path,
    hint: 'edgetape verify says what is wrong; with onProblem reading continues with what can be read',
  })
}

/** One frame after the other from batches: the promise that each call must give is the only thing made for a frame. */
class Flattened implements AsyncIterableIterator<Frame> {
  readonly #batches: AsyncGenerator<Frame[], void>
  #batch: Frame[] = []
  #at = 0

  constructor(batches: AsyncGenerator<Frame[], void>) {
    this.#batches = batches
  }

  next(): Promise<IteratorResult<Frame, undefined>> {
    const value = this.#batch[this.#at++]
    return value === undefined ? this.#nextBatch() : Promise.resolve({ done: false, value })
  }

  async #nextBatch(): Promise<IteratorResult<Frame, undefined>> {
    const next = await this.#batches.next()
    if (next.done === true) return { done: true, value: undefined }
    this.#batch = next.value
    this.#at = 0
    return this.next()
  }

  async return(): Promise<IteratorResult<Frame, undefined>> {
    this.#batch = []
    await this.#batches.return()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
