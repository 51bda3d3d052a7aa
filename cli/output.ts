import type { Writable } from 'node:stream'
import { hasErrno } from '../platform/edge-error.js'

const BATCH_BYTES = 64 * 1024
const LINE_FEED = Buffer.from('\n')

/**
 * Writes lines, each with a line feed, at the speed of their reader. A reader that has seen enough (`| head`) is no
 * error: writing ends there.
 * @returns false when the reader went away
 */
export async function writeLines(
  lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  out: Writable,
): Promise<boolean> {
  if (out.listenerCount('error', toldToWriter) === 0) out.on('error', toldToWriter)
  let batch: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const line of lines) {
      batch.push(line, LINE_FEED)
      bytes += line.length + 1
      if (bytes < BATCH_BYTES) continue
      await write(out, Buffer.concat(batch))
      batch = []
      bytes = 0
    }
    await write(out, Buffer.concat(batch))
    return true
  } catch (error) {
    if (hasErrno(error, 'EPIPE')) return false
    throw error
  }
}

/** Resolves when the bytes are on their way, so that no more than a batch waits in memory. */
function write(out: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(bytes, error => (error ? reject(error) : resolve()))
  })
}

/** The stream raises an error twice: to whoever wrote, who deals with it, and as an event, which would end the process. */
function toldToWriter(): void {
  // Dealt with in the callback of the write.
}
