import { existsSync, lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DateLedger, ledgerDates, readAccount, syncerState } from '../../formats/ledger.js'
import { parseSegmentPath, withState } from '../../formats/raw-path.js'
import { readReceiptsOf, type Receipts } from '../../formats/receipt.js'
import type { Disk } from '../../platform/disk.js'

/** Whose segments, and where they are brought to. */
export interface Shipping {
  dataDir: string
  /** The label of `sync.target`; none: nothing is shipped, so nothing is known to be anywhere else. */
  syncTarget?: string | undefined
}

/** What is known of the files of one date. */
interface DateKnowledge {
  ledger: DateLedger
  receipts: Receipts
}

/**
 * Deletes sealed segments and their manifests, the oldest first, until `bytes` are free: only those that the syncer's
 * account of the target that the config names calls verified as they are now, and of which the compactor's receipt names
 * outputs that are verified, too. Returns what is gone, durably.
 */
export function removeVerifiedSegments(
  disk: Disk,
  shipping: Shipping,
  bytes: number,
): { files: string[]; bytes: number } {
  const { dataDir } = shipping
  const gone = { files: [] as string[], bytes: 0 }
  const folders = new Set<string>()
  try {
    for (const [path, size] of verifiedSegments(shipping)) {
      if (gone.bytes >= bytes) break
      disk.remove(join(dataDir, path))
      gone.files.push(path)
      gone.bytes += size
      folders.add(dirname(path))
    }
  } finally {
    for (const folder of folders) disk.syncFolder(join(dataDir, folder))
  }
  return gone
}

/** Paths and sizes in the order of deletion: by date, then by name; a segment before its manifest. */
function* verifiedSegments({ dataDir, syncTarget }: Shipping): Generator<[path: string, bytes: number]> {
  const folder = currentLedger(dataDir, syncTarget)
  if (folder === undefined) return
  for (const date of ledgerDates(folder)) {
    const known: DateKnowledge = { ledger: new DateLedger(folder, date, true), receipts: readReceiptsOf(dataDir, date) }
    const paths = [...known.receipts.keys()].filter(path => parseSegmentPath(path)?.state === 'sealed')
    for (const path of paths.sort(byStart)) {
      const manifest = withState(path, 'manifest')
      const sizes = [sizeIfVerified(dataDir, path, known), sizeIfVerified(dataDir, manifest, known)]
      const [segmentBytes, manifestBytes] = sizes
      if (segmentBytes === undefined || manifestBytes === undefined || !outputsAreVerified(dataDir, path, known))
        continue
      yield [path, segmentBytes]
      yield [manifest, manifestBytes]
    }
  }
}

const byStart = (one: string, other: string) =>
  (parseSegmentPath(one)?.name.startedMs ?? 0) - (parseSegmentPath(other)?.name.startedMs ?? 0) ||
  (one < other ? -1 : 1)

/** The size of a file here that is verified, unchanged since. */
function sizeIfVerified(dataDir: string, path: string, { ledger }: DateKnowledge): number | undefined {
  const file = lstatSync(join(dataDir, path), { throwIfNoEntry: false })
  const record = ledger.get(path)
  if (!file?.isFile() || record?.state !== 'verified') return undefined
  return record.bytes === file.size && record.mtimeMs === Math.floor(file.mtimeMs) ? file.size : undefined
}

/** The receipt speaks of this very segment, and all that was made from it is verified, here still or not. */
function outputsAreVerified(dataDir: string, path: string, known: DateKnowledge): boolean {
  const receipt = known.receipts.get(path)
  if (!receipt || known.ledger.get(path)?.sha256 !== receipt.sha256) return false
  return receipt.outputs.every(output => {
    const record = known.ledger.get(output.path)
    if (record?.state !== 'verified' || record.sha256 !== output.sha256) return false
    return !existsSync(join(dataDir, output.path)) || sizeIfVerified(dataDir, output.path, known) !== undefined
  })
}

/**
 * The ledgers that the syncer calls current, where they are of the target that the config names: an account of a target
 * that was changed, or never reached, says nothing about where files are now.
 */
function currentLedger(dataDir: string, syncTarget: string | undefined): string | undefined {
  const account = readAccount(syncerState(dataDir))
  return account && account.target === syncTarget ? join(syncerState(dataDir), account.ledger) : undefined
}
