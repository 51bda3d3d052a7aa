import { countText } from '../../platform/figures.js'
import { plainTable } from '../table.js'
import type { Coverage, CoverageLine } from '../../coverage/assess.js'
import { groupBy } from '../../platform/group-by.js'
import type { Interval } from '../../coverage/intervals.js'
import { lengthUs, type Span } from '../../platform/spans.js'

/** Longer lists of gaps are cut; --json has all. */
const GAPS_SHOWN = 20

interface Column {
  head: string
  right?: true
  cell: (line: CoverageLine) => string
}

const COLUMNS: readonly Column[] = [
  { head: 'data', cell: ({ data }) => data },
  { head: 'kind', cell: ({ kind }) => kind },
  {
    head: 'seen',
    right: true,
    cell: ({ seen, live }) => `${countText(seen)}${live === undefined ? '' : ` of ${countText(live)}`}`,
  },
  { head: 'rows', right: true, cell: ({ rows }) => countText(rows) },
  { head: '/min', right: true, cell: ({ rowsPerMinute }) => perMinute(rowsPerMinute) },
  { head: 'silent', right: true, cell: ({ silence }) => (silence ? seconds([silence]) : '') },
  { head: 'gaps', right: true, cell: ({ gaps, filled }) => `${gaps}${filled > 0 ? ` (${filled} filled)` : ''}` },
  {
    head: 'counted',
    cell: ({ counted }) =>
      counted ? `${countText(counted.actual)} of ${countText(counted.expected)} ${counted.unit}` : '',
  },
  {
    head: 'complete',
    cell: ({ complete, verdict }) => `${verdict}${complete === undefined ? '' : ` ${shareOf(complete)}`}`,
  },
]
const HOUR: Column = { head: 'hour (UTC)', cell: ({ hourUs = 0 }) => iso(hourUs).slice(0, 13).replace('T', ' ') }
const NAME: Column = { head: 'instrument', cell: ({ name = '' }) => name }

function columnsOf({ lines: [first] }: Coverage): readonly Column[] {
  if (first?.hourUs !== undefined) return [HOUR, ...COLUMNS]
  const [data, kind, , ...rest] = COLUMNS
  return first?.name !== undefined && data && kind ? [data, kind, NAME, ...rest] : COLUMNS
}

/** Never rounded up to 100 %. */
export function shareOf(share: number): string {
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`
}

/** The report for a terminal. */
export function asText(coverage: Coverage): string {
  const columns = columnsOf(coverage)
  const table = plainTable(
    columns.map(({ head }) => head),
    coverage.lines.map(line => columns.map(({ cell }) => cell(line))),
    columns.flatMap(({ right }, i) => (right ? [i] : [])),
  )
  return [spanText(coverage), table, ...remarks(coverage)].join('\n')
}

/** The report as Markdown. */
export function asMarkdown(coverage: Coverage): string {
  const columns = columnsOf(coverage)
  const row = (values: readonly string[]) => `| ${values.map(value => value.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    spanText(coverage),
    '',
    row(columns.map(({ head }) => head)),
    row(columns.map(({ right }) => (right ? '--:' : '---'))),
    ...coverage.lines.map(line => row(columns.map(({ cell }) => cell(line)))),
    '',
    ...remarks(coverage),
  ].join('\n')
}

/** The report for programs: times in ISO, everything else as numbers. */
export function asJson(coverage: Coverage): string {
  const { window, spans, lines, intervals, frames } = coverage
  return JSON.stringify(
    {
      from: spans[0] ? iso(Math.max(window.fromUs, spans[0].fromUs)) : null,
      to: iso(window.toUs),
      wanted: spans.map(isoSpan),
      lines: lines.map(({ hourUs, name, rowsPerMinute, silence, complete, ...line }) => ({
        ...line,
        ...(hourUs === undefined ? {} : { hour: iso(hourUs) }),
        ...(name === undefined ? {} : { instrument: name }),
        rows_per_minute: rowsPerMinute,
        silence: silence ? { ...isoSpan(silence), seconds: lengthUs([silence]) / 1e6 } : null,
        complete: complete ?? null,
      })),
      gaps: intervals.map(({ channels, fromUs, toUs, filled, ...gap }) => ({
        ...isoSpan({ fromUs, toUs }),
        from_us: fromUs,
        to_us: toUs,
        ...gap,
        filled: filled ?? null,
        ...(channels ? { channels: [...channels] } : {}),
      })),
      frames: Object.fromEntries(frames),
    },
    null,
    2,
  )
}

function spanText({ spans }: Coverage): string {
  const [first, last] = [spans[0], spans.at(-1)]
  if (!first || !last) return 'No subscription in the journal: nothing is known of what was expected.'
  return `To be recorded from ${iso(first.fromUs)} to ${iso(last.toUs)}, ${seconds(spans)}${spans.length > 1 ? ` in ${spans.length} spans` : ''}.`
}

function remarks({ intervals, frames }: Coverage): string[] {
  const missing = intervals.filter(({ filled }) => filled === false)
  const told = intervals.length - missing.length
  const lines = [
    intervals.length === 0
      ? 'No gaps.'
      : `${plural(missing.length, 'gap')}${told > 0 ? `, and ${told} more that left nothing missing` : ''}:`,
    ...intervals.slice(0, GAPS_SHOWN).map(gapText),
  ]
  if (intervals.length > GAPS_SHOWN) {
    const kinds = [...groupBy(intervals.slice(GAPS_SHOWN), ({ gap }) => gap)].map(
      ([gap, list]) => `${list.length} ${gap}`,
    )
    lines.push(`  … and ${intervals.length - GAPS_SHOWN} more (${kinds.join(', ')}); --json has all`)
  }
  if (frames.size > 0) {
    const sum = [...frames.values()].reduce((a, b) => a + b, 0)
    lines.push(`${countText(sum)} frames in the manifests of raw segments that are here.`)
  }
  return lines
}

function gapText({ gap, fromUs, toUs, conn, cause, families, channels, instrument, filled, count }: Interval): string {
  const [channel] = channels ?? []
  const about =
    instrument ??
    (channels && channel !== undefined
      ? `${channel}${channels.size > 1 ? ` and ${channels.size - 1} more` : ''}`
      : families.length === 0
        ? 'all'
        : families.join(' '))
  const came =
    filled === true ? 'nothing is missing' : filled === undefined ? 'nothing is known to be missing' : 'missing'
  const counted = count === undefined ? '' : `, ${countText(count)} counted`
  return `  ${iso(fromUs)}  ${seconds([{ fromUs, toUs }])}  ${gap}${conn === undefined ? '' : ` ${conn}`}  ${about}: ${cause}; ${came}${counted}`
}

function perMinute(rate: number): string {
  return rate >= 100 ? countText(Math.round(rate)) : rate.toFixed(1)
}

function seconds(spans: readonly Span[]): string {
  return `${countText(Math.round(lengthUs(spans) / 1e5) / 10)} s`
}

const isoSpan = ({ fromUs, toUs }: Span) => ({ from: iso(fromUs), to: iso(toUs) })

function iso(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString()
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
