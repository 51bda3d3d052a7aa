import type { Manifest, ManifestGap } from '../../formats/manifest.js'
import type { FrameEncoding } from '../../formats/raw-line.js'
import type { OpenElsewhere } from '../../formats/left-open.js'
import type { SegmentGroup } from '../../formats/raw-path.js'
import type { LongSegments } from './segment-length.js'

/** How `what` of a write that failed begins; the family follows. */
export const APPENDING = 'append to '

/** What the storage thread must know before its first batch. */
export interface StorageOptions {
  dataDir: string
  exchange: string
  /** Others that this config records by this host name, at work or about to be: what they left open is theirs. */
  siblings?: readonly string[]
  host: string
  run: string
  rotateBytes: number
  /** How long a segment of little may go on; none: each ends with its slot. */
  long?: LongSegments | undefined
  fsyncMs: number
  /** How often zstd frames of open segments end, ms; none: each batch is one. */
  frameMs?: number
  /** Open segments whose file is held open at once; the others are closed and opened again when needed. */
  openFilesMax: number
  /** Kept free for the journal, for when the disk is full. */
  reserveBytes: number
  /** Label of the target that files are brought to: what is verified there may go when the disk is full. */
  syncTarget?: string | undefined
}

/** Lines of one group and one rotation slot. */
export interface Append extends SegmentGroup {
  type: 'append'
  /** `groupPath` of them: made once, asked for several times a batch. */
  group: string
  /** Of the group, by which both threads know it; none where the batch came by itself. */
  number?: number
  slotFromUs: number
  slotToUs: number
  firstRecvUs: number
  lastRecvUs: number
  frames: number
  bytes: Uint8Array<ArrayBuffer>
  /** Where frames stand in `bytes` that may not be JSON: from and to, one pair a line. None: they are known to be. */
  spans?: Uint32Array<ArrayBuffer>
  /** The memory of `bytes` holds other batches, too. */
  shares?: true
}

/** How a batch counts while it waits: the memory that it takes up. */
export const heldBytes = ({ bytes, shares }: Pick<Append, 'bytes' | 'shares'>) =>
  shares ? bytes.length : bytes.buffer.byteLength

/** A group of segments, which batches name by its number in the order of first use. */
export type Group = SegmentGroup & Pick<Append, 'group'>

/** Lines of a numbered group in memory that they share with others. */
export type SharedAppend = Append & Required<Pick<Append, 'number' | 'spans' | 'shares'>>

/**
 * Spelled out field by field: where an object begins with a spread, V8 makes new shapes for the fields behind it, of each
 * object, and to collect them costs more than what the object is for.
 */
export function sharedAppend(
  { channel, kind, currency, group }: Group,
  batch: Omit<SharedAppend, keyof Group | 'type' | 'shares'>,
): SharedAppend {
  const { number, slotFromUs, slotToUs, firstRecvUs, lastRecvUs, frames, bytes, spans } = batch
  const append: SharedAppend = {
    type: 'append',
    channel,
    group,
    number,
    slotFromUs,
    slotToUs,
    firstRecvUs,
    lastRecvUs,
    frames,
    bytes,
    spans,
    shares: true,
  }
  if (kind !== undefined) append.kind = kind
  if (currency !== undefined) append.currency = currency
  return append
}

/** Frames that will be in no file: exactly these, of this family, received in this span (both ends included). */
export interface Loss {
  channel: string
  fromUs: number
  toUs: number
  frames: number
  cause: string
}

/** To the storage thread. Batches of one family are written in the order in which they come. */
export type StorageRequest =
  | Append
  | { type: 'gap'; channels: string[]; gap: ManifestGap }
  /** The slots that ended before this time get no more frames. */
  | { type: 'tick'; nowUs: number }
  /** A full or faulty disk is tried at once, not when it is due. */
  | { type: 'tryNow' }
  /** The end is near: batches that cannot be written now come back as `dropped`. */
  | { type: 'giveUp' }
  /** Seals all but the journal, which may have something to say about that; answered by `sealedAll`. */
  | { type: 'sealAll'; withinMs: number }
  /** Seals the journal and ends. */
  | { type: 'close'; withinMs: number }

/** Frames that were kept in another encoding; `conn` and `seq` are of the first. */
export interface OddFrames {
  encoding: FrameEncoding
  conn: string
  seq: number
  frames: number
  /** Those that begin and end as JSON does and are none, the first so many. */
  broken?: readonly BrokenFrame[]
}

/** A frame that is not whole, by what stands at its begin. */
export interface BrokenFrame {
  conn: string
  recvUs: number
  head: string
}

/** Lines that readers can see now. */
export interface Stored {
  type: 'stored'
  channel: string
  frames: number
  compressedBytes: number
  /** Memory that they took up. */
  held: number
  /** Number of their group, where it has one. */
  number?: number
  /** That memory, where it can be filled again. */
  buffer?: ArrayBuffer
}

/** From the storage thread. */
export type StorageEvent =
  | Stored
  | { type: 'dropped'; batch: Pick<Append, 'channel' | 'firstRecvUs' | 'lastRecvUs' | 'frames'>; held: number }
  /** A segment was synced: the disk answers, however slowly. */
  | { type: 'synced' }
  /** Was stored, and is gone from the disk. */
  | { type: 'lost'; loss: Loss }
  /** A segment goes on beyond its hour, to this time at most: sent when it is begun, and in each hour. */
  | { type: 'goesOn'; path: string; toUs: number }
  | { type: 'sealed'; path: string; manifest: Manifest; recovered: boolean }
  /** Another recorder has segments open here; where it is gone, they are sealed now. */
  | { type: 'openElsewhere'; others: OpenElsewhere }
  | { type: 'unreadable'; path: string; movedTo: string }
  /** Frames of a batch that are none of the JSON that they were taken for; one of them is named. */
  | ({ type: 'odd'; channel: string } & OddFrames)
  | { type: 'failed'; what: string; message: string }
  /** Files that are verified at the target were deleted, since the disk is full. */
  | { type: 'madeRoom'; files: string[]; bytes: number }
  /** There is room again after `afterMs`. */
  | { type: 'roomAgain'; afterMs: number }
  | { type: 'sealedAll' }
  | { type: 'closed'; leftOpen: string[] }
