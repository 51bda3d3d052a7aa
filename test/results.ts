import { Parser, type FinalResults, type Result } from 'tap-parser'

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
 * no pass, and a subtest in which nothing was asserted is a failure. A stream that ran out of time, planned more than it
 * did or is torn holds a failure even where every assertion before was fine; so does that of a process which did not end
 * well.
 * @param trouble what was wrong with the end of the process
 */
export const countResults = (tap: string, trouble?: string): Results => countGroup(tap, trouble).all

/** What a file took: time, and time of the processors. */
export interface Took {
  seconds: number
  processors: number
}

/** Stands behind the results of each file, where several ran in one process. */
export const groupMark = (file: string, { seconds, processors }: Took) =>
  `${file} took ${seconds.toFixed(3)} s, CPU ${processors.toFixed(3)} s`
const GROUP_MARK = /^# (test\/\S+) took (\S+) s, CPU (\S+) s$/

/** The same of files that ran in one process: all together, and each that came to its end. */
export function countGroup(tap: string, trouble?: string): { all: Results; shares: Map<string, Took & Results> } {
  const all: Results = { passed: 0, failures: [], skipped: [] }
  const shares = new Map<string, Took & Results>()
  let told = { passed: 0, failures: 0, skipped: 0 }
  const parser = new Parser()
  const countOfEnded = lastCount(parser)
  parser.on('result', (result: Result) => {
    if (result.skip) all.skipped.push({ name: result.fullname, reason: reasonOf(result.skip) })
    else if (result.ok && result.closingTestPoint) {
      // That of a subtest whose name has to be escaped comes as a result, too.
      if (countOfEnded() === 0) all.failures.push({ name: result.fullname, diagnostic: 'nothing was asserted' })
    } else if (result.ok) all.passed += 1
    else all.failures.push({ name: result.fullname, diagnostic: result.diag as unknown })
  })
  parser.on('comment', (text: string) => {
    const [, file, seconds, processors] = GROUP_MARK.exec(text.trimEnd()) ?? []
    if (file === undefined) return
    shares.set(file, {
      ...{ passed: all.passed - told.passed, failures: all.failures.slice(told.failures) },
      ...{ skipped: all.skipped.slice(told.skipped), seconds: Number(seconds), processors: Number(processors) },
    })
    told = { passed: all.passed, failures: all.failures.length, skipped: all.skipped.length }
  })
  parser.end(tap)
  // A file that skips itself as a whole has no result, only an empty plan.
  const plan = parser.results?.plan
  if (plan?.skipAll === true && parser.ok) all.skipped.push({ name: '', reason: reasonOf(plan.skipReason) })
  if (all.failures.length === 0) {
    if (trouble !== undefined) all.failures.push({ name: trouble })
    else if (!parser.ok) all.failures.push({ name: 'the stream of results is not whole' })
  }
  return { all, shares }
}

/** How many results the subtest had that ended last. */
function lastCount(parser: Parser): () => number {
  let last = 0
  const hear = (parser: Parser) =>
    parser.on('child', (child: Parser) => {
      hear(child)
      child.on('complete', ({ count }: FinalResults) => (last = count))
    })
  hear(parser)
  return () => last
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
