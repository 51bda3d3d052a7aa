import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { EarlierSegment } from '../../exchanges/adapter.js'
import { LineSplitter } from '../../platform/line-splitter.js'
import type { EarlierPiece, EarlierQuery } from './earlier-segments.js'

/** Of the reading thread, which holds one piece at a time. */
const YOUNG_HEAP_MIB = 4

/**
 * What earlier runs recorded of a family, newest first, read and decoded on a thread of its own: a disk that does not
 * answer holds that thread, not the one that stamps frames. Ends without an error when `signal` aborts.
 * @throws errors of the disk
 */
export async function* readEarlier(query: EarlierQuery, signal: AbortSignal): AsyncGenerator<EarlierSegment> {
  if (signal.aborted) return
  const worker = new Worker(new URL('./earlier-thread.js', import.meta.url), {
    workerData: query,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_HEAP_MIB },
  })
  const next = async () => {
    if (signal.aborted) return undefined
    worker.postMessage('next')
    const [piece] = (await once(worker, 'message', { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
      return []
    })) as [EarlierPiece?]
    return piece
  }
  try {
    let piece = await next()
    const linesOfSegment = async function* () {
      const lines = new LineSplitter()
      for (piece = await next(); piece?.type === 'bytes'; piece = await next()) yield [...lines.split(piece.bytes)]
    }
    while (piece) {
      if (piece.type === 'segment') {
        const begun = piece
        yield { bytes: piece.compressedBytes, startedUs: piece.startedUs, lines: linesOfSegment() }
        if (piece !== begun) continue
      }
      // Its lines were not asked for, or not to their end.
      piece = await next()
    }
  } finally {
    // Where the disk hangs the thread stays until the process ends, and nobody waits for it.
    worker.unref()
    void worker.terminate()
  }
}
