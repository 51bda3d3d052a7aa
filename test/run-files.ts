import { stringify } from 'yaml'
import { processorSecondsIn } from './processor-seconds.js'
import { countGroup, countResults, type Failure, type Results, type Took } from './results.js'
import { runProcess } from './run-process.js'

const GROUP = 'dist/test/run-group.js'
const STDERR_SHOWN_CHARS = 4000
/** A test that ran out of time lists every handle that is open. */
const DIAGNOSTIC_SHOWN_CHARS = 2000

export type FileResults = Results & Took
type Tell = (text: string) => void

/** `test/config/load.test.ts`, as people write it, to the compiled file that runs. */
function compiled(file: string): string {
  return file.replace(/^(?:\.\/)?test\/(.*)\.ts$/, 'dist/test/$1.js')
}

/**
 * Runs one file; tells how it went, in a line, or with all that failed.
 * @param withSources failures name lines of what was written, not of what was compiled; reading the maps takes a while
 */
export async function runFile(file: string, withSources: boolean, tell: Tell): Promise<FileResults> {
  const flags = withSources ? ['--enable-source-maps'] : []
  const { stdout, stderr, trouble, seconds } = await runProcess([...flags, compiled(file)])
  const results = { ...countResults(stdout, trouble), seconds, processors: processorSecondsIn(stdout) }
  tell(lineOf(file, results))
  for (const failure of results.failures) tell(textOf(failure))
  if (results.failures.length > 0 && stderr !== '') tell(`${stderr.slice(-STDERR_SHOWN_CHARS)}\n`)
  return named(file, results)
}

/**
 * Runs files in one process, which saves each a start. Where anything was wrong nothing of it counts, for it may be another
 * file's: each runs once more, by itself.
 */
export async function runGroup(files: readonly string[], tell: Tell): Promise<Map<string, FileResults>> {
  const { stdout, trouble } = await runProcess([GROUP, ...files])
  const { all, shares } = countGroup(stdout, trouble)
  const found = new Map<string, FileResults>()
  if (all.failures.length === 0 && files.every(file => shares.has(file))) {
    for (const [file, results] of shares) {
      tell(lineOf(file, results))
      found.set(file, named(file, results))
    }
    return found
  }
  const names = all.failures.map(({ name }) => name).join('; ')
  tell(`Each once more by itself, since in one process there was something wrong (${names}): ${files.join(' ')}\n`)
  for (const file of files) found.set(file, await runFile(file, false, tell))
  return found
}

function lineOf(file: string, { passed, failures, seconds, processors }: FileResults): string {
  const outcome = failures.length === 0 ? 'PASS' : 'FAIL'
  const counts = [`${passed} passed`, ...(failures.length === 0 ? [] : [`${failures.length} failed`])]
  return `${outcome} ${file}: ${counts.join(', ')}, ${seconds.toFixed(1)} s, CPU ${processors.toFixed(1)} s\n`
}

/** What is told of all files names each. */
function named(file: string, results: FileResults): FileResults {
  const withFile = <T extends { name: string }>(one: T) => ({
    ...one,
    name: one.name === '' ? file : `${file} > ${one.name}`,
  })
  return { ...results, failures: results.failures.map(withFile), skipped: results.skipped.map(withFile) }
}

/** YAML knows no functions, which an error may hold. */
const spelled = (_key: unknown, value: unknown) => (typeof value === 'function' ? String(value) : value)

function textOf({ name, diagnostic }: Failure): string {
  const more = diagnostic
    ? stringify(diagnostic, spelled)
        .slice(0, DIAGNOSTIC_SHOWN_CHARS)
        .trimEnd()
        .concat('\n')
        .replace(/^(?=.)/gm, '    ')
    : ''
  return `  ✖ ${name}\n${more}`
}
