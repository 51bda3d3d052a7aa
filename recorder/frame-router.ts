import { journalFrame } from '../formats/journal/entry.js'
import type { EventName, FactsOf } from '../formats/journal/events.js'
import { LineHead } from '../formats/raw-line.js'
import type { LineBatch } from './line-batch.js'
import type { ReceiveClock } from './receive-clock.js'
import type { SegmentGroup } from '../formats/raw-path.js'
import type { Storage } from './storage/storage.js'

/** Batches being filled at once; one more, and all are handed on. */
const BATCHES_MAX = 64

/** So many frames of a family are looked through at most each time something is sought: of some chains one is rare. */
const LOOKS_MAX = 1000

/** Kind and currency under which a frame is grouped within its family; undefined for one that has none. */
export type PartitionOf = (frame: Buffer, family: string) => Omit<SegmentGroup, 'channel'> | undefined

/** Counts of what was taken, per channel family. */
export interface FamilyCount {
  frames: number
  bytes: number
  /** Receive stamp of the last frame. */
  lastUs: number
  /** The first frame since somebody last asked for one. */
  sample?: Sample | undefined
  search?: Search | undefined
}

/** A frame that is kept; most are not, and their memory is filled anew. */
export interface Sample {
  readonly frame: Buffer
  /** Its receive stamp. */
  readonly recvUs: number
}

/** What the next frames of a family are looked through for, and how many of them still are. */
interface Search {
  sought: readonly Sought[]
  looks: number
}

/** The first frame that has these bytes is wanted. */
export interface Sought {
  readonly bytes: Buffer
  found?: Sample
}

/** A batch that takes lines of a group, and where those of its family are counted. */
interface Filling {
  readonly batch: LineBatch
  readonly count: FamilyCount
}

/** The search behind a frame; undefined when it is over. */
function searchBehind(search: Search, frame: Buffer, recvUs: number): Search | undefined {
  if (search.looks-- <= 0) return undefined
  const one = search.sought.find(({ bytes }) => frame.includes(bytes))
  if (!one) return search
  one.found = { frame: Buffer.from(frame), recvUs }
  search.sought = search.sought.filter(other => other !== one)
  return search.sought.length > 0 ? search : undefined
}

/** One source of frames within this run: a connection, what was sent on it, or the journal. Counts from 1. */
export class FrameCounter {
  readonly conn: string
  readonly head: LineHead
  seq = 0

  constructor(conn: string) {
    this.conn = conn
    this.head = new LineHead(conn)
  }
}

/**
 * Takes frames and gives them to the storage thread, in batches of one channel family each. Nothing is parsed here, and
 * nothing that arrives is ever left out.
 */
export class FrameRouter {
  readonly #storage: Storage
  readonly #clock: ReceiveClock
  readonly #slotUs: number
  readonly #partitionOf: PartitionOf | undefined
  readonly #handOverMs: number | undefined
  #due: NodeJS.Timeout | undefined
  readonly #flushDue = () => this.flush()
  readonly #filling = new Map<string, Filling>()
  readonly #journal = new FrameCounter('journal')
  readonly counts = new Map<string, FamilyCount>()
  /** Frames of entries that wait for this run's turn to speak. */
  #held: string[] | undefined

  /**
   * @param partitionOf how segments of a family are grouped further; none: one segment a family
   * @param handOverMs how long lines wait for others, at most; none: until somebody flushes
   */
  constructor(
    storage: Storage,
    clock: ReceiveClock,
    rotateMinutes: number,
    partitionOf?: PartitionOf,
    handOverMs?: number,
  ) {
    this.#storage = storage
    this.#partitionOf = partitionOf
    this.#clock = clock
    this.#handOverMs = handOverMs
    this.#slotUs = Math.round(rotateMinutes * 60) * 1_000_000
  }

