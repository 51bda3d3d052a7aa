import { mkdirSync, mkdtempSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../platform/package-info.js'

const MEMORY = '/dev/shm'
/** What tests of a run have there at the same time is a tenth of it; the programs need more. */
const ROOM_BYTES = 2 * 2 ** 30

/**
 * A new folder for all that the tests of a run write. What they sync to a disk takes a third of their time, and shows
 * nothing: so it is in memory, where that has room. Tests that are about a file system mount one of their own.
 */
export function makeScratchFolder(): string {
  const place = isRoomy(MEMORY) ? MEMORY : join(packageRoot, '.tap')
  mkdirSync(place, { recursive: true })
  return mkdtempSync(join(place, 'edgetape-tests-'))
}

function isRoomy(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return Math.min(bavail * bsize, freemem()) > ROOM_BYTES
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}
