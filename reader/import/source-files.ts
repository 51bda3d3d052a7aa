import { closeSync, createReadStream, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import { folderEntries } from '../../platform/folder-entries.js'
import { LineSplitter } from '../../platform/line-splitter.js'

/** A file with lines of somebody else's recording. */
export interface SourceFile {
  path: string
  bytes: number
  modifiedMs: number
}

/** A line is no longer than this: a file without line feeds is no file of lines. */
const LINE_BYTES_MAX = 64 * 1024 * 1024

/**
 * Files in the order in which they are read: as they were named, those of a folder by their path.
 * @throws EdgeError IMPORT_NO_FILE
 */
export function sourceFiles(paths: readonly string[]): SourceFile[] {
  const files = paths.flatMap(path => filesBelow(resolve(path)))
  if (files.length > 0) return files
  throw new EdgeError('IMPORT_NO_FILE', `no file in ${paths.join(', ')}`, {
    hint: 'wanted files of lines, plain or .gz',
  })
}

/** @param above folders that it lies in: a link to one of them leads round */
function filesBelow(path: string, above: readonly string[] = []): SourceFile[] {
  let stat
  try {
    stat = statSync(path)
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    throw new EdgeError('IMPORT_NO_FILE', `${path} is not there`, { path, cause })
  }
  if (stat.isFile()) return [{ path, bytes: stat.size, modifiedMs: stat.mtimeMs }]
  const place = realpathSync(path)
  if (!stat.isDirectory() || above.includes(place)) return []
  return folderEntries(path)
    .flatMap(({ name }) => (name.startsWith('.') ? [] : [name]))
    .sort()
    .flatMap(name => filesBelow(join(path, name), [...above, place]))
}

export interface SourceLine {
  line: Buffer
  /** Where the next line begins, in the decompressed file. */
  endsAt: number
}

/**
 * The lines of a file, packed or not, at the speed of whoever takes them; the last one though no line feed ends it.
 * @param from bytes of the decompressed file to pass over: the end of a line
 * @throws EdgeError IMPORT_TORN the packed file ends before its end, or is none: the lines before were given;
 *   IMPORT_LINE_TOO_LONG
 */
export async function* sourceLines(
  path: string,
  from: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<SourceLine, void> {
  const splitter = new LineSplitter()
  let endsAt = 0
  let read = 0
  for await (const chunk of unpacked(path, onBytes)) {
    for (const line of splitter.split(chunk)) {
      endsAt += line.length + 1
      if (endsAt > from) yield { line, endsAt }
    }
    read += chunk.length
    if (read - endsAt > LINE_BYTES_MAX)
      throw new EdgeError('IMPORT_LINE_TOO_LONG', `${path} has no line feed within ${LINE_BYTES_MAX} bytes`, { path })
  }
  const { rest } = splitter
  if (rest.length > 0 && read > from) yield { line: rest, endsAt: read }
}

/** Bytes of the file as they are, or unpacked where it begins as gzip does, whatever it is called. */
async function* unpacked(path: string, onBytes: (bytes: number) => void): AsyncGenerator<Buffer, void> {
  let file: Readable | undefined
  try {
    const isPacked = isGzip(path)
    const plain = createReadStream(path, { highWaterMark: CHUNK_BYTES })
    file = plain
    plain.on('data', chunk => onBytes(chunk.length))
    plain.pause()
    const stream: Readable = isPacked ? plain.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : plain
    // A pipe hands errors on to nobody.
    if (isPacked) plain.on('error', error => stream.destroy(error))
    for await (const chunk of stream) yield chunk as Buffer
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    throw new EdgeError('IMPORT_TORN', `${path} cannot be read to its end: ${cause.message}`, {
      path,
      cause,
      hint: 'what stands before is imported; with the whole file, import it again',
    })
  } finally {
    file?.destroy()
  }
}

const CHUNK_BYTES = 256 * 1024

function isGzip(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const magic = Buffer.alloc(2)
    return readSync(fd, magic, 0, 2, 0) === 2 && magic.equals(GZIP_MAGIC)
  } finally {
    closeSync(fd)
  }
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])
