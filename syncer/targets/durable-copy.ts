import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EdgeError } from '../../platform/edge-error.js'
import { makeFolders, syncFolder } from './target-folders.js'
import type { OutgoingFile } from './target.js'

const CHUNK_BYTES = 256 * 1024

/**
 * Copies one file so that readers of `root` see nothing or all of it: a dot-name in the destination folder, fsync, the
 * hash of what is there now, rename, fsync of the folder. Afterwards it is as durable as the file system can say.
 * A temporary name left by a crash is written over by the next try.
 * @throws EdgeError SYNC_SOURCE_CHANGED the file here is no longer what it was; SYNC_COPY_DIFFERS what was read back is
 *         not what was written; errors of the operating system as they come
 */
export async function copyDurably(file: OutgoingFile, dataDir: string, root: string, beat: () => void): Promise<void> {
  const destination = join(root, file.path)
  const folder = dirname(destination)
  const temporary = join(folder, `.${basename(destination)}.edgetape-tmp`)
  await makeFolders(root, dirname(file.path))
  let settled = false
  try {
    await copyAndSync(join(dataDir, file.path), temporary, file, beat)
    if ((await sha256Of(temporary, beat)) !== file.sha256) {
      throw new EdgeError('SYNC_COPY_DIFFERS', `${file.path}: what was read back is not what was written`, {
        path: file.path,
        hint: 'check the disk of the target, and its cable',
      })
    }
    await rename(temporary, destination)
    settled = true
    await syncFolder(folder)
  } finally {
    if (!settled) await removeQuietly(temporary)
  }
}

async function copyAndSync(source: string, temporary: string, file: OutgoingFile, beat: () => void): Promise<void> {
  const input = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants
    const output = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644)
    try {
      const hash = createHash('sha256')
      for await (const chunk of chunksOf(input)) {
        hash.update(chunk)
        await output.writeFile(chunk)
        beat()
      }
      if (hash.digest('hex') !== file.sha256) {
        throw new EdgeError('SYNC_SOURCE_CHANGED', `${file.path} changed while it was copied`, { path: file.path })
      }
      await output.utimes(file.mtimeMs / 1000, file.mtimeMs / 1000)
      await output.sync()
    } finally {
      await output.close()
    }
  } finally {
    await input.close()
  }
}

/** The sha256 of a file's content as it can be read there now. `beat` is called while it goes on. */
export async function sha256Of(path: string, beat: () => void): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const hash = createHash('sha256')
    for await (const chunk of chunksOf(handle)) {
      hash.update(chunk)
      beat()
    }
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}

/** The content in pieces; a piece is valid until the next one is asked for. */
async function* chunksOf(handle: FileHandle): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function removeQuietly(path: string): Promise<void> {
  // The error that brought us here says more than one about the litter, which the next try writes over anyway.
  await unlink(path).catch(() => undefined)
}
