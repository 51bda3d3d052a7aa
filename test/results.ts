import { Parser, type Result } from 'tap-parser'

/** What one file of tests, or a run of many, came to. */
export interface Results {
  passed: number
  failures: Failure[]
  skipped: Skipped[]
}

export interface Skipped {
  /** Subtests and assertion, joined by ` > `. */
  name: string
  reason: string
}

export interface Failure {
  name: string
  /** What the assertion has to say for itself. */
  diagnostic?: unknown
}

/**
 * Counts a TAP stream: each assertion once, never the line that closes a subtest and only repeats its outcome. A skip is
 * no pass. A stream that ran out of time, planned more than it did or is torn holds a failure even where every assertion
 * before was fine; so does that of a process which did not end well.
 * @param trouble what was wrong with the end of the process
 */
export function countResults(tap: string, trouble?: string): Results {
  const results: Results = { passed: 0, failures: [], skipped: [] }
  const parser = new Parser()
  parser.on('result', (result: Result) => {
    if (result.skip) results.skipped.push({ name: result.fullname, reason: reasonOf(result.skip) })
    else if (result.ok) results.passed += 1
    else results.failures.push({ name: result.fullname, diagnostic: result.diag as unknown })
  })
  parser.end(tap)
  // A file that skips itself as a whole has no result, only an empty plan.
  const plan = parser.results?.plan
  if (plan?.skipAll === true && parser.ok) results.skipped.push({ name: '', reason: reasonOf(plan.skipReason) })
  if (results.failures.length > 0) return results
  if (trouble !== undefined) results.failures.push({ name: trouble })
  else if (!parser.ok) results.failures.push({ name: 'the stream of results is not whole' })
  return results
}

function reasonOf(skip: string | boolean): string {
  return typeof skip === 'string' && skip !== '' ? skip : 'no reason given'
}

/** The end of the report: what failed, what could not be tested, by reason, then the line that programs read. */
export function summaryOf({ passed, failures, skipped }: Results): string {
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
  const failed = failures.length === 0 ? [] : ['Failed:', ...failures.map(({ name }) => `  ${name}`), '']
  return [...failed, ...skips, `${passed} passed, ${failures.length} failed, ${skipped.length} skipped`].join('\n')
}
