import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hourlyName } from '../../formats/parquet-path.js'
import { datesWithReceipts, readReceiptsOf } from '../../formats/receipt.js'
import { mayFill, tableOf } from '../../compactor/tables.js'
import { currentPath, manifestOf, segmentFiles, type SegmentFile } from '../../formats/segment-files.js'
import { segmentDate, segmentPath } from '../../formats/raw-path.js'
import { parquetFolders } from '../../formats/parquet-tree.js'
import { decodeSegment } from '../../formats/decode-segment.js'
import { firstFrameFrom } from '../../formats/first-frame.js'
import { SLACK_US } from '../../formats/segment-span.js'
import { familyOf } from '../../exchanges/exchange.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { identityOf } from '../../exchanges/table.js'
import { greatest } from '../../platform/extremes.js'
import { dateOfUs } from '../../platform/utc-date.js'
import { ASKED_CONNECTIONS } from '../../formats/asked-connections.js'
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
  covered: (dates: ReadonlySet<string>, days: Days) => Promise<ReadonlySet<string>>,
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
  const names = await covered(dates, days)
  return found.filter(({ name }) => !names.has(hourlyName(name)))
}

/** A poll asks for what is older than this no more. */
const ASKED_ANEW_WITHIN_US = 31 * DAY_US

/**
 * Whether rows of a segment may be copies of what came at any time before, since it was asked for: then all that is fresh has
 * a say in which row stays.
 * @param fromUs of which lines that is asked
 */
function mayBeAskedAnew(segment: SegmentFile, fromUs = -Infinity): boolean {
  const { name } = segment
  if (identityOf(tableOf(name))?.reach !== 'days') return false
  if (familyOf(exchangeNamed(name.exchange), name.channel).comes !== 'streamed') return true
  const path = currentPath(segment)
  if (path === undefined) return false
  const manifest = manifestOf(path)
  if (manifest) return manifest.last_recv_us >= fromUs && ASKED_CONNECTIONS.some(conn => conn in manifest.connections)
  return holdsAnswers(path, fromUs)
}

const ANSWERS = ASKED_CONNECTIONS.map(conn => Buffer.from(`,"conn":"${conn}",`))
const LONGEST_BYTES = greatest(ANSWERS.map(answer => answer.length))

/** Of an open segment, up to its last flush. */
function holdsAnswers(path: string, fromUs: number): boolean {
  let rest = Buffer.alloc(0)
  for (const { bytes } of decodeSegment(path, fromUs === -Infinity ? 0 : firstFrameFrom(path, fromUs))) {
    const chunk = Buffer.concat([rest, bytes])
    if (ANSWERS.some(answer => chunk.includes(answer))) return true
    rest = chunk.subarray(Math.max(0, chunk.length - LONGEST_BYTES))
  }
  return false
}

/**
 * Which lines have a say in the rows of some days, since an event stays in the row that came first: of the segments of these
 * days those from `fromUs` on, or all; and which days before have some.
 * @param windowUs how far copies by two connections may be apart
 */
export function sayIn(
  segments: readonly SegmentFile[],
  { first, fromUs: askedUs }: Days,
  windowUs: number,
): { fromUs?: number; before?: Days & { fromUs: number } } {
  if (askedUs === undefined && first === ALL_DAYS.first) return {}
  const isAskedAnew = segments.some(segment => mayBeAskedAnew(segment, askedUs))
  const fromUs = askedUs === undefined || isAskedAnew ? undefined : askedUs - windowUs
  const startUs = startOf(first, -Infinity)
  const sayUs = fromUs ?? startUs - (isAskedAnew ? ASKED_ANEW_WITHIN_US : windowUs)
  const own = fromUs !== undefined && { fromUs }
  if (sayUs >= startUs || startUs === -Infinity) return { ...own }
  // A line may be stamped a little before the segment that it is in.
  return { ...own, before: { first: dateOfUs(sayUs - SLACK_US), last: dateOfUs(startUs - 1), fromUs: sayUs } }
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
