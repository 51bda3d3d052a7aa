import { plainTable } from '../table.js'
import type { Coverage, CoverageLine } from './assess.js'

const HEAD = ['data', 'kind', 'counted', 'expected', 'here', '', 'rows', 'rows/h']
/** Longer lists of gaps are cut; --json has all. */
const GAPS_SHOWN = 20

const number = new Intl.NumberFormat('en-US')

function cells(line: CoverageLine): string[] {
  const { data, kind, unit, expected, actual, verdict, rows, rowsPerHour } = line
  const share = expected === undefined || expected === 0 ? '' : ` ${shareOf(actual / expected)}`
  const promised = expected === undefined ? '–' : number.format(expected)
  return [
    data,
    kind,
    unit,
    promised,
    number.format(actual),
    verdict + share,
    number.format(rows),
    number.format(rowsPerHour),
  ]
}

/** Never rounded up to 100 %. */
function shareOf(share: number): string {
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`
}

/** The report for a terminal. */
export function asText(coverage: Coverage): string {
  const table = plainTable(HEAD, coverage.lines.map(cells), [3, 4, 6, 7])
  return [spanText(coverage), table, ...remarks(coverage)].join('\n')
}

/** The report as Markdown. */
export function asMarkdown(coverage: Coverage): string {
  const row = (values: string[]) => `| ${values.join(' | ')} |`
  const rule = row(['---', '---', '---', '--:', '--:', '---', '--:', '--:'])
  return [
    spanText(coverage),
    '',
    row(HEAD),
    rule,
    ...coverage.lines.map(line => row(cells(line))),
    '',
    ...remarks(coverage),
  ].join('\n')
}

/** The report for programs: times in ISO, everything else as numbers. */
export function asJson(coverage: Coverage): string {
  const { spans, lines, gaps, rejected } = coverage
  return JSON.stringify(
    {
      subscribed: spans.map(({ fromUs, toUs }) => ({ from: iso(fromUs), to: iso(toUs) })),
      lines: lines.map(({ rowsPerHour, ...line }) => ({ ...line, rows_per_hour: rowsPerHour })),
      gaps: gaps.map(({ fromUs, toUs, ...gap }) => ({ from: iso(fromUs), to: iso(toUs), ...gap })),
      rejected,
    },
    null,
    2,
  )
}

function spanText({ spans }: Coverage): string {
  const [first, last] = [spans[0], spans.at(-1)]
  if (first === undefined || last === undefined)
    return 'No subscription in the journal: nothing is known of what was expected.'
  return `Subscribed from ${iso(first.fromUs)} to ${iso(last.toUs)}, ${seconds(spans)} s in ${plural(spans.length, 'span')}.`
}

function remarks({ gaps, rejected }: Coverage): string[] {
  const lines = [
    gaps.length === 0
      ? 'No gaps in the journal.'
      : `${plural(gaps.length, 'gap')} in the journal, ${seconds(gaps)} s together:`,
    ...gaps.slice(0, GAPS_SHOWN).map(gap => `  ${iso(gap.fromUs)}  ${seconds([gap])} s  ${gap.conn}  ${gap.cause}`),
  ]
  if (gaps.length > GAPS_SHOWN) lines.push(`  … and ${gaps.length - GAPS_SHOWN} more (--json has all)`)
  if (rejected.length > 0)
    lines.push(
      `${plural(rejected.length, 'channel')} not accepted by the exchange: ${rejected.slice(0, 5).join(', ')}${rejected.length > 5 ? ', …' : ''}`,
    )
  return lines
}

function seconds(spans: readonly { fromUs: number; toUs: number }[]): string {
  return (spans.reduce((sum, { fromUs, toUs }) => sum + (toUs - fromUs), 0) / 1e6).toFixed(1)
}

function iso(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString()
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
