import { Parser, type Result } from 'tap-parser'

/** What a run of the tests came to. */
export interface Results {
  passed: number
  failed: number
  skipped: Skipped[]
}

export interface Skipped {
  /** File, subtests and assertion, joined by ` > `. */
  name: string
  reason: string
}

/**
 * Counts a TAP stream: each assertion once, never the line that closes a subtest and only repeats its outcome. A skip is
 * no pass. A file that crashed, ran out of time, planned more than it did or left the stream torn is a failure even
 * where every assertion before was fine.
 */
export function countResults(tap: string): Results {
  const results: Results = { passed: 0, failed: 0, skipped: [] }
  const parser = new Parser()
  parser.on('result', (result: Result) => {
    if (result.skip) results.skipped.push({ name: result.fullname, reason: reasonOf(result.skip) })
    else if (result.ok) results.passed += 1
    else results.failed += 1
  })
  parser.end(tap)
  if (!parser.ok && results.failed === 0) results.failed = 1
  return results
}

function reasonOf(skip: string | boolean): string {
  return typeof skip === 'string' && skip !== '' ? skip : 'no reason given'
}

/** The end of the report: what could not be tested, by reason, then the line that programs read. */
export function summaryOf({ passed, failed, skipped }: Results): string {
  const namesByReason = new Map<string, Set<string>>()
  for (const { name, reason } of skipped) {
    const names = namesByReason.get(reason) ?? new Set()
    // A helper that skips calls its assertion by the reason.
    namesByReason.set(reason, names.add(name.replace(` > ${reason}`, '')))
  }
  const list = [...namesByReason].flatMap(([reason, names]) => [
    `  ${reason}`,
    ...[...names].map(name => `    ${name}`),
  ])
  const skips = list.length === 0 ? [] : ['Skipped, because this machine lacks something:', ...list, '']
  return [...skips, `${passed} passed, ${failed} failed, ${skipped.length} skipped`].join('\n')
}
