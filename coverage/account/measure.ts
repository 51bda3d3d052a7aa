import { datesOfTree } from '../../formats/tree-place.js'
import type { Span } from '../../platform/spans.js'
import type { Account } from './account.js'
import { accountOf } from './account-of.js'
import { mergeAccounts } from './merge.js'
import { exchangesIn, readAccountFacts } from './read-facts.js'

const DAY_US = 86_400_000_000

/** The account of a span of all that is below a root (a dataDir, or a copy of one), every exchange beside the others. */
export async function measureAccount(root: string, span: Span, nowUs = Date.now() * 1000): Promise<Account> {
  const window = { fromUs: span.fromUs, toUs: Math.max(span.fromUs, Math.min(span.toUs, nowUs)) }
  let account: Account = { window, groups: [], notOffered: [], trades: [] }
  for (const exchange of exchangesIn(root)) {
    const facts = await readAccountFacts(root, exchange, window, nowUs)
    account = mergeAccounts(account, accountOf(facts, window))
  }
  return account
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
