import { parseParquetName } from '../formats/parquet-path.js'
import { parseSegmentPath } from '../formats/raw-path.js'
import { dateOf } from '../platform/utc-date.js'

/** What the syncer ships. `segment` is a sealed one, `manifest` describes it; `superseded` lists files that others replaced, `lists` those of finished days; `reports` are for people. */
export type ShippedKind = 'segment' | 'manifest' | 'parquet' | 'quarantine' | 'superseded' | 'lists' | 'reports'

export interface ShippedName {
  kind: ShippedKind
  /** Partition, `YYYY-MM-DD`. */
  date: string
  /** End of the hour that the data belongs to, ms since the epoch. */
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
  `^quarantine/exchange=${VALUE}/channel=${VALUE}/date=(${DATE})/(?:\\d{8}T(\\d\\d)\\d{4}Z-)?${NAME}\\.jsonl$`,
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
  if (!match || (kind === 'parquet' && !parseParquetName(path.slice(path.lastIndexOf('/') + 1)))) return undefined
  // Where the name has no hour, the last one of its day is the careful answer.
  const [, date = '', hour = '23'] = match
  const dayMs = Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(dayMs) || Number(hour) > 23) return undefined
  return { kind, date, hourEndMs: dayMs + (Number(hour) + 1) * HOUR_MS }
}

function parseRaw(path: string): ShippedName | undefined {
  const parsed = parseSegmentPath(path)
  if (parsed?.state !== 'sealed' && parsed?.state !== 'manifest') return undefined
  const { startedMs } = parsed.name
  return {
    kind: parsed.state === 'sealed' ? 'segment' : 'manifest',
    date: dateOf(startedMs),
    hourEndMs: (Math.floor(startedMs / HOUR_MS) + 1) * HOUR_MS,
  }
}
