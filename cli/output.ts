import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
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
  if (out.listenerCount('error', leftToWriter) === 0) out.on('error', leftToWriter)
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

/** Makes a file that has its name once it is whole: nobody takes a part of it for an answer. */
export async function writeWhole(path: string, write: (temporary: string) => Promise<unknown>): Promise<void> {
  // A pipe or a device has its name already.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    await write(path)
    return
  }
  const temporary = `${path}.tmp`
  try {
    await write(temporary)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

export async function writeLinesTo(
  path: string,
  lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = createWriteStream(path)
  await writeLines(lines, file)
  file.end()
  await finished(file)
}

/** Resolves when the bytes are on their way, so that no more than a batch waits in memory. */
function write(out: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(bytes, error => (error ? reject(error) : resolve()))
  })
}

/** The stream raises an error twice: to whoever wrote, who deals with it, and as an event, which would end the process. */
function leftToWriter(): void {
  // Dealt with in the callback of the write.
}
