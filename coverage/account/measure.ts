import { datesOfTree } from '../../formats/tree-place.js'
import type { Span } from '../../platform/spans.js'
import { orderlyEndUs } from '../../formats/journal/runs.js'
import type { Account } from './account.js'
import type { AccountFacts } from './facts.js'
import { accountOf } from './account-of.js'
import { mergeAccounts } from './merge.js'
import { exchangesIn, readAccountFacts } from './read-facts.js'

const DAY_US = 86_400_000_000

/** When the last recorder ended, where none is at work: nothing more was to come. */
function endOf({ alive, entries, signs, nowUs }: AccountFacts): number {
  if (alive.size > 0 || entries.length + signs.length === 0) return nowUs
  const heardUs = Math.max(entries.at(-1)?.recvUs ?? 0, ...signs.map(({ atUs }) => atUs))
  return Math.min(nowUs, orderlyEndUs(entries) ?? heardUs)
}

/**
 * The account of a span of all that is below a root (a dataDir, or a copy of one), every exchange beside the others.
 * @param upToEnd of a recording that is over only until then
 */
export async function measureAccount(
  root: string,
  span: Span,
  nowUs = Date.now() * 1000,
  upToEnd = false,
): Promise<Account> {
  const window = { fromUs: span.fromUs, toUs: Math.max(span.fromUs, Math.min(span.toUs, nowUs)) }
  const all: AccountFacts[] = []
  for (const exchange of exchangesIn(root)) all.push(await readAccountFacts(root, exchange, window, nowUs))
  if (upToEnd && all.length > 0)
    window.toUs = Math.max(window.fromUs, Math.min(window.toUs, Math.max(...all.map(endOf))))
  const none: Account = { window, groups: [], notOffered: [], trades: [] }
  return all.reduce((account, facts) => mergeAccounts(account, accountOf(facts, window)), none)
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
