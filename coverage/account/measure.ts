import { datesOfTree, holdsDate } from '../../formats/tree-place.js'
import type { Span } from '../../platform/spans.js'
import { dateOf } from '../../platform/utc-date.js'
import { lastEntries, orderlyEndUs } from '../../formats/journal/runs.js'
import type { Account } from './account.js'
import type { AccountFacts } from './facts.js'
import { accountOf } from './account-of.js'
import { mergeAccounts } from './merge.js'
import { claimsOfTables, toldHosts } from './read-claims.js'
import { exchangesIn, readAccountFacts } from './read-facts.js'
import type { OnJournal } from './read-journal.js'

const DAY_US = 86_400_000_000

export interface MeasureOptions {
  /** Nobody said from when on: it begins with the first sign of anything. */
  fromBegin?: boolean
  /** Nobody said until when: of a recording that is over only until then. */
  upToEnd?: boolean
  /** Where no journal tells of a recorder, its tables are asked, too: slower. */
  tables?: boolean
  /** Only what was recorded of these; without it, of all. */
  exchanges?: readonly string[]
  /** Hears how many files of journals were read, of those that are known by then. */
  onJournal?: OnJournal | undefined
}

export interface MeasuredAccount extends Account {
  /** Files that were asked and are no whole Parquet files; full paths. */
  torn: readonly string[]
}

/** When the last recorder ended, where none is at work, and whether each of them was stopped: nothing more was to come. Pure. */
export function endOf({ alive, entries, signs, claims = [], nowUs }: AccountFacts): { us: number; isStopped: boolean } {
  if (alive.size > 0 || entries.length + signs.length + claims.length === 0) return { us: nowUs, isStopped: false }
  const ends = new Map<string, { us: number; isStopped: boolean }>()
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
  { fromBegin = false, upToEnd = false, tables = false, exchanges = exchangesIn(root), onJournal }: MeasureOptions = {},
): Promise<MeasuredAccount> {
  const window = { fromUs: span.fromUs, toUs: Math.max(span.fromUs, Math.min(span.toUs, nowUs)) }
  const all: AccountFacts[] = []
  const torn: string[] = []
  let journals = 0
  for (const exchange of exchanges) {
    let own = 0
    const facts = await readAccountFacts(root, exchange, window, nowUs, (done, of) => {
      own = of
      onJournal?.(journals + done, journals + of)
    })
    journals += own
    const further = tables ? await claimsOfTables(root, facts.exchange, window, toldHosts(facts.entries)) : undefined
    all.push({ ...facts, claims: [...(facts.claims ?? []), ...(further?.claims ?? [])] })
    torn.push(...(further?.torn ?? []))
  }
  const ends = upToEnd ? all.map(endOf) : []
  const endUs = Math.max(...ends.map(({ us }) => us))
  if (fromBegin) window.fromUs = Math.max(window.fromUs, Math.min(window.toUs, ...all.map(beginOf)))
  if (ends.length > 0) window.toUs = Math.max(window.fromUs, Math.min(window.toUs, endUs))
  const isStopped = ends.length > 0 && endUs === window.toUs && ends.every(one => one.isStopped)
  const none: Account = { window, groups: [], notOffered: [], trades: [] }
  const account = all.reduce((account, facts) => mergeAccounts(account, accountOf(facts, window)), none)
  return { ...account, torn, ...(isStopped && { stoppedUs: endUs }) }
}

/** The same of what a person asks about, with all that tables can tell: where no time was said, of all there is. */
export function measureAsked(
  root: string,
  asked?: Span,
  nowUs = Date.now() * 1000,
  onJournal?: OnJournal,
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
    onJournal,
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
