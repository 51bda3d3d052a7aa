import { access, constants, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Config } from '../../config/schema.js'
import { hasErrno, messageOf } from '../../platform/edge-error.js'
import type { OpenCount } from '../../formats/left-open.js'
import { growthPerDay } from '../observe/disk-growth.js'
import { diskUseOf } from '../observe/disk-use.js'
import type { ExpectedVolume } from './expected-volume.js'
import type { Finding } from './finding.js'
import { judgeDisk } from './space.js'

/** File systems over a network, by the magic numbers of Linux: their locks and their fsync are not to be relied on. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
])

/** What is in dataDir, and what a day of recording adds to it where that can be seen. */
export interface Recorded {
  dataBytes: number
  volume: ExpectedVolume | undefined
  /** Open segments, by recorder. */
  openBy: readonly OpenCount[]
}

/** Looks at every file of dataDir; nothing where there is none yet. */
export function recordedIn(dataDir: string, nowMs: number): Recorded {
  const use = diskUseOf(dataDir, nowMs)
  const bytesPerDay = growthPerDay(use)
  return {
    dataBytes: use.raw.bytes + use.parquet.bytes + use.quarantine.bytes,
    openBy: use.openBy,
    volume: bytesPerDay === undefined ? undefined : { bytesPerDay, from: 'recorded' },
  }
}

/** @param volume what is to be expected */
export async function diskFindings(
  { dataDir, sync, retention }: Config,
  { dataBytes }: Recorded,
  volume: ExpectedVolume | undefined,
): Promise<Finding[]> {
  const folder = await nearestFolder(resolve(dataDir))
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const hint = `chown it to the user that runs edgetape, or choose another dataDir`
    return [{ check: 'disk', outcome: 'failed', message: `cannot write to ${folder}: ${messageOf(error)}`, hint }]
  }
  const { bavail, bsize, type, files, ffree } = await statfs(folder)
  const { keepHours, minFreeGiB } = retention
  const freeBytes = bavail * bsize
  const shipped = sync.target !== undefined
  const findings = [judgeDisk({ freeBytes, dataBytes, volume, shipped, keepHours, minFreeGiB })]
  const network = NETWORK_FILE_SYSTEMS.get(type >>> 0)
  if (network !== undefined) {
    findings.push({
      check: 'file system',
      outcome: 'warning',
      message: `dataDir is on ${network}`,
      hint: 'put dataDir on a disk of this machine, and name the share as sync.target',
    })
  }
  if (files > 0 && ffree < INODES_FEW) {
    findings.push({
      check: 'inodes',
      outcome: 'warning',
      message: `${ffree} of ${files} inodes are free`,
      hint: 'a file system with few inodes is full before its space is; delete small files, or format it again',
    })
  }
  return findings
}

/** A day makes some thousand files. */
const INODES_FEW = 20_000

/** The folder itself, or the one above it that is there already. */
async function nearestFolder(path: string): Promise<string> {
  try {
    await access(path)
    return path
  } catch (error) {
    if (!hasErrno(error, 'ENOENT') || dirname(path) === path) return path
    return nearestFolder(dirname(path))
  }
}
