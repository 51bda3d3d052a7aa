import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { placeOf } from '../../formats/segment-files.js'
import { listFolder } from '../../formats/partition-folders.js'
import { withState } from '../../formats/raw-path.js'
import { rawSegments } from '../../formats/raw-tree.js'
import { SLACK_US } from '../../formats/segment-span.js'
import { momentUs, type Moment } from '../../platform/moment.js'
import { ChannelChoice } from '../channel-choice.js'
import { lineFilter } from '../dump/line-filter.js'
import type { Frame, LineFrame } from '../frame.js'
import { mergeByTime } from '../merge-by-time.js'
import { SegmentFollower } from './segment-follower.js'
import { TreeWatch } from './tree-watch.js'

export interface TailOptions {
  /** A dataDir in which a recorder is at work, or will be. */
  path: string
  /** Received at this moment or later. Default: from now on. */
  since?: Moment | undefined
  /** Families, channels, or their beginnings, as `readFrames` takes them. Default: all. */
  channels?: readonly string[] | undefined
  /** Frames of this instrument. */
  instrument?: string | undefined
  /** Connections, e.g. `d1` or `backfill`. Default: all. */
  conns?: readonly string[] | undefined
  /** Aborted, the iteration ends. */
  signal?: AbortSignal | undefined
}

const HOUR_US = 3_600_000_000
/** Should a folder's watcher have missed something, it is looked at after this time. */
const LOOK_AGAIN_MS = 30_000

/**
 * Frames as they are recorded, each when the recorder has flushed it, over rotations and restarts of the recorder; the
 * same, from `since` on, of what was recorded before. It never ends by itself, and sleeps while nothing comes. The recorder
 * does nothing for it.
 * @throws EdgeError READ_NO_RAW, TIME_INVALID
 */
export async function* tailFrames(options: TailOptions): AsyncGenerator<Frame, void> {
  for await (const batch of tailFrameBatches(options)) yield* batch
}

/** The same in batches: what came since the last one, in the order of receive time. */
export async function* tailFrameBatches(options: TailOptions): AsyncGenerator<LineFrame[], void> {
  const { path, since, signal } = options
  const tail = new Tail(placeOf(path).root, options, since === undefined ? Date.now() * 1000 : momentUs(since))
  try {
    while (signal?.aborted !== true) {
      for (const batch of tail.news()) if (batch.length > 0) yield batch
      await tail.change(signal)
    }
  } finally {
    tail.close()
  }
}

class Tail {
  readonly #root: string
  readonly #sinceUs: number
  readonly #choice: ChannelChoice
  readonly #options: TailOptions
  readonly #watch = new TreeWatch()
  readonly #followers = new Map<string, SegmentFollower>()
  /** Segments that were read to their end, by their sealed path. */
  readonly #over = new Set<string>()
  readonly #filters = new Map<string, (line: string) => boolean>()
  readonly #mayHold = (family: string) => this.#choice.mayHold(family)

  constructor(root: string, options: TailOptions, sinceUs: number) {
    this.#root = root
    this.#options = options
    this.#sinceUs = sinceUs
    this.#choice = new ChannelChoice(options.channels)
  }

  *news(): Generator<LineFrame[], void> {
    if (this.#watch.takeNews()) this.#look()
    // One that is not open any more before it is read can have nothing behind what is read.
    const over = new Set([...this.#followers].filter(([, follower]) => follower.isOver).map(([path]) => path))
    const inputs = [...this.#followers]
      .sort(([, one], [, other]) => one.name.startedMs - other.name.startedMs)
      .map(([path, follower]) => ({
        notBeforeUs: follower.name.startedMs * 1000 - SLACK_US,
        open: () => this.#chosen(path, follower, over.has(path)),
      }))
    yield* mergeByTime(inputs)
  }

  change(signal: AbortSignal | undefined): Promise<void> {
    return this.#watch.change(signal, LOOK_AGAIN_MS)
  }

  close(): void {
    this.#watch.close()
    for (const follower of this.#followers.values()) follower.close()
  }

  /** Which segments there are, and which folders show new ones. */
  #look(): void {
    const query = { fromUs: Math.min(this.#sinceUs, Date.now() * 1000) - HOUR_US, mayHold: this.#mayHold }
    const found = new Set<string>()
    for (const { path, name } of rawSegments(this.#root, query)) {
      const sealed = withState(path, 'sealed')
      found.add(sealed)
      if (this.#over.has(sealed) || this.#followers.has(sealed)) continue
      this.#followers.set(sealed, new SegmentFollower(join(this.#root, path), name))
    }
    for (const path of this.#over) if (!found.has(path)) this.#over.delete(path)
    const raw = existsSync(join(this.#root, 'raw')) ? this.#newest('raw') : []
    this.#watch.listen(new Set([this.#root, ...raw].map(folder => resolve(this.#root, folder))))
  }

  /** Folders in which something may begin: of exchanges and families all, of dates and hours the newest, as far as they are made. */
  *#newest(folder: string): Generator<string, void> {
    yield folder
    const ofTime: string[] = []
    for (const name of listFolder(this.#root, folder).folders) {
      const [key = '', value = ''] = name.split('=')
      if (key === 'date' || key === 'hour') ofTime.push(name)
      else if (name.includes('=') && (key !== 'channel' || this.#mayHold(value)))
        yield* this.#newest(`${folder}/${name}`)
    }
    // What was begun before midnight, or in the last hour, goes on for a while.
    for (const name of ofTime.slice(-2)) yield* this.#newest(`${folder}/${name}`)
  }

  *#chosen(path: string, follower: SegmentFollower, isOver: boolean): Generator<LineFrame[], void> {
    const takesAll = this.#choice.takesAllOf(follower.name.channel)
    const { conns, instrument } = this.#options
    const isAbout = instrument === undefined ? undefined : this.#filterOf(follower, instrument)
    for (const frames of follower.drain())
      yield frames.filter(
        frame =>
          frame.recvUs >= this.#sinceUs &&
          (conns?.includes(frame.conn) ?? true) &&
          (takesAll || this.#choice.takes(frame.channel)) &&
          (isAbout?.(frame.line.toString('utf8')) ?? true),
      )
    if (!isOver) return
    follower.close()
    this.#followers.delete(path)
    this.#over.add(path)
  }

  #filterOf({ name }: SegmentFollower, instrument: string): (line: string) => boolean {
    const key = `${name.exchange} ${name.channel}`
    const nothing = { channel: undefined, conn: undefined, fromUs: undefined, toUs: undefined }
    const filter = this.#filters.get(key) ?? lineFilter({ ...nothing, instrument }, name)
    this.#filters.set(key, filter)
    return filter
  }
}
