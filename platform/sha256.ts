import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

const PIECE_BYTES = 256 * 1024

/** The hash of a file, hex, read in pieces; into one buffer, since those of a stream pile up until they are collected. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(PIECE_BYTES)
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}
