import { datesOfTree, holdsDate } from '../../formats/tree-place.js'
import type { Span } from '../../platform/spans.js'
import { dateOf } from '../../platform/utc-date.js'
import { lastEntries, orderlyEndUs } from '../../formats/journal/runs.js'
import type { Account } from './account.js'
import type { AccountFacts } from './facts.js'
import { accountOf } from './account-of.js'
import { LastState } from './last-state.js'
import { mergeAccounts } from './merge.js'
import { AccountOverTime } from './over-time.js'
import { claimsOfTables, journalledHosts } from './read-claims.js'
import { exchangesIn, readAccountFacts } from './read-facts.js'
import type { OnJournal } from './read-journal.js'

const DAY_US = 86_400_000_000
/** What is longer is measured part by part: of journals no more is in memory than of one of them. */
const PART_US = 7 * DAY_US
/** Of what the journal said before and behind a part, and of files that lie there. */
const AROUND_US = DAY_US

export interface MeasureOptions {
  /** Nobody said from when on: it begins with the first sign of anything. */
  fromBegin?: boolean
  /** Nobody said until when: of a recording that is over only until then. */
  upToEnd?: boolean
  /** Where a recorder has no journal, its tables are asked, too: slower. */
  tables?: boolean
  /** Only what was recorded of these; without it, of all. */
  exchanges?: readonly string[]
  /** Hears how far it is: files of journals that were read, of those that are known by then; of a long time, its parts. */
  onProgress?: ((done: number, all: number) => void) | undefined
  /** How long a part is, µs; replaced in tests. */
  partUs?: number
}

export interface MeasuredAccount extends Account {
  /** Files that were asked and are no whole Parquet files; full paths. */
  torn: readonly string[]
}

interface End {
  us: number
  isStopped: boolean
}

/** When the last recorder ended, where none is at work, and whether each of them was stopped: nothing more was to come. Pure. */
export function endOf({ alive, entries, signs, claims = [], nowUs }: AccountFacts): End {
  if (alive.size > 0 || entries.length + signs.length + claims.length === 0) return { us: nowUs, isStopped: false }
  const ends = new Map<string, End>()
  for (const { last, isStopped } of lastEntries(entries)) {
    const own = entries.filter(({ host }) => host === last.host)
    ends.set(last.host, { us: (isStopped ? orderlyEndUs(own) : undefined) ?? last.recvUs, isStopped })
  }
  const heardUs = new Map(entries.map(({ host, recvUs }) => [host, recvUs]))
  for (const { host, us } of [
    ...signs.map(({ host, atUs }) => ({ host, us: atUs })),
    ...claims.map(({ host, toUs }) => ({ host, us: toUs })),
  ]) {
    if (us > Math.max(heardUs.get(host) ?? 0, ends.get(host)?.us ?? 0)) ends.set(host, { us, isStopped: false })
  }
  const all = [...ends.values()]
  return {
    us: Math.min(nowUs, Math.max(...all.map(({ us }) => us))),
    isStopped: all.every(({ isStopped }) => isStopped),
  }
}

/** The first sign of anything; Infinity where there is none. */
function beginOf({ entries, signs, claims = [] }: AccountFacts): number {
  const firsts = [entries[0]?.recvUs, ...signs.map(({ atUs }) => atUs), ...claims.map(({ fromUs }) => fromUs)]
  return firsts.reduce<number>((first, us) => Math.min(first, us ?? Infinity), Infinity)
}

