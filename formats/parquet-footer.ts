import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { EdgeError, hasErrno } from '../platform/edge-error.js'

const MAGIC = 'PAR1'
/** The magic in front, and length of the footer and magic behind. */
const LEAST_BYTES = 12

/** Whether a file has both ends of a Parquet file, and room for the footer that it speaks of: cut off, it has not. True for one that is gone. */
export function isWholeParquet(path: string): boolean {
  const fd = openIfThere(path)
  if (fd === undefined) return true
  try {
    const { size } = fstatSync(fd)
    if (size < LEAST_BYTES) return false
    const ends = Buffer.alloc(LEAST_BYTES)
    readSync(fd, ends, 0, 4, 0)
    readSync(fd, ends, 4, 8, size - 8)
    const hasMagic = ends.toString('latin1', 0, 4) === MAGIC && ends.toString('latin1', 8) === MAGIC
    return hasMagic && ends.readUInt32LE(4) + LEAST_BYTES <= size
  } finally {
    closeSync(fd)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** What is said of a file that is not whole. */
export const tornParquet = (path: string) =>
  new EdgeError('PARQUET_TORN', `${path} is no whole Parquet file: it was cut off, or overwritten`, {
    path,
    hint: 'move it away and convert it again from raw with edgetape compact --once, or take the copy on the NAS; edgetape verify parquet finds all such',
  })
