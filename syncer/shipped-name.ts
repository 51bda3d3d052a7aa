import { parseParquetName, timeOfParquet } from '../formats/parquet-path.js'
import { isDate } from '../platform/utc-date.js'
import { parseSegmentPath, SEGMENT_TIME, segmentDate } from '../formats/raw-path.js'
import { segmentEndMs, segmentHourMs } from '../formats/segment-span.js'

/** What the syncer ships. `segment` is a sealed one, `manifest` describes it; `superseded` lists files that others replaced, `lists` those of finished days; `reports` are for people. */
export type ShippedKind = 'segment' | 'manifest' | 'parquet' | 'quarantine' | 'superseded' | 'lists' | 'reports'

export interface ShippedName {
  kind: ShippedKind
  /** Partition, `YYYY-MM-DD`. */
  date: string
  /** Begin of the hour in which its data begins, and end of the one that it may go on to; ms since the epoch. */
  hourMs: number
  hourEndMs: number
}

const HOUR_MS = 3_600_000
const VALUE = '[A-Za-z0-9][A-Za-z0-9_.-]{0,63}'
const DATE = String.raw`\d{4}-\d\d-\d\d`
const NAME = '[A-Za-z0-9][A-Za-z0-9_.-]{0,150}'

const PARQUET = new RegExp(
  `^parquet/exchange=${VALUE}/table=${VALUE}(?:/kind=${VALUE})?(?:/currency=${VALUE})?/date=(${DATE})/(?:(\\d\\d)|day)-${NAME}\\.parquet$`,
)
const QUARANTINE = new RegExp(
  `^quarantine/exchange=${VALUE}/channel=${VALUE}/date=(${DATE})/(?:${SEGMENT_TIME}-)?${NAME}\\.jsonl$`,
)
const SUPERSEDED = new RegExp(`^superseded/date=(${DATE})/superseded-${NAME}\\.jsonl$`)
const REPORT = new RegExp(`^reports/date=(${DATE})/report-${NAME}\\.html$`)
const LIST = new RegExp(`^lists/date=(${DATE})/list-${NAME}\\.jsonl$`)
const PATTERNS = {
  parquet: PARQUET,
  quarantine: QUARANTINE,
  superseded: SUPERSEDED,
  lists: LIST,
  reports: REPORT,
} as const

/**
 * The facts in a path below `dataDir`; undefined for whatever is not shipped: open segments, temporary names, state, and
 * anything that is not spelled exactly as we spell it. Pure.
 */
export function parseShippedName(path: string): ShippedName | undefined {
  if (path.startsWith('raw/')) return parseRaw(path)
  const kind = (Object.keys(PATTERNS) as (keyof typeof PATTERNS)[]).find(root => path.startsWith(`${root}/`))
  const match = kind && PATTERNS[kind].exec(path)
  if (!match) return undefined
  // Where the name has no hour, the last one of its day is the careful answer.
  const [, date = '', hour = '23'] = match
  const dayMs = Date.parse(`${date}T00:00:00Z`)
  if (!isDate(date)) return undefined
  const name = kind === 'parquet' ? parseParquetName(path.slice(path.lastIndexOf('/') + 1)) : { hour: Number(hour) }
  if (!name || (name.hour ?? 0) > (kind === 'parquet' ? 24 : 23)) return undefined
  if (name.hour === undefined) return { kind, date, hourMs: dayMs + 23 * HOUR_MS, hourEndMs: dayMs + 24 * HOUR_MS }
  const { fromMs, toMs } = timeOfParquet(name, date)
  return { kind, date, hourMs: fromMs, hourEndMs: toMs }
}

function parseRaw(path: string): ShippedName | undefined {
  const parsed = parseSegmentPath(path)
  if (parsed?.state !== 'sealed' && parsed?.state !== 'manifest') return undefined
  return {
    kind: parsed.state === 'sealed' ? 'segment' : 'manifest',
    date: segmentDate(parsed.name),
    hourMs: segmentHourMs(parsed.name),
    hourEndMs: segmentEndMs(parsed.name),
  }
}
