import { isNear } from '../platform/clock.js'
import { withState } from '../formats/raw-path.js'
import type { FileRecord } from '../formats/ledger.js'
import type { LocalFile } from './local-tree.js'

/** What is to be done with the files of one date. */
export interface DatePlan {
  /** To be uploaded, oldest hour first. `replace`: the copy at the target is known to be another. */
  ship: { file: LocalFile; replace: boolean }[]
  /** Uploaded long enough ago to be compared. */
  verify: FileRecord[]
  /** Uploaded, still in the grace period. */
  waiting: FileRecord[]
  verified: number
  /** Sealed segments without a manifest: nothing says what they should contain, so they stay here. */
  unproven: LocalFile[]
}

/** True where the record is about the file as it is now. */
export function isCurrent(file: LocalFile, record: FileRecord | undefined): record is FileRecord {
  return record?.bytes === file.bytes && record.mtimeMs === file.mtimeMs
}

/**
 * Sorts the files of a date by what is due. Pure. A manifest goes only with its sealed segment: before that, a recovery
 * may still write it anew.
 */
export function planDate(
  files: readonly LocalFile[],
  recordOf: (path: string) => FileRecord | undefined,
  nowMs: number,
  graceMs: number,
): DatePlan {
  const plan: DatePlan = { ship: [], verify: [], waiting: [], verified: 0, unproven: [] }
  const present = new Set(files.map(file => file.path))
  for (const file of files) {
    const record = recordOf(file.path)
    if (isCurrent(file, record) && record.state !== 'wrong' && record.state !== 'missing') {
      if (record.state === 'verified') plan.verified++
      else if (!isNear(record.atMs, nowMs, graceMs)) plan.verify.push(record)
      else plan.waiting.push(record)
    } else if (file.kind === 'segment' && !present.has(withState(file.path, 'manifest'))) plan.unproven.push(file)
    else if (file.kind !== 'manifest' || present.has(withState(file.path, 'sealed'))) {
      // A copy of an older version of this file is ours, too: it is replaced, not kept aside.
      plan.ship.push({ file, replace: record !== undefined && record.state !== 'missing' })
    }
  }
  plan.ship.sort((a, b) => a.file.hourEndMs - b.file.hourEndMs)
  return plan
}

/**
 * Cuts a list into batches of bounded count and size; a batch has at least one item. With `grow` the first is an eighth of
 * that and each is twice the one before, so that the first is soon on its way.
 */
export function* batchesOf<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  limits: { files: number; bytes: number },
  grow = false,
): Generator<T[]> {
  let part = grow ? 1 / 8 : 1
  let batch: T[] = []
  let bytes = 0
  for (const item of items) {
    if (batch.length > 0 && (batch.length + 1 > part * limits.files || bytes + bytesOf(item) > part * limits.bytes)) {
      yield batch
      part = Math.min(1, 2 * part)
      batch = []
      bytes = 0
    }
    batch.push(item)
    bytes += bytesOf(item)
  }
  if (batch.length > 0) yield batch
}
