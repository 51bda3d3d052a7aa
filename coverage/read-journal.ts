import { HOST_SQL as HOST, RUN_SQL as RUN } from '../formats/parquet-path.js'
import { z } from 'zod'
import { parseJournalEvent, type JournalEntry } from '../formats/journal/entry.js'
import { inOrder, rawEntries, type NumberedEntry } from '../formats/journal/read.js'
import type { Span } from '../platform/spans.js'
import { datesOf, type ParquetReader } from './parquet-reader.js'

const DAY_US = 86_400_000_000

/** Events that come by the clock: outside of the days asked about they say nothing new. */
const REGULAR = ['clock', 'subscriptions', 'repeated']

const schema = z.object({
  exchange: z.string(),
  host: z.string(),
  run: z.string(),
  recv_us: z.union([z.bigint(), z.number()]).transform(Number),
  seq: z.union([z.bigint(), z.number()]).transform(Number),
  detail: z.string(),
})

/**
 * The journal, from Parquet and from raw segments that are not in Parquet yet, each entry once, in the order of time:
 * of the span and the days around it all, of all other days what may outlive them.
 */
export async function readJournal(tables: ParquetReader, root: string, window: Span): Promise<JournalEntry[]> {
  const around = { fromUs: window.fromUs - DAY_US, toUs: window.toUs + DAY_US }
  return inOrder([...(await fromParquet(tables, window)), ...rawEntries(root, around)])
}

async function fromParquet(tables: ParquetReader, window: Span): Promise<NumberedEntry[]> {
  const source = tables.source('journal')
  if (source === undefined) return []
  const { first, last } = datesOf(window, 1)
  const rows = await tables.rows(
    `SELECT exchange, ${HOST} AS host, ${RUN} AS run, epoch_us(recv_ts) AS recv_us, seq, detail::VARCHAR AS detail
     FROM ${source}
     WHERE "date" BETWEEN '${first}' AND '${last}' OR event NOT IN (${REGULAR.map(event => `'${event}'`).join(', ')})`,
    schema,
  )
  return rows.flatMap(({ recv_us: recvUs, detail, ...of }) => {
    const event = parseJournalEvent(detail)
    return event ? [{ ...of, recvUs, ...event }] : []
  })
}