/** The account of a span of all that is below a root (a dataDir, or a copy of one), every exchange beside the others. */
export async function measureAccount(
  root: string,
  span: Span,
  nowUs = Date.now() * 1000,
  options: MeasureOptions = {},
): Promise<MeasuredAccount> {
  const { fromBegin = false, upToEnd = false, exchanges = exchangesIn(root), partUs = PART_US, onProgress } = options
  const window = { fromUs: span.fromUs, toUs: Math.max(span.fromUs, Math.min(span.toUs, nowUs)) }
  const parts = partsOf(window, partUs)
  const states = new Map(exchanges.map(exchange => [exchange, new LastState()]))
  const whole = new AccountOverTime()
  const torn = new Set<string>()
  const ends = new Map<string, End>()
  let beginUs = Infinity
  for (const [at, part] of parts.entries()) {
    const isAll = parts.length === 1
    const around = isAll ? part : { fromUs: part.fromUs - AROUND_US, toUs: part.toUs + AROUND_US }
    const countedUs = at === 0 ? -Infinity : part.fromUs
    let account: Account = { window: part, groups: [], notOffered: [], trades: [] }
    let journals = 0
    for (const exchange of exchanges) {
      let own = 0
      const read = await factsOf(root, exchange, around, nowUs, options.tables === true, (done, of) => {
        own = of
        if (isAll) onProgress?.(journals + done, journals + of)
      })
      journals += own
      for (const path of read.torn) torn.add(path)
      const facts = { ...read.facts, entries: states.get(exchange)?.before(read.facts.entries) ?? read.facts.entries }
      beginUs = Math.min(beginUs, beginOf(facts))
      if (facts.entries.length + facts.signs.length + (facts.claims?.length ?? 0) > 0) ends.set(exchange, endOf(facts))
      account = mergeAccounts(account, accountOf(facts, part, countedUs))
    }
    whole.add(account)
    if (!isAll) onProgress?.(at + 1, parts.length)
  }
  const endUs = Math.max(...[...ends.values()].map(({ us }) => us))
  if (fromBegin) window.fromUs = Math.max(window.fromUs, Math.min(window.toUs, beginUs))
  const isEnding = upToEnd && ends.size > 0
  if (isEnding) window.toUs = Math.max(window.fromUs, Math.min(window.toUs, endUs))
  const isStopped = isEnding && endUs === window.toUs && [...ends.values()].every(one => one.isStopped)
  return { ...whole.within(window), torn: [...torn], ...(isStopped && { stoppedUs: endUs }) }
}

function partsOf({ fromUs, toUs }: Span, partUs: number): Span[] {
  const parts: Span[] = []
  for (let us = fromUs; us < toUs; us += partUs) parts.push({ fromUs: us, toUs: Math.min(toUs, us + partUs) })
  return parts.length === 0 ? [{ fromUs, toUs }] : parts
}

async function factsOf(
  root: string,
  exchange: string,
  span: Span,
  nowUs: number,
  withTables: boolean,
  onJournal: OnJournal,
): Promise<{ facts: AccountFacts; torn: readonly string[] }> {
  const facts = await readAccountFacts(root, exchange, span, nowUs, onJournal)
  if (!withTables) return { facts, torn: [] }
  const { claims, torn } = await claimsOfTables(root, facts.exchange, span, journalledHosts(facts.entries))
  return { facts: { ...facts, claims: [...(facts.claims ?? []), ...claims] }, torn }
}

/** The same of what a person asks about, with all that tables can show: where no time was said, of all there is. */
export function measureAsked(
  root: string,
  asked?: Span,
  nowUs = Date.now() * 1000,
  onProgress?: MeasureOptions['onProgress'],
): Promise<MeasuredAccount> {
  // Of a day that is here nobody needs to know how many others are.
  const isHere = asked !== undefined && Number.isFinite(asked.toUs) && holdsDate(root, dateOf(asked.fromUs / 1000))
  const whole = (isHere ? asked : spanOfTree(root)) ?? { fromUs: 0, toUs: 0 }
  const { fromUs, toUs } = asked ?? { fromUs: 0, toUs: whole.toUs }
  const span = { fromUs: Math.max(fromUs, whole.fromUs), toUs }
  return measureAccount(root, span, nowUs, {
    fromBegin: fromUs === 0,
    upToEnd: !asked || !Number.isFinite(toUs),
    tables: true,
    onProgress,
  })
}

/** @param date `2026-11-22` */
export function dayOf(date: string): Span {
  const fromUs = Date.parse(`${date}T00:00:00Z`) * 1000
  return { fromUs, toUs: fromUs + DAY_US }
}

/** All days that a tree has anything of; undefined where it has nothing. */
export function spanOfTree(root: string): Span | undefined {
  const dates = datesOfTree(root)
  return dates && { fromUs: dayOf(dates.first).fromUs, toUs: dayOf(dates.last).toUs }
}
