/**
 * `npm test [-- FILE…]`: runs each file of tests as a process of its own, a few at a time, and counts what they say; where
 * all of them run, those that can share a process do. tap's own runner loads a module hook into each and into every program
 * that they start, which takes longer than most of what is tested.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, freemem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { packageRoot } from '../platform/package-info.js'
import { groupFiles } from './file-groups.js'
import { machineWorkedMs } from './processor-seconds.js'
import { summaryOf, type Results, type Took } from './results.js'
import { runFile, runGroup, type FileResults } from './run-files.js'

/** Files wait as often as they work: more are begun while the processors have time to spare. */
const AT_ONCE = { least: 3, most: 12, waiting: 3 }
const BUSY = 0.95
const LOOK_MS = 1000
/** Files that mostly wait say so, and are begun first, some beside the others: they leave the processors to them. */
const MOSTLY_WAITS = /^\/\/ Mostly waits\b/m
/** Who waits so long, with so little of a processor, should say so. */
const WAITS = { longerThanS: 15, below: 0.25 }
/** Memory for one more, with the programs that it starts. */
const SPARE_BYTES = 2 * 2 ** 30
const LONGEST_SHOWN = 12
/** Where more fail, something is broken. */
const AGAIN_AT_MOST = 5

const tell = (text: string) => process.stdout.write(text)

const textOfFile = (file: string) => readFileSync(join(packageRoot, file), 'utf8')
const mostlyWaits = (file: string) => existsSync(join(packageRoot, file)) && MOSTLY_WAITS.test(textOfFile(file))

/** Those that ask for more time should not be left to the end. */
const isLong = (file: string) => /setTimeout\(\d|timeout: \d/.test(textOfFile(file))

/** By the alphabet, backwards. */
const allFiles = () =>
  readdirSync(join(packageRoot, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.test.ts'))
    .map(path => `test/${path}`)
    .sort()
    .reverse()

/** What runs in a process each: files that take longer first, then groups, which need nothing but a processor. */
function inTurn(files: readonly string[], all: boolean): string[][] {
  if (!all) return files.map(file => [file])
  const { groups, alone } = groupFiles(files)
  const each = (long: boolean) => alone.filter(file => isLong(file) === long).map(file => [file])
  return [...each(true), ...groups, ...each(false)]
}

/** Where a suite that takes too long is best made shorter. */
function longestText(found: Map<string, Took>, share: number): string {
  const most = (kind: keyof Took) =>
    [...found]
      .sort(([, a], [, b]) => b[kind] - a[kind])
      .slice(0, LONGEST_SHOWN)
      .map(([file, took]) => `${file} ${Math.round(took[kind])} s`)
      .join(', ')
  const sum = (kind: keyof Took) => Math.round([...found.values()].reduce((sum, took) => sum + took[kind], 0))
  return (
    `${found.size} files in ${Math.round(performance.now() / 1000)} s, ${sum('seconds')} s one after the other; the longest: ${most('seconds')}\n` +
    `${sum('processors')} s of the processors, which were used to ${Math.round(100 * share)} %; most of it: ${most('processors')}${waitsUntoldText(found)}`
  )
}

/** Files that wait and do not say so. */
function waitsUntoldText(found: Map<string, Took>): string {
  const untold = [...found].flatMap(([file, { seconds, processors }]) =>
    seconds > WAITS.longerThanS && processors < WAITS.below * seconds && !mostlyWaits(file) ? [file] : [],
  )
  return untold.length === 0 ? '' : `\nmostly wait, and do not say so: ${untold.join(', ')}`
}

const shareUsed = (workedMs: number, ms: number) => workedMs / ms / availableParallelism()

/** How much of the processors' time is used; busy until it was looked at for a while. */
class ProcessorUse {
  readonly #startMs = performance.now()
  readonly #usedAtStart = machineWorkedMs()
  #ms = this.#startMs
  #used = this.#usedAtStart
  #isBusy = true

  isBusy(): boolean {
    const ms = performance.now()
    if (ms - this.#ms < LOOK_MS) return this.#isBusy
    const used = machineWorkedMs()
    this.#isBusy = shareUsed(used - this.#used, ms - this.#ms) > BUSY
    this.#ms = ms
    this.#used = used
    return this.#isBusy
  }

  /** Of all that there was since the start. */
  get share(): number {
    return shareUsed(machineWorkedMs() - this.#usedAtStart, performance.now() - this.#startMs)
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

/** @param all whether these are all files: else each has a process of its own, as it must be able to */
async function runFiles(
  files: readonly string[],
  { least, most, waiting }: AtOnce,
  all: boolean,
  processors = new ProcessorUse(),
): Promise<Map<string, FileResults>> {
  const found = new Map<string, FileResults>()
  const aside = waiting > 0 ? files.filter(mostlyWaits) : []
  const others = inTurn(
    files.filter(file => !aside.includes(file)),
    all,
  )
  const underWay = new Set<Promise<void>>()
  let running = 0
  const run = async (unit: readonly string[]) => {
    running++
    processors.lookAnew()
    const [only = ''] = unit
    const results = unit.length > 1 ? await runGroup(unit, tell) : new Map([[only, await runFile(only, !all, tell)]])
    for (const [file, each] of results) found.set(file, each)
    running--
  }
  const oneAfterTheOther = async () => {
    for (let file = aside.shift(); file !== undefined; file = aside.shift()) await run([file])
  }
  const lanes = Array.from({ length: waiting }, oneAfterTheOther)
  const isFull = () => underWay.size >= least && (running >= most || freemem() < SPARE_BYTES || processors.isBusy())
  for (const unit of others) {
    while (isFull()) await Promise.race([...underWay, delay(LOOK_MS)])
    const one = run(unit).then(() => {
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
async function runAgainAlone(found: Map<string, FileResults>): Promise<void> {
  const failed = [...found].filter(([, { failures }]) => failures.length > 0).map(([file]) => file)
  if (failed.length === 0 || failed.length === found.size || failed.length > AGAIN_AT_MOST) return
  process.stdout.write(`\nOnce more, alone:\n`)
  const again = await runFiles(failed, { least: 1, most: 1, waiting: 0 }, false)
  const unsteady = failed.filter(file => again.get(file)?.failures.length === 0)
  for (const [file, results] of again) found.set(file, results)
  if (unsteady.length > 0)
    process.stdout.write(`\nUnsteady, failed beside others and passed alone: ${unsteady.join(', ')}\n`)
}

async function run(files: readonly string[], all: boolean): Promise<number> {
  const processors = new ProcessorUse()
  const found = await runFiles(files, AT_ONCE, all, processors)
  const { share } = processors
  await runAgainAlone(found)
  const results = [...found.values()]
  const sum: Results = {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failures: results.flatMap(({ failures }) => failures),
    skipped: results.flatMap(({ skipped }) => skipped),
  }
  if (files.length > 1) process.stdout.write(`\n${longestText(found, share)}\n`)
  process.stdout.write(`\n${summaryOf(sum)}\n`)
  return sum.failures.length === 0 && sum.passed > 0 ? 0 : 1
}

const asked = process.argv.slice(2)
process.exitCode = await (asked.length > 0 ? run(asked, false) : run(allFiles(), true))
