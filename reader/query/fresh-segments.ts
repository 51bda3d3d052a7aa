import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hourlyName } from '../../formats/parquet-path.js'
import { readReceipts } from '../../formats/receipt.js'
import { mayFill } from '../../compactor/tables.js'
import { segmentFiles, type SegmentFile } from '../../formats/segment-files.js'
import { segmentPath } from '../../formats/raw-path.js'
import type { TableFiles } from './table-files.js'

const DAY_US = 86_400_000_000

/**
 * Segments that may hold rows of a table which are in no Parquet file yet, oldest first. With receipts, those are the
 * ones without. A copy has none: there it is what began on the day before the newest file of the table, or later, and
 * has left no file of its own; what is older was converted long ago, or never will be.
 * @param covered the names of files that are there, alone or as part of a day's
 */
export async function freshSegments(
  root: string,
  table: string,
  files: TableFiles,
  covered: (dates: ReadonlySet<string>) => Promise<ReadonlySet<string>>,
): Promise<SegmentFile[]> {
  if (!existsSync(join(root, 'raw'))) return []
  const receipts = readReceipts(root)
  const mayHold = (family: string) => mayFill(table, family)
  const fromUs = receipts.size > 0 ? -Infinity : newestDayUs(files) - DAY_US
  const found = [...segmentFiles(root, { fromUs, toUs: Infinity, mayHold })]
  if (receipts.size > 0) return found.filter(({ name }) => !receipts.has(segmentPath(name, 'sealed')))
  const names = await covered(new Set(found.map(({ name }) => new Date(name.startedMs).toISOString().slice(0, 10))))
  return found.filter(({ name }) => !names.has(hourlyName(name)))
}

/** µs; far in the past where there are no files. */
function newestDayUs(files: TableFiles): number {
  const dates = [...files.keys()].map(folder => Date.parse(dateIn(folder)) * 1000)
  return dates.filter(Number.isFinite).reduce((newest, us) => Math.max(newest, us), -Infinity)
}

/** The date of a partition's folder. */
export const dateIn = (folder: string) => folder.slice(-'2026-11-22'.length)
