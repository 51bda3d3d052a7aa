import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EdgeError } from '../../platform/edge-error.js'
import { sha256OnMedium } from './medium.js'
import type { OutgoingFile } from './target.js'

const CHUNK_BYTES = 256 * 1024

/**
 * Copies one file so that readers see nothing or all of it: a dot-name in the destination's folder, which must be
 * there, fsync, the hash of what is on the medium now, rename. The name is durable once the caller has synced the folder.
 * A temporary name left by a crash is written over by the next try.
 * @throws EdgeError SYNC_SOURCE_CHANGED the file here is no longer what it was; SYNC_COPY_DIFFERS what was read back is
 *         not what was written; errors of the operating system as they come
 */
export async function copyDurably(
  file: OutgoingFile,
  dataDir: string,
  destination: string,
  beat: () => void,
): Promise<void> {
  const temporary = join(dirname(destination), `.${basename(destination)}.edgetape-tmp`)
  let settled = false
  try {
    const { O_RDWR, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants
    const copy = await open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644)
    try {
      await fill(copy, join(dataDir, file.path), file, beat)
      await copy.utimes(file.mtimeMs / 1000, file.mtimeMs / 1000)
      await copy.sync()
    } finally {
      await copy.close()
    }
    if ((await sha256OnMedium(temporary, file.bytes, beat)) !== file.sha256) throw differs(file.path)
    await rename(temporary, destination)
    settled = true
  } finally {
    if (!settled) await removeQuietly(temporary)
  }
}

async function fill(copy: FileHandle, source: string, file: OutgoingFile, beat: () => void): Promise<void> {
  const input = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const hash = createHash('sha256')
    for await (const chunk of chunksOf(input, file.bytes)) {
      hash.update(chunk)
      await copy.writeFile(chunk)
      beat()
    }
    if (hash.digest('hex') === file.sha256) return
    throw new EdgeError('SYNC_SOURCE_CHANGED', `${file.path} changed while it was copied`, { path: file.path })
  } finally {
    await input.close()
  }
}

function differs(path: string): EdgeError {
  return new EdgeError('SYNC_COPY_DIFFERS', `${path}: what was read back is not what was written`, {
    path,
    hint: 'check the disk of the target, and its cable',
  })
}

/** The first `bytes` of the content in pieces, fewer where there are no more; a piece is valid until the next one. */
async function* chunksOf(handle: FileHandle, bytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes))
  for (let position = 0; position < bytes;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, bytes - position), position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function removeQuietly(path: string): Promise<void> {
  // The error that brought us here says more than one about the litter, which the next try writes over anyway.
  await unlink(path).catch(() => undefined)
}
