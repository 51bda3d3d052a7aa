import type { Manifest, ManifestGap } from '../manifest.js'

/** What the storage thread must know before its first batch. */
export interface StorageOptions {
  dataDir: string
  exchange: string
  host: string
  run: string
  rotateBytes: number
  fsyncMs: number
}

/** To the storage thread. Batches are written in the order in which they come. */
export type StorageRequest =
  | {
      type: 'append'
      channel: string
      slotFromUs: number
      slotToUs: number
      firstRecvUs: number
      frames: number
      bytes: Uint8Array<ArrayBuffer>
    }
  | { type: 'gap'; channels: string[]; gap: ManifestGap }
  /** The slots that ended before this time get no more frames. */
  | { type: 'tick'; nowUs: number }
  | { type: 'close'; withinMs: number }

/** From the storage thread. */
export type StorageEvent =
  | { type: 'stored'; bytes: Uint8Array<ArrayBuffer>; frames: number; compressedBytes: number }
  | { type: 'sealed'; path: string; manifest: Manifest; recovered: boolean }
  | { type: 'unreadable'; path: string; movedTo: string }
  | { type: 'failed'; what: string; message: string }
  | { type: 'closed'; leftOpen: string[] }
