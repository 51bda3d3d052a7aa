import { z } from 'zod'
import { currentPath } from '../formats/segment-files.js'
import type { JournalEntry } from '../formats/journal/gap.js'
import { journalSegments, storedEntries } from '../formats/journal/stored-entries.js'
import { datesOf, type ParquetReader } from './parquet-reader.js'
import type { Span } from '../platform/spans.js'

const DAY_US = 86_400_000_000

/** Events that come by the clock: outside of the days asked about they say nothing new. */
const REGULAR = ['clock', 'subscriptions', 'repeated']

const schema = z.object({
  host: z.string(),
  run: z.string(),
  recv_us: z.union([z.bigint(), z.number()]).transform(Number),
  seq: z.union([z.bigint(), z.number()]).transform(Number),
  event: z.string(),
  detail: z.string(),
})

/**
 * The journal, from Parquet and from raw segments that are not in Parquet yet, each entry once, in the order of time:
 * of the span and the days around it all, of all other days what may outlive them.
 */
export async function readJournal(tables: ParquetReader, root: string, window: Span): Promise<JournalEntry[]> {
  const entries = new Map<string, JournalEntry & { seq: number }>()
  const keep = (entry: JournalEntry & { seq: number }) =>
    entries.set(`${entry.host} ${entry.recvUs} ${entry.seq}`, entry)
  for (const entry of await fromParquet(tables, window)) keep(entry)
  for (const entry of fromRaw(root, { fromUs: window.fromUs - DAY_US, toUs: window.toUs + DAY_US })) keep(entry)
  return withRuns([...entries.values()].sort((a, b) => a.recvUs - b.recvUs || a.seq - b.seq))
}

/** The name of a day's file says no run: there an entry is of the run that began last. */
function withRuns(entries: readonly JournalEntry[]): JournalEntry[] {
  const runs = new Map<string, string>()
  return entries.map(entry => {
    const { host, run, event, detail } = entry
    if (event === 'started' && typeof detail['run'] === 'string') runs.set(host, detail['run'])
    return run === '' ? { ...entry, run: runs.get(host) ?? '' } : entry
  })
}

async function fromParquet(tables: ParquetReader, window: Span): Promise<(JournalEntry & { seq: number })[]> {
  const source = tables.source('journal')
  if (source === undefined) return []
  const { first, last } = datesOf(window, 1)
  const rows = await tables.rows(
    `SELECT ${HOST} AS host, ${RUN} AS run, epoch_us(recv_ts) AS recv_us, seq, event, detail::VARCHAR AS detail
     FROM ${source}
     WHERE "date" BETWEEN '${first}' AND '${last}' OR event NOT IN (${REGULAR.map(event => `'${event}'`).join(', ')})`,
    schema,
  )
  return rows.map(({ recv_us, detail, ...row }) => ({
    ...row,
    recvUs: recv_us,
    detail: JSON.parse(detail) as Record<string, unknown>,
  }))
}

/** Host and run, from the name of a Parquet file; a day's file has no run. */
export const HOST = String.raw`regexp_extract(filename, '/\d\d-(.+)-[a-z0-9]+-\d+\.parquet$', 1) || regexp_extract(filename, '/day-(.+)\.parquet$', 1)`
export const RUN = String.raw`regexp_extract(filename, '/\d\d-.+-([a-z0-9]+)-\d+\.parquet$', 1)`

function* fromRaw(root: string, span: Span): Generator<JournalEntry & { seq: number }> {
  for (const file of journalSegments(root, span)) {
    const path = currentPath(file)
    if (path !== undefined) yield* storedEntries(path, file.name)
  }
}
