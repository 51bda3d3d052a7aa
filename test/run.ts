/**
 * `npm test [-- FILE…]`: runs each file of tests as a process of its own, a few at a time, and counts what they say. tap's
 * own runner loads a module hook into each of them and into every program that they start, which takes longer than most
 * of what is tested.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, freemem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { hasErrno } from '../platform/edge-error.js'
import { packageRoot } from '../platform/package-info.js'
import { machineWorkedMs, processorSecondsIn } from './processor-seconds.js'
import { countResults, summaryOf, type Failure, type Results } from './results.js'
import { makeScratchFolder } from './scratch-folder.js'

/** Files wait as often as they work: more are begun while the processors have time to spare. */
const AT_ONCE = { least: 3, most: 8, waiting: 3 }
const BUSY = 0.9
const LOOK_MS = 1000
/** Files that mostly wait say so, and are begun first, some beside the others: they leave the processors to them. */
const MOSTLY_WAITS = /^\/\/ Mostly waits\b/m
/** Who waits so long, with so little of a processor, should say so. */
const WAITS = { longerThanS: 15, below: 0.25 }
/** Memory for one more, with the programs that it starts. */
const SPARE_BYTES = 2 * 2 ** 30
const LONGEST_SHOWN = 12
/** A file that takes longer says what it waits for, and is ended. */
const FILE_S = 240
const KILLED_AFTER_S = FILE_S + 20
/** Where more fail, something is broken. */
const AGAIN_AT_MOST = 5
const CLEAN_END = new URL('./clean-end.js', import.meta.url).href
const STDERR_SHOWN_CHARS = 4000
/** A test that ran out of time lists every handle that is open. */
const DIAGNOSTIC_SHOWN_CHARS = 2000

const textOfFile = (file: string) => readFileSync(join(packageRoot, file), 'utf8')
const mostlyWaits = (file: string) => existsSync(join(packageRoot, file)) && MOSTLY_WAITS.test(textOfFile(file))

