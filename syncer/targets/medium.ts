import { execFile } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { hasErrno } from '../../platform/edge-error.js'

const PIECE_BYTES = 1024 * 1024
const WASM_PAGE_BYTES = 64 * 1024

/**
 * Pieces of memory that begin at a page, as reading past the cache wants them: that of an ordinary buffer begins
 * anywhere, that of WebAssembly does not. They are few, one for each file that is read at once, and used again.
 */
const pieces: Buffer[] = []

/** The part of it that is used here; Node's types leave it to those of browsers. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer } }
}

function takePiece(): Buffer {
  const pages = PIECE_BYTES / WASM_PAGE_BYTES
  return pieces.pop() ?? Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer)
}

/**
 * The sha256 of the first `bytes` of a file as they lie on its medium, or at its server: this machine's page cache, which
 * may hold what was written and never arrived, is read past. Where the file system does not let us, the cache's pages are
 * given up first. `beat` is called while it goes on.
 */
export async function sha256OnMedium(path: string, bytes: number, beat: () => void): Promise<string> {
  const piece = takePiece()
  try {
    return (await hashPastCache(path, bytes, piece, beat)) ?? (await hashAfterDrop(path, bytes, piece, beat))
  } finally {
    pieces.push(piece)
  }
}

/** Undefined where the file system does not read past the cache. */
async function hashPastCache(
  path: string,
  bytes: number,
  piece: Buffer,
  beat: () => void,
): Promise<string | undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECT)
    try {
      return await hashOf(handle, bytes, piece, beat)
    } finally {
      await handle.close()
    }
  } catch (error) {
    // On opening as with tmpfs of old, or on reading as with SMB.
    if (hasErrno(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP')) return undefined
    throw error
  }
}

async function hashAfterDrop(path: string, bytes: number, piece: Buffer, beat: () => void): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    // Node has no call for it. Without the program the checksum is that of what can be read.
    await promisify(execFile)('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']).catch(unlessNoProgram)
    return await hashOf(handle, bytes, piece, beat)
  } finally {
    await handle.close()
  }
}

function unlessNoProgram(error: unknown): void {
  // Its exit code says that it could not be done; then there is nothing that could be given up.
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || typeof error.code === 'number')) return
  throw error
}

async function hashOf(handle: FileHandle, bytes: number, piece: Buffer, beat: () => void): Promise<string> {
  const hash: Hash = createHash('sha256')
  for (let position = 0; position < bytes;) {
    // Whole pieces, also at the end: a length that is no whole block is refused.
    const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, position)
    if (bytesRead === 0) break
    hash.update(piece.subarray(0, Math.min(bytesRead, bytes - position)))
    position += bytesRead
    beat()
  }
  return hash.digest('hex')
}
