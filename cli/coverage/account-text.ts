import { countText } from '../../platform/figures.js'
import type { Account } from '../../coverage/account/account.js'
import type { Line, Loss, Told } from '../../coverage/account/telling.js'
import {
  healedText,
  lengthText,
  lossText,
  notOfferedText,
  pendingText,
  sentenceOf,
  shareText,
  tradesText,
} from '../../coverage/account/wording.js'
import { plainTable } from '../table.js'

const WIDTH = 80
/** Longer lists are cut; --json has all. */
const LOSSES_SHOWN = 10
const LINES_SHOWN = 40

interface Column {
  head: string
  right?: true
  cell: (line: Line) => string
}

const DATA: Column = { head: 'data', cell: ({ data }) => data }
const KIND: Column = { head: 'kind', cell: ({ kind }) => kind }
const FIGURES: readonly Column[] = [
  { head: 'channels', right: true, cell: ({ channels }) => countText(channels) },
  { head: 'complete', right: true, cell: ({ complete }) => shareText(complete) },
  { head: 'missing', right: true, cell: ({ lostUs, channels }) => (lostUs === 0 ? '' : lengthText(lostUs / channels)) },
]
const BECAUSE: Column = { head: 'because', cell: ({ cause = '' }) => cut(cause, 30) }
const HOUR: Column = {
  head: 'hour',
  cell: ({ hourUs = 0 }) => new Date(hourUs / 1000).toISOString().slice(5, 13).replace('T', ' '),
}
const ABOUT: Column = { head: 'instrument', cell: ({ about = '' }) => cut(about, 28) }

const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

function columnsOf({ lines }: Told): readonly Column[] {
  const [first] = lines
  const several = new Set(lines.map(({ exchange }) => exchange)).size > 1
  const whose: Column[] = several ? [{ head: 'exchange', cell: ({ exchange }) => exchange }] : []
  if (first?.hourUs !== undefined) return [HOUR, ...whose, DATA, KIND, ...FIGURES]
  if (first?.about !== undefined)
    return [...whose, ...(first.family === '' ? [] : [DATA]), ABOUT, ...FIGURES.slice(1), ...(several ? [] : [BECAUSE])]
  return [...whose, DATA, KIND, ...FIGURES]
}

/** The account for a terminal of 80 columns: one sentence, what is missing, the table, what healed. */
export function accountText(told: Told): string {
  const { losses, lines, window } = told
  const parts: string[] = [wrapped(sentenceOf(told), '')]
  if (losses.length > 0) {
    const shown = losses.slice(0, LOSSES_SHOWN).map(loss => wrapped(lossText(loss, told), ' '.repeat(12), '  '))
    const more = losses.length - shown.length
    if (more > 0) shown.push(`  … and ${countText(more)} shorter ones; --json has all`)
    parts.push(['Missing, the longest first (UTC):', ...shown].join('\n'))
  }
  if (lines.length > 0) {
    const columns = columnsOf(told)
    const table = plainTable(
      columns.map(({ head }) => head),
      lines.slice(0, LINES_SHOWN).map(line => columns.map(({ cell }) => cell(line))),
      columns.flatMap(({ right }, i) => (right ? [i] : [])),
    )
    const more = lines.length - LINES_SHOWN
    parts.push(more > 0 ? `${table}\n… and ${countText(more)} more; --json has all` : table)
  }
  parts.push(
    [
      ...[tradesText(told), healedText(told), pendingText(told), notOfferedText(told)].flatMap(text =>
        text === undefined ? [] : [wrapped(text, '')],
      ),
      `${isoText(window.fromUs)} to ${isoText(window.toUs)} UTC.`,
    ].join('\n'),
  )
  return parts.join('\n\n')
}

/** The same for documents. */
export function accountMarkdown(told: Told): string {
  const columns = columnsOf(told)
  const row = (values: readonly string[]) => `| ${values.map(value => value.replaceAll('|', '\\|')).join(' | ')} |`
  const { losses, lines, window } = told
  return [
    `**${sentenceOf(told)}**`,
    '',
    ...losses.slice(0, LOSSES_SHOWN).map(loss => `- ${lossText(loss, told).replaceAll(/ {2,}/g, ' ')}`),
    '',
    row(columns.map(({ head }) => head)),
    row(columns.map(({ right }) => (right ? '--:' : '---'))),
    ...lines.map(line => row(columns.map(({ cell }) => cell(line)))),
    '',
    ...[tradesText(told), healedText(told), pendingText(told), notOfferedText(told)].flatMap(text => text ?? []),
    `${isoText(window.fromUs)} to ${isoText(window.toUs)} UTC.`,
  ].join('\n')
}

/** The same for programs: the account itself, and what it comes to. */
export function accountJson(told: Told, account: Account): string {
  const { window, isComplete, isEmpty, lostUs, losses, healed, pending, lines, trades, notOffered, channels, claimed } =
    told
  const event = ({ fromUs, toUs, lostUs, state, cause, channels }: Loss) => ({
    ...{ from: isoText(fromUs), to: isoText(toUs), from_us: fromUs, to_us: toUs, seconds: lostUs / 1e6, state, cause },
    channels: channels.map(({ exchange, family, about }) => `${exchange} ${family} ${about}`),
  })
  const value = {
    ...{ from: isoText(window.fromUs), to: isoText(window.toUs), sentence: sentenceOf(told) },
    ...{ complete: isComplete, empty: isEmpty, missing_seconds: lostUs / 1e6, channels },
    missing: losses.map(event),
    healed: healed.map(event),
    not_yet_known: pending.map(event),
    trades,
    claimed_channels: claimed,
    not_offered: notOffered,
    lines: lines.map(({ hourUs, wantedUs, lostUs, healedUs, pendingUs, complete, ...line }) => ({
      ...line,
      ...(hourUs !== undefined && { hour: isoText(hourUs) }),
      complete: complete ?? null,
      ...{ wanted_seconds: wantedUs / 1e6, missing_seconds: lostUs / 1e6 },
      ...{ healed_seconds: healedUs / 1e6, not_yet_known_seconds: pendingUs / 1e6 },
    })),
    groups: account.groups,
  }
  return JSON.stringify(value, null, 2)
}

const isoText = (us: number) => new Date(Math.floor(us / 1000)).toISOString().replace(/\.000Z$/, 'Z')

/** Lines of 80 columns at most, at words where that is possible. */
function wrapped(text: string, indent: string, first = indent): string {
  const lines: string[] = []
  let line = first
  for (const word of text.split(/(?<=\S) (?=\S)/)) {
    if (line.trim() !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = indent + word
    } else line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}