/** Those that ask for more time come first, and should not be left to the end; the others by the alphabet, backwards. */
function allFiles(): string[] {
  const files = readdirSync(join(packageRoot, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.test.ts'))
    .map(path => `test/${path}`)
  const isLong = new Map(files.map(file => [file, /setTimeout\(\d|timeout: \d/.test(textOfFile(file))]))
  return files.sort((a, b) => Number(isLong.get(b)) - Number(isLong.get(a)) || (a < b ? 1 : -1))
}

/** `test/config/load.test.ts`, as people write it, to the compiled file that runs. */
function compiled(file: string): string {
  return file.replace(/^(?:\.\/)?test\/(.*)\.ts$/, 'dist/test/$1.js')
}

const scratch = makeScratchFolder()
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
/** Where tests and programs make temporary files. */
const temporary = join(scratch, 'tmp')
mkdirSync(temporary)
/** What several files need is made here by the first of them. */
const shared = join(scratch, 'shared')

/** Files that run, each with the programs that it started in a process group of its own. */
const children = new Set<{ readonly pid?: number | undefined }>()

function endGroup({ pid }: { readonly pid?: number | undefined }): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    for (const child of children) endGroup(child)
    process.exit(1)
  })

/** What each file took: time, and time of the processors. */
const secondsOf = new Map<string, { all: number; processors: number }>()

/** Where a suite that takes too long is best made shorter. */
function longestText(): string {
  const most = (kind: 'all' | 'processors') =>
    [...secondsOf]
      .sort(([, a], [, b]) => b[kind] - a[kind])
      .slice(0, LONGEST_SHOWN)
      .map(([file, seconds]) => `${file} ${Math.round(seconds[kind])} s`)
      .join(', ')
  const sum = (kind: 'all' | 'processors') =>
    Math.round([...secondsOf.values()].reduce((sum, seconds) => sum + seconds[kind], 0))
  return (
    `${secondsOf.size} files in ${Math.round(performance.now() / 1000)} s, ${sum('all')} s one after the other; the longest: ${most('all')}\n` +
    `${sum('processors')} s of the processors; most of it: ${most('processors')}${waitsUntoldText()}`
  )
}

/** Files that wait and do not say so. */
function waitsUntoldText(): string {
  const untold = [...secondsOf].flatMap(([file, { all, processors }]) =>
    all > WAITS.longerThanS && processors < WAITS.below * all && !mostlyWaits(file) ? [file] : [],
  )
  return untold.length === 0 ? '' : `\nmostly wait, and do not say so: ${untold.join(', ')}`
}

/**
 * Runs one file; tells how it went, in a line, or with all that failed.
 * @param withSources failures name lines of what was written, not of what was compiled; reading the maps takes a while
 */
async function runFile(file: string, withSources: boolean): Promise<Results> {
  const begun = performance.now()
  const flags = [...(withSources ? ['--enable-source-maps'] : []), `--import=${CLEAN_END}`]
  const child = execa(process.execPath, [...flags, compiled(file)], {
    cwd: packageRoot,
    stdin: 'ignore',
    reject: false,
    timeout: KILLED_AFTER_S * 1000,
    env: {
      ...{ TAP: '1', TAP_TIMEOUT: String(FILE_S), TMPDIR: temporary },
      ...{ EDGETAPE_TESTS_FOLDER: scratch, EDGETAPE_TESTS_SHARE: shared },
    },
    detached: true,
  })
  children.add(child)
  // What a failed test left running would keep the pipes open for ever.
  child.once('exit', () => {
    children.delete(child)
    endGroup(child)
  })
  const { stdout, stderr, exitCode, signal, timedOut } = await child
  const trouble = timedOut ? `not done after ${KILLED_AFTER_S} s` : `ended with ${signal ?? exitCode ?? 'an error'}`
  const { passed, failures, skipped } = countResults(stdout, exitCode === 0 ? undefined : trouble)
  const outcome = failures.length === 0 ? 'PASS' : 'FAIL'
  const counts = [`${passed} passed`, ...(failures.length === 0 ? [] : [`${failures.length} failed`])]
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  const processors = processorSecondsIn(stdout)
  secondsOf.set(file, { all: Number(seconds), processors })
  process.stdout.write(`${outcome} ${file}: ${counts.join(', ')}, ${seconds} s, CPU ${processors.toFixed(1)} s\n`)
  for (const failure of failures) process.stdout.write(textOf(failure))
  if (failures.length > 0 && stderr !== '') process.stdout.write(`${stderr.slice(-STDERR_SHOWN_CHARS)}\n`)
  const named = <T extends { name: string }>(one: T) => ({
    ...one,
    name: one.name === '' ? file : `${file} > ${one.name}`,
  })
  return { passed, failures: failures.map(named), skipped: skipped.map(named) }
}

function textOf({ name, diagnostic }: Failure): string {
  const more = diagnostic
    ? stringify(diagnostic)
        .slice(0, DIAGNOSTIC_SHOWN_CHARS)
        .trimEnd()
        .concat('\n')
        .replace(/^(?=.)/gm, '    ')
    : ''
  return `  ✖ ${name}\n${more}`
}

/** How much of the processors' time is used; busy until it was looked at for a while. */
class ProcessorUse {
  #ms = performance.now()
  #used = machineWorkedMs()
  #isBusy = true

  isBusy(): boolean {
    const ms = performance.now()
    if (ms - this.#ms < LOOK_MS) return this.#isBusy
    const used = machineWorkedMs()
    this.#isBusy = (used - this.#used) / (ms - this.#ms) / availableParallelism() > BUSY
    this.#ms = ms
    this.#used = used
    return this.#isBusy
  }

  /** What was begun now is to be seen in the next look. */
  lookAnew(): void {
    this.#ms = performance.now()
    this.#used = machineWorkedMs()
    this.#isBusy = true
  }
}

/** How many files are run at once. */
interface AtOnce {
  least: number
  /** Only while the processors are not busy. */
  most: number
  /** Of those that mostly wait, beside the others. */
  waiting: number
}

async function runFiles(
  files: readonly string[],
  { least, most, waiting }: AtOnce,
  withSources: boolean,
): Promise<Map<string, Results>> {
  const found = new Map<string, Results>()
  const aside = waiting > 0 ? files.filter(mostlyWaits) : []
  const others = files.filter(file => !aside.includes(file))
  const underWay = new Set<Promise<void>>()
  let running = 0
  const processors = new ProcessorUse()
  const run = async (file: string) => {
    running++
    processors.lookAnew()
    found.set(file, await runFile(file, withSources))
    running--
  }
  const oneAfterTheOther = async () => {
    for (let file = aside.shift(); file !== undefined; file = aside.shift()) await run(file)
  }
  const lanes = Array.from({ length: waiting }, oneAfterTheOther)
  const isFull = () => underWay.size >= least && (running >= most || freemem() < SPARE_BYTES || processors.isBusy())
  for (const file of others) {
    while (isFull()) await Promise.race([...underWay, delay(LOOK_MS)])
    const one = run(file).then(() => {
      underWay.delete(one)
    })
    underWay.add(one)
  }
  await Promise.all([...underWay, ...lanes])
  return found
}

/**
 * Files that failed are run once more, alone: on a machine with too little to give, a test that waits for another process
 * may have waited in vain. Those that pass then are named, for they are to be made steadier.
 */
async function runAgainAlone(found: Map<string, Results>): Promise<void> {
  const failed = [...found].filter(([, { failures }]) => failures.length > 0).map(([file]) => file)
  if (failed.length === 0 || failed.length === found.size || failed.length > AGAIN_AT_MOST) return
  process.stdout.write(`\nOnce more, alone:\n`)
  const again = await runFiles(failed, { least: 1, most: 1, waiting: 0 }, true)
  const unsteady = failed.filter(file => again.get(file)?.failures.length === 0)
  for (const [file, results] of again) found.set(file, results)
  if (unsteady.length > 0)
    process.stdout.write(`\nUnsteady, failed beside others and passed alone: ${unsteady.join(', ')}\n`)
}

async function run(files: readonly string[], withSources: boolean): Promise<number> {
  const found = await runFiles(files, AT_ONCE, withSources)
  await runAgainAlone(found)
  const results = [...found.values()]
  const all: Results = {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failures: results.flatMap(({ failures }) => failures),
    skipped: results.flatMap(({ skipped }) => skipped),
  }
  if (files.length > 1) process.stdout.write(`\n${longestText()}\n`)
  process.stdout.write(`\n${summaryOf(all)}\n`)
  return all.failures.length === 0 && all.passed > 0 ? 0 : 1
}

const named = process.argv.slice(2)
process.exitCode = await (named.length > 0 ? run(named, true) : run(allFiles(), false))
