import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { EdgeError } from '../../platform/edge-error.js'
import { LineSplitter } from '../../platform/line-splitter.js'

const CHUNK_BYTES = 256 * 1024

/** What a file of ours holds, by its first bytes; names may have been changed on the way. */
export type FileKind = 'segment' | 'parquet' | 'manifest' | 'lines'

export function kindOf(path: string): FileKind {
  const fd = openSync(path, 'r')
  try {
    const start = Buffer.alloc(4)
    const length = readSync(fd, start, 0, 4, 0)
    if (start.readUInt32LE() === 0xfd2fb528 || (length === 0 && /\.jsonl\.zst/.test(path))) return 'segment'
    if (start.toString('latin1') === 'PAR1' || path.endsWith('.parquet')) return 'parquet'
    return path.endsWith('.json') ? 'manifest' : 'lines'
  } finally {
    closeSync(fd)
  }
}

/** The lines of a plain file: quarantine, receipts. */
export function* plainLines(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r')
  try {
    const splitter = new LineSplitter()
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk))
      yield* splitter.split(chunk.subarray(0, length))
    if (splitter.rest.length > 0) yield splitter.rest
  } finally {
    closeSync(fd)
  }
}

/**
 * A manifest or a status as one line, however it is laid out.
 * @throws EdgeError DUMP_NOT_JSON
 */
export function jsonAsLine(path: string): Buffer {
  try {
    return Buffer.from(JSON.stringify(JSON.parse(readFileSync(path, 'utf8'))))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new EdgeError('DUMP_NOT_JSON', `${path} is called .json but is not JSON: ${cause.message}`, { path, cause })
  }
}
