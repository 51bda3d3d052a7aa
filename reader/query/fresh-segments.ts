import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hourlyName } from '../../formats/parquet-path.js'
import { datesWithReceipts, readReceiptsOf } from '../../formats/receipt.js'
import { mayFill } from '../../compactor/tables.js'
import { segmentFiles, type SegmentFile } from '../../formats/segment-files.js'
import { segmentDate, segmentPath } from '../../formats/raw-path.js'
import { parquetFolders } from '../../formats/parquet-tree.js'
import { ALL_DAYS, type Days } from './dates-asked.js'

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
  days: Days,
  covered: (dates: ReadonlySet<string>) => Promise<ReadonlySet<string>>,
): Promise<SegmentFile[]> {
  if (!existsSync(join(root, 'raw'))) return []
  const hasReceipts = datesWithReceipts(root).length > 0
  const mayHold = (family: string) => mayFill(table, family)
  const sinceUs = hasReceipts ? -Infinity : newestDayUs(root, table, days) - DAY_US
  const span = {
    fromUs: Math.max(sinceUs, startOf(days.first, -Infinity)),
    toUs: startOf(days.last, Infinity) + DAY_US,
  }
  const found = [...segmentFiles(root, { ...span, mayHold })].filter(({ name }) => {
    const date = segmentDate(name)
    return date >= days.first && date <= days.last
  })
  const dates = new Set(found.map(({ name }) => segmentDate(name)))
  if (hasReceipts) {
    const receipts = new Set([...dates].flatMap(date => [...readReceiptsOf(root, date).keys()]))
    return found.filter(({ name }) => !receipts.has(segmentPath(name, 'sealed')))
  }
  const names = await covered(dates)
  return found.filter(({ name }) => !names.has(hourlyName(name)))
}

/** µs; `otherwise` for a date beyond all. */
function startOf(date: string, otherwise: number): number {
  const ms = Date.parse(date)
  return Number.isFinite(ms) ? ms * 1000 : otherwise
}

/** Of a table, by the names of its folders, µs; far in the past where there are none from the first day on. Any day after the last but one is as good as the newest. */
function newestDayUs(root: string, table: string, { first, last }: Days): number {
  const enoughUs = startOf(last, Infinity) + 2 * DAY_US
  let newest = ''
  for (const { date } of parquetFolders(root, { table, dates: { first, last: ALL_DAYS.last } })) {
    if (date > newest) newest = date
    if (startOf(newest, -Infinity) >= enoughUs) break
  }
  return startOf(newest, -Infinity)
}
