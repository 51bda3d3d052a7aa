import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { groupPath } from '../../formats/raw-path.js'
import type { StorageEvent } from '../../recorder/storage/messages.js'
import { SegmentStore } from '../../recorder/storage/segment-store.js'
import { BATCH_BYTES } from '../../recorder/line-batch.js'
import { batches, STARTED_MS, type MadeLines } from './made-lines.js'

const HOST = 'bench'
const WITHIN_MS = 600_000

function newStore(dataDir: string, run: string, onEvent: (event: StorageEvent) => void): SegmentStore {
  mkdirSync(join(dataDir, 'state'), { recursive: true })
  const limits = { rotateBytes: 1e12, fsyncMs: 1000, openFilesMax: 256, reserveBytes: 0 }
  return new SegmentStore({ dataDir, exchange: 'deribit', host: HOST, run, ...limits }, onEvent)
}

/** Writes all lines as the storage thread does and leaves the segment open, as a kill would. Returns the ms it took. */
export function writeOpen(dataDir: string, made: MadeLines): Promise<number> {
  const all = [...batches(made, Infinity, BATCH_BYTES)]
  const startedAt = performance.now()
  return new Promise(resolve => {
    let stored = 0
    const store = newStore(dataDir, 'r1', event => {
      if (event.type === 'stored' && ++stored === all.length) resolve(performance.now() - startedAt)
    })
    const slot = { slotFromUs: STARTED_MS * 1000, slotToUs: Number.MAX_SAFE_INTEGER }
    const span = { firstRecvUs: STARTED_MS * 1000, lastRecvUs: STARTED_MS * 1000 }
    const group = groupPath({ channel: made.family })
    for (const batch of all) {
      const bytes = new Uint8Array(Buffer.concat(batch))
      store.handle({ type: 'append', channel: made.family, group, ...slot, ...span, frames: batch.length, bytes })
    }
  })
}

export interface Recovered {
  /** Until it is known what was left open: from here on, frames are taken. */
  foundMs: number
  /** Until all of it is sealed. */
  sealedMs: number
  sealedBytes: number
}

/** Starts as the recorder does on a tree in which a run left `count` segments open, and waits until they are sealed. */
export function recoverAll(dataDir: string, count: number): Promise<Recovered> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    let foundMs = 0
    let sealed = 0
    let sealedBytes = 0
    let sealedMs = 0
    const store = newStore(dataDir, 'r2', event => {
      if (event.type === 'failed') reject(new Error(event.message))
      if (event.type === 'closed') resolve({ foundMs, sealedMs, sealedBytes })
      if (event.type !== 'sealed') return
      sealedBytes += event.manifest.bytes_compressed
      if (++sealed < count) return
      sealedMs = performance.now() - startedAt
      store.handle({ type: 'close', withinMs: WITHIN_MS })
    })
    foundMs = performance.now() - startedAt
  })
}
