import { segmentDate, type SegmentName } from './raw-path.js'
import { segmentEndMs, segmentHourMs } from './segment-span.js'
import { RECORDER_NAME } from './recorder-name.js'
import type { Partition } from './partition.js'

/** What the name of a Parquet file says. */
export interface ParquetName {
  /** Of the day, for the part of one segment; `OF_DATE` where that may go on to the date's end; undefined for a day's file. */
  hour?: number
  /** The recorder's name, as in `SegmentName`. */
  host: string
  /** Of the recorder; for the part of one segment. */
  run?: string
  number?: number
}

/** In place of an hour. */
const OF_DATE = 24
const HOUR_MS = 3_600_000

const HOURLY = new RegExp(String.raw`^([01]\d|2[0-4])-(${RECORDER_NAME})-([a-z0-9]+)-(0|[1-9]\d*)\.parquet$`)
const DAILY = new RegExp(String.raw`^day-(${RECORDER_NAME})\.parquet$`)

/** What Syncthing puts into the name of a copy that contradicts another; a day's host could be spelled so. */
const CONFLICT = '.sync-conflict-'

/** An SQL condition for DuckDB: the column has the path of a file whose name is ours. */
export const isParquetNameSql = (column: string) =>
  `(regexp_matches(${column}, '(?:^|/)(?:${HOURLY.source.slice(1)}|${DAILY.source.slice(1)})') AND NOT contains(${column}, '${CONFLICT}'))`

/** A pattern for programs that take no more: all our names, and few others. */
export const PARQUET_GLOB = '[0-9d]*[0-9A-Za-z].parquet'

/** The facts in a file's name; undefined where it is not spelled as we spell it. */
export function parseParquetName(file: string): ParquetName | undefined {
  if (file.includes(CONFLICT)) return undefined
  const [, day] = DAILY.exec(file) ?? []
  if (day !== undefined) return { host: day }
  const [, hour, host, run, number] = HOURLY.exec(file) ?? []
  if (hour === undefined || host === undefined || run === undefined) return undefined
  return { hour: Number(hour), host, run, number: Number(number) }
}

/** `<hour>-<host>-<run>-<n>.parquet`: the part of one segment; `24-…` of one that may go on to the end of its date. */
export function hourlyName(name: SegmentName): string {
  const hour = name.ofDate ? String(OF_DATE) : new Date(name.startedMs).toISOString().slice(11, 13)
  return `${hour}-${name.host}-${name.run}-${name.number}.parquet`
}

/** When rows of a file of a date were received, but for those on their way at its end; ms since the epoch. */
export function timeOfParquet({ hour = OF_DATE }: Pick<ParquetName, 'hour'>, date: string) {
  const startedMs = Date.parse(date) + (hour === OF_DATE ? 0 : hour * HOUR_MS)
  const begun = { startedMs, ...(hour === OF_DATE && { ofDate: true as const }) }
  return { fromMs: segmentHourMs(begun), toMs: segmentEndMs(begun) }
}

/** `day-<host>.parquet`: a day's hours as one file. */
export const dailyName = (host: string) => `day-${host}.parquet`

/** The folder of a partition's day, below dataDir. Nothing in it was spelled by the exchange. */
export function parquetFolder(exchange: string, table: string, { kind, currency }: Partition, date: string): string {
  return `parquet/exchange=${exchange}/table=${table}/kind=${kind}/currency=${currency}/date=${date}`
}

/** Where the part of a segment goes, below dataDir. */
export function parquetPath(name: SegmentName, { table, partition }: { table: string; partition: Partition }): string {
  return `${parquetFolder(name.exchange, table, partition, segmentDate(name))}/${hourlyName(name)}`
}

/** SQL: the host and the run in a file's name, `<hour>-<host>-<run>-<n>.parquet` or `day-<host>.parquet`, which has no run. */
export const HOST_SQL = String.raw`regexp_extract(filename, '/\d\d-([^/]+)-[a-z0-9]+-\d+\.parquet$', 1) || regexp_extract(filename, '/day-([^/]+)\.parquet$', 1)`
export const RUN_SQL = String.raw`regexp_extract(filename, '/\d\d-[^/]+-([a-z0-9]+)-\d+\.parquet$', 1)`
