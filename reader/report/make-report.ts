import { dayOfAccount } from '../../coverage/account/day.js'
import { dayOf, measureAccount } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { datesOfTree } from '../../formats/tree-place.js'
import { EdgeError } from '../../platform/edge-error.js'
import { clip, type Span } from '../../platform/spans.js'
import { exchangesIn, oneOf } from '../recorded-exchange.js'
import { QuerySession, type SessionOptions } from '../query/session.js'
import type { Asked } from './asked.js'
import { gridOf } from './grid.js'
import { marketSections } from './market.js'
import { optionSections } from './options.js'
import { reportHtml } from './page.js'
import { clockSection, ratesSection } from './reception.js'
import type { Section } from './section.js'

export interface ReportOptions extends Omit<SessionOptions, 'root'> {
  /** A dataDir, or a copy of one. */
  root: string
  /** `2026-11-22`, UTC */
  date: string
  nowMs: number
  /** Of this exchange alone; without it, of all that were recorded. */
  exchange?: string | undefined
  /** Hears how many of its steps are done. */
  onStep?: OnStep | undefined
}

type OnStep = (done: number, all: number) => void

const MAKERS: readonly ((asked: Asked) => Promise<Section[]>)[] = [
  marketSections,
  optionSections,
  async asked => [await ratesSection(asked)],
  async asked => [await clockSection(asked)],
]
/** The account of the day comes before them. */
const STEPS = 1 + MAKERS.length

/**
 * The report of a day as one file of HTML.
 * @throws EdgeError REPORT_NOTHING; EXCHANGE_NOT_RECORDED
 */
export async function makeReport({ root, date, nowMs, exchange, onStep, ...session }: ReportOptions): Promise<string> {
  const all = exchangesIn(root)
  const exchanges = exchange === undefined ? all : [oneOf(all, exchange, root)]
  const dates = datesOfTree(root)
  if (exchanges.length === 0 || !dates || date < dates.first || date > dates.last)
    throw new EdgeError('REPORT_NOTHING', `nothing was recorded on ${date}`, {
      path: root,
      hint: dates ? `${root} has files of ${dates.first} to ${dates.last}` : 'wanted a dataDir or a copy of one',
    })
  const account = await measureAccount(root, dayOf(date), nowMs * 1000, { exchanges })
  onStep?.(1, STEPS)
  const { wanted } = summaryOf(account, exchangeNamed)
  const day = dayOfAccount(date, account, exchangeNamed, nowMs)
  const sections = await sectionsOf({ root, ...session }, shownSpan(wanted, account.window), exchange, onStep)
  return reportHtml({ date, atMs: nowMs, exchanges, day, sections })
}

/** From the first to the last moment that anything was to be recorded; all of the day where nobody knows. Pure. */
export function shownSpan(wanted: readonly Span[], window: Span): Span {
  const own = clip(wanted, window)
  const [first] = own
  return first ? { fromUs: first.fromUs, toUs: own.at(-1)?.toUs ?? first.toUs } : window
}

async function sectionsOf(
  options: SessionOptions,
  span: Span,
  exchange: string | undefined,
  onStep: OnStep = () => undefined,
): Promise<Section[]> {
  const session = await openSession(options)
  if (!session) return [{ title: 'Market', charts: [], absent: 'neither Parquet nor raw data is here' }]
  try {
    const asked: Asked = { session, root: options.root, grid: gridOf(span), exchange }
    const sections: Section[] = []
    for (const [index, makes] of MAKERS.entries()) {
      sections.push(...(await makes(asked)))
      onStep(index + 2, STEPS)
    }
    return sections
  } finally {
    session.connection.closeSync()
    session.clear()
  }
}

async function openSession(options: SessionOptions): Promise<QuerySession | undefined> {
  try {
    return await QuerySession.open(options)
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'QUERY_NO_DATA') return undefined
    throw error
  }
}