  /** Takes one frame of a family; `recvUs` is its receive stamp. Its memory may be filled anew afterwards. */
  take(family: string, source: FrameCounter, recvUs: number, frame: Buffer): void {
    const { batch, count } = this.#fillingFor(family, recvUs, frame)
    const seq = ++source.seq
    if (batch.frames > 0 || !this.#storage.takeLine(batch, recvUs, source.head, seq, frame)) {
      batch.add(recvUs, source.head, seq, frame)
      if (this.#handOverMs !== undefined) this.#due ??= setTimeout(this.#flushDue, this.#handOverMs)
    }
    count.frames++
    count.bytes += frame.length
    count.lastUs = recvUs
    count.sample ??= { frame: Buffer.from(frame), recvUs }
    if (count.search) count.search = searchBehind(count.search, frame, recvUs)
  }

  /** Looks through the next frames of a family for these, in place of what was sought before; of one that never came nothing is. */
  seek(family: string, sought: readonly Sought[]): void {
    const count = this.counts.get(family)
    const open = sought.filter(({ found }) => !found)
    if (count) count.search = open.length > 0 ? { sought: open, looks: LOOKS_MAX } : undefined
  }

  /** Keeps entries of the journal back until `speak`: as long as another run writes it, two would contradict each other. */
  holdJournal(): void {
    this.#held ??= []
  }

  /** Writes this entry first, then what was held back, in its order and with the time of now. */
  speak<Name extends EventName>(event: Name, facts: FactsOf<Name>): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const frame of [journalFrame(event, facts), ...held]) this.#write(frame)
  }

  /** Writes an event about the recording itself. */
  journal<Name extends EventName>(event: Name, facts: FactsOf<Name>): void {
    const frame = journalFrame(event, facts)
    if (this.#held) this.#held.push(frame)
    else this.#write(frame)
  }

  #write(frame: string): void {
    this.take('journal', this.#journal, this.#clock.nowUs(), Buffer.from(frame))
  }

  /** Journals a span in which frames of these families are missing or may be; it will stand in their manifests, too. */
  gap(families: string[], gap: Omit<FactsOf<'gap'>, 'families'>): void {
    this.journal('gap', { ...gap, families })
    const { also, ...bounds } = gap
    this.#storage.noteGap(families, { ...bounds, ...(also && { also: [...also] }) })
  }

  /** Hands everything on, so that it becomes readable in the open segments. */
  flush(): void {
    clearTimeout(this.#due)
    this.#due = undefined
    for (const [key, { batch }] of this.#filling) if (batch.frames > 0) this.#handOn(key, batch)
  }

  #handOn(key: string, batch: LineBatch): void {
    if (batch.frames > 0) this.#storage.append(batch)
    else this.#storage.reuse(batch)
    this.#filling.delete(key)
  }

  #fillingFor(family: string, recvUs: number, frame: Buffer): Filling {
    const partition = family === 'journal' ? undefined : this.#partitionOf?.(frame, family)
    const key = partition ? `${family}/${partition.kind}/${partition.currency ?? ''}` : family
    const current = this.#filling.get(key)
    if (current?.batch.covers(recvUs) && current.batch.hasRoomFor(frame)) return current
    if (current) this.#handOn(key, current.batch)
    const slotFromUs = recvUs - (recvUs % this.#slotUs)
    // Each batch being filled holds 256 KiB, however many groups there are.
    if (this.#filling.size >= BATCHES_MAX) for (const [other, { batch }] of this.#filling) this.#handOn(other, batch)
    const batch = this.#storage.newBatch({ channel: family, ...partition }, slotFromUs, slotFromUs + this.#slotUs)
    const filling = { batch, count: this.#countOf(family) }
    this.#filling.set(key, filling)
    return filling
  }

  #countOf(family: string): FamilyCount {
    const known = this.counts.get(family)
    if (known) return known
    const count = { frames: 0, bytes: 0, lastUs: -Infinity, sample: undefined, search: undefined }
    this.counts.set(family, count)
    return count
  }
}
