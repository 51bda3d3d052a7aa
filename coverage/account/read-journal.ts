import { z } from '../../platform/zod.js'
import { parseJournalEvent, type JournalEntry } from '../../formats/journal/entry.js'
import { segmentEntries, type NumberedEntry } from '../../formats/journal/read.js'
import { parquetFilesIn, parquetFolders, type ParquetFile, type ParquetFolder } from '../../formats/parquet-tree.js'
import { partitionedSql } from '../../formats/partitioned-sql.js'
import { rawSegments, type RawSegment } from '../../formats/raw-tree.js'
import { segmentHourMs } from '../../formats/segment-span.js'
import { isWholeParquet } from '../../formats/parquet-footer.js'
import { openDuckDb } from '../../platform/duckdb.js'
import type { Span } from '../../platform/spans.js'
import { HOST_SQL as HOST, RUN_SQL as RUN } from '../../formats/parquet-path.js'
import { dateOfUs } from '../../platform/utc-date.js'

const HOUR_US = 3_600_000_000
const DAY_US = 24 * HOUR_US
/** So many hours with a journal are looked at for the state before a span; mostly the first one has it. */
const HOURS_BACK_MAX = 72
/** What is written later than this about a span does not count to it. */
const WRITTEN_WITHIN_US = DAY_US

/** Of Parquet, by one statement. */
const FILES_AT_ONCE = 100

const JOURNAL = { mayHold: (family: string) => family === 'journal' }

/** Files of a journal that were read, and how many there are, as far as is known by then. */
export type OnJournal = (done: number, all: number) => void

/** The journal of a span, of the last hours before it that say what was open and subscribed, and of the day behind it. */
export async function readJournal(
  root: string,
  exchange: string,
  span: Span,
  onFiles: OnJournal = () => undefined,
): Promise<NumberedEntry[]> {
  const until = { fromUs: span.fromUs, toUs: span.toUs + WRITTEN_WITHIN_US }
  const raw = [...rawSegments(root, { exchange, ...JOURNAL, ...until })]
  const seen = new Set<string>()
  const entries: NumberedEntry[] = []
  for (const [index, { path, state, name }] of raw.entries()) {
    if (state === 'sealed') seen.add(nameOf(name))
    entries.push(...segmentEntries({ path: `${root}/${path}`, state, name }))
    onFiles(index + 1, raw.length)
  }
  const before = stateBefore(root, exchange, span.fromUs, seen)
  const onConverted: OnJournal = (done, all) => onFiles(raw.length + done, raw.length + all)
  const converted = await fromParquet(root, exchange, span, seen, before.fromUs, onConverted)
  return [...before.entries, ...entries, ...converted].filter(({ recvUs }) => recvUs < until.toUs)
}

const nameOf = ({ host, run, number }: { host: string; run: string; number: number }) => `${host}-${run}-${number}`

/** Hour by hour back, over hours without a journal, until the state at the span's begin is known. */
function stateBefore(root: string, exchange: string, fromUs: number, seen: Set<string>) {
  let entries: NumberedEntry[] = []
  let earliestUs = fromUs
  let hours = 0
  const newestFirst = rawSegments(root, { exchange, ...JOURNAL, toUs: fromUs, newestFirst: true })
  for (const { startMs, segments } of byHour(newestFirst)) {
    if (startMs * 1000 >= fromUs) continue
    const own: NumberedEntry[] = []
    for (const { path, state, name } of segments.reverse()) {
      if (state === 'sealed') seen.add(nameOf(name))
      own.push(...segmentEntries({ path: `${root}/${path}`, state, name }))
    }
    entries = [...own, ...entries]
    earliestUs = startMs * 1000
    // What the span's own hour says later than its begin does not say what was before.
    if (++hours >= HOURS_BACK_MAX || saysState(entries.filter(({ recvUs }) => recvUs < fromUs))) break
  }
  return { entries, fromUs: earliestUs }
}

