import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Checksums } from '../formats/ledger.js'

const CHUNK_BYTES = 1024 * 1024
const CHUNKS_PER_TURN = 16
const buffer = Buffer.allocUnsafe(CHUNK_BYTES)

/**
 * Reads a local file once for both checksums, in bounded memory, letting other work in after each 16 MiB.
 * A symbolic link is refused (ELOOP).
 */
export async function checksumFile(path: string, signal: AbortSignal): Promise<Checksums> {
  const sha256 = createHash('sha256')
  const md5 = createHash('md5')
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    while (readTurn(fd, [sha256, md5])) {
      await setImmediate()
      signal.throwIfAborted()
    }
  } finally {
    closeSync(fd)
  }
  return { sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}

/** The same of a text. Pure. */
export function checksumsOf(text: string): Checksums {
  const digest = (algorithm: string) => createHash(algorithm).update(text).digest('hex')
  return { sha256: digest('sha256'), md5: digest('md5') }
}

/** Feeds up to 16 MiB into the hashes; false at the end of the file. The shared buffer is never kept across turns. */
function readTurn(fd: number, hashes: readonly Hash[]): boolean {
  for (let chunk = 0; chunk < CHUNKS_PER_TURN; chunk++) {
    const length = readSync(fd, buffer, 0, CHUNK_BYTES, null)
    if (length === 0) return false
    for (const hash of hashes) hash.update(buffer.subarray(0, length))
  }
  return true
}
