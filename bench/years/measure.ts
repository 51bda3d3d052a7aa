import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { findProgram } from '../../test/fixtures/needs.js'
import { packageRoot } from '../../platform/package-info.js'

/** What one command cost. */
export interface Cost {
  /** User and system; of one that goes on, of its start. */
  cpuS: number
  /** How much of a core one that goes on takes from then on. */
  share?: number
  peakMiB: number
  /** Opened, listed or looked at below the tree; undefined without strace. */
  calls: number | undefined
}

const main = join(packageRoot, 'dist', 'cli', 'main.js')
/**
 * Run before the program: at its end it says what it took, and what it had taken when it had started. Its memory is asked of its own: Linux
 * counts that of the program which started it to `maxRSS`.
 */
const TELLER = `data:text/javascript,${encodeURIComponent(
  `import { readFileSync, writeFileSync } from 'node:fs'
  const cpuS = () => (process.resourceUsage().userCPUTime + process.resourceUsage().systemCPUTime) / 1e6
  let startS
  setTimeout(() => { startS = cpuS() }, Number(process.env.EDGETAPE_BENCH_STARTS_MS)).unref()
  process.on('exit', () => {
    const peakMiB = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1] / 1024
    writeFileSync(process.env.EDGETAPE_BENCH_COST, JSON.stringify({ cpuS: cpuS(), startS, peakMiB }))
  })`,
)}`

/** Of so many runs the least counts, for what others do beside it only adds; one that takes long is run once. */
const RUNS = 3
const LONG_S = 2

/** Runs a command for its CPU and memory. */
export async function usageOf(args: readonly string[], scratch: string): Promise<Omit<Cost, 'calls'>> {
  let least = await usageOnce(args, scratch)
  if (secondsOf(args) !== undefined) return least
  for (let run = 1; run < RUNS && least.cpuS < LONG_S; run++) {
    const next = await usageOnce(args, scratch)
    if (next.cpuS < least.cpuS) least = next
  }
  return least
}

async function usageOnce(args: readonly string[], scratch: string): Promise<Omit<Cost, 'calls'>> {
  const told = join(scratch, 'cost.json')
  const [program = '', ...first] = limited(args)
  const env = { EDGETAPE_BENCH_COST: told, EDGETAPE_BENCH_STARTS_MS: `${STARTS_S * 1000}` }
  await run(program, [...first, `--import=${TELLER}`, main, ...args], env)
  const { cpuS, startS, peakMiB } = JSON.parse(readFileSync(told, 'utf8')) as Told
  // What ends on its own may take as long, too.
  const goesOn = startS !== undefined && secondsOf(args) !== undefined
  return goesOn ? { cpuS: startS, share: (cpuS - startS) / IDLE_S, peakMiB } : { cpuS, peakMiB }
}

interface Told {
  cpuS: number
  startS?: number
  peakMiB: number
}

/** strace is not to be told to end, for the recorder would go on without it. */
function limited(args: readonly string[]): string[] {
  const seconds = secondsOf(args)
  return seconds === undefined ? [process.execPath] : ['timeout', '--signal=TERM', `${seconds}`, process.execPath]
}

/** What of a command is measured: CPU and memory, the calls, each of which takes a run of its own. */
export type Measured = 'all' | 'usage' | 'calls'

/** Runs a command for its CPU and memory, and under strace, which would cost both. */
export async function costOf(
  args: readonly string[],
  scratch: string,
  tree: string,
  measured: Measured = 'all',
): Promise<Cost> {
  const cost = measured === 'calls' ? { cpuS: NaN, peakMiB: NaN } : await usageOf(args, scratch)
  if (measured === 'usage' || findProgram('strace') === undefined) return { ...cost, calls: undefined }
  const trace = join(scratch, 'trace')
  const watched = ['-f', '--seccomp-bpf', '-qq', '-y', '-e', 'trace=%file,getdents64,fstat,newfstatat', '-o', trace]
  await run('strace', [...watched, ...limited(args), main, ...args], {})
  const calls = readFileSync(trace, 'utf8').split(tree).length - 1
  return { ...cost, calls }
}

const RECORDS_S = 5
/** A compactor has started by then, … */
const STARTS_S = 10
/** … and looks around twice afterwards. */
const IDLE_S = 60

/** How long a command that goes on is watched; undefined for one that ends on its own. */
function secondsOf(args: readonly string[]): number | undefined {
  if (args.includes('record')) return RECORDS_S
  return args.includes('compact') && !args.includes('--once') ? STARTS_S + IDLE_S : undefined
}

/** What coverage ends with where something is missing: between the seconds of each hour it is. */
const MISSES = 4

/** A command that ends on its own, or is told to after a while: a recorder has then started. */
async function run(program: string, args: readonly string[], env: Record<string, string>): Promise<void> {
  // Hours of years are more text than a string may have.
  const child = execa(program, args, { stdin: 'ignore', stdout: 'ignore', reject: false, env, timeout: 900_000 })
  const { exitCode, stderr, timedOut } = await child
  if (timedOut) throw new Error(`not done after 900 s: ${args.join(' ')}`)
  if (exitCode !== 0 && exitCode !== MISSES && secondsOf(args) === undefined)
    throw new Error(`${args.join(' ')}: exit code ${exitCode}: ${stderr.slice(-500)}`)
}