/** Those that were begun in one hour, each hour as far as it is asked for. */
function* byHour(segments: Iterable<RawSegment>): Generator<{ startMs: number; segments: RawSegment[] }> {
  let hour: { startMs: number; segments: RawSegment[] } | undefined
  for (const segment of segments) {
    const startMs = segmentHourMs(segment.name)
    if (hour && hour.startMs !== startMs) {
      yield hour
      hour = undefined
    }
    hour ??= { startMs, segments: [] }
    hour.segments.push(segment)
  }
  if (hour) yield hour
}

/** Whether entries say of each recorder what it had subscribed, and of each connection what it carried before it failed. */
export function saysState(entries: readonly JournalEntry[]): boolean {
  const hosts = new Map<string, boolean>()
  const firstOf = new Map<string, boolean>()
  for (const entry of entries) {
    const { host, event } = entry
    const isBegin = event === 'started' || event === 'subscriptions'
    hosts.set(host, hosts.get(host) === true || isBegin)
    const { conn } = entry.detail as { conn?: string }
    if (conn === undefined) continue
    const key = `${host} ${conn.replace(/b$/, '')}`
    if (event === 'connect_failed' || (event === 'disconnected' && entry.detail.before_live === true))
      firstOf.set(key, firstOf.get(key) ?? hosts.get(host) === true)
    else if (['subscriptions', 'subscribed', 'connected', 'disconnected', 'live'].includes(event))
      firstOf.set(key, firstOf.get(key) ?? true)
  }
  return hosts.size > 0 && [...hosts.values(), ...firstOf.values()].every(isSaid => isSaid)
}

const rowSchema = z.object({
  host: z.string(),
  run: z.string(),
  recv_us: z.union([z.bigint(), z.number()]).transform(Number),
  seq: z.union([z.bigint(), z.number()]).transform(Number),
  detail: z.string(),
})

/** What only Parquet has of it: where raw segments were deleted, or never came. */
async function fromParquet(
  root: string,
  exchange: string,
  span: Span,
  seen: ReadonlySet<string>,
  knownFromUs: number,
  onFiles: OnJournal,
): Promise<NumberedEntry[]> {
  const [first, last] = [dateOfUs(span.fromUs), dateOfUs(span.toUs + WRITTEN_WITHIN_US)]
  // Where raw does not say what was before, the last day that has a journal does.
  const before = knownFromUs < span.fromUs ? [] : lastFoldersBefore(root, exchange, first)
  const files = [...before, ...parquetFolders(root, { exchange, table: 'journal', dates: { first, last } })]
    .sort((a, b) => (a.date < b.date ? -1 : 1))
    .flatMap(folder => parquetFilesIn(root, folder))
    .filter(file => isNews(file, seen) && isWholeParquet(`${root}/${file.path}`))
  if (files.length === 0) return []
  const connection = await openDuckDb()
  try {
    const entries: NumberedEntry[] = []
    for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
      const some = files.slice(at, at + FILES_AT_ONCE)
      const source = partitionedSql(
        some.map(({ path }) => `${root}/${path}`),
        { filename: true, dateType: 'VARCHAR' },
      )
      const result = await connection.runAndReadAll(
        `SELECT ${HOST} AS host, ${RUN} AS run, epoch_us(recv_ts) AS recv_us, seq, detail::VARCHAR AS detail FROM (${source})`,
      )
      for (const row of result.getRowObjects()) {
        const { host, run, recv_us: recvUs, seq, detail } = rowSchema.parse(row)
        const event = parseJournalEvent(detail)
        if (event) entries.push({ exchange, host, run, recvUs, seq, ...event })
      }
      onFiles(at + some.length, files.length)
    }
    return entries
  } finally {
    connection.closeSync()
  }
}

/** Of the last date before another that has any. */
function lastFoldersBefore(root: string, exchange: string, date: string): ParquetFolder[] {
  const dates = { first: '0000-00-00', last: date }
  const earlier = [...parquetFolders(root, { exchange, table: 'journal', dates })].filter(one => one.date < date)
  const last = earlier.reduce((last, one) => (one.date > last ? one.date : last), '')
  return earlier.filter(one => one.date === last)
}

function isNews({ name }: ParquetFile, seen: ReadonlySet<string>): boolean {
  const { host, run, number } = name
  return run === undefined || number === undefined || !seen.has(nameOf({ host, run, number }))
}
