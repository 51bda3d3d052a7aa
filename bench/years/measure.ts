import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { findProgram } from '../../test/fixtures/needs.js'
import { packageRoot } from '../../platform/package-info.js'

/** What one command cost. */
export interface Cost {
  /** User and system. */
  cpuS: number
  peakMiB: number
  /** Opened, listed or looked at below the tree; undefined without strace. */
  calls: number | undefined
}

const main = join(packageRoot, 'dist', 'cli', 'main.js')
/** Run before the program: at its end it says what it took. */
const TELLER = `data:text/javascript,${encodeURIComponent(
  `import { writeFileSync } from 'node:fs'
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    writeFileSync(process.env.EDGETAPE_BENCH_COST, JSON.stringify({ cpuS: (userCPUTime + systemCPUTime) / 1e6, peakMiB: maxRSS / 1024 }))
  })`,
)}`

/** Runs a command for its CPU and memory. */
export async function usageOf(args: readonly string[], scratch: string): Promise<Omit<Cost, 'calls'>> {
  const told = join(scratch, 'cost.json')
  const [program = '', ...first] = limited(args)
  await run(program, [...first, `--import=${TELLER}`, main, ...args], { EDGETAPE_BENCH_COST: told })
  return JSON.parse(readFileSync(told, 'utf8')) as Omit<Cost, 'calls'>
}

/** strace is not to be told to end, for the recorder would go on without it. */
const limited = (args: readonly string[]) =>
  args.includes('record') ? ['timeout', '--signal=TERM', `${RECORDS_S}`, process.execPath] : [process.execPath]

/** Runs a command twice: once for CPU and memory, once under strace, which would cost both. @param callsOnly only under strace */
export async function costOf(args: readonly string[], scratch: string, tree: string, callsOnly = false): Promise<Cost> {
  const cost = callsOnly ? { cpuS: NaN, peakMiB: NaN } : await usageOf(args, scratch)
  if (findProgram('strace') === undefined) return { ...cost, calls: undefined }
  const trace = join(scratch, 'trace')
  const watched = ['-f', '--seccomp-bpf', '-qq', '-y', '-e', 'trace=%file,getdents64,fstat,newfstatat', '-o', trace]
  await run('strace', [...watched, ...limited(args), main, ...args], {})
  const calls = readFileSync(trace, 'utf8').split(tree).length - 1
  return { ...cost, calls }
}

const RECORDS_S = 5
/** What coverage ends with where something is missing: between the seconds of each hour it is. */
const MISSES = 4

/** A command that ends on its own, or is told to after a while: a recorder has then started. */
async function run(program: string, args: readonly string[], env: Record<string, string>): Promise<void> {
  const isEndless = args.includes('record')
  const child = execa(program, args, { stdin: 'ignore', reject: false, env, maxBuffer: 1e9, timeout: 900_000 })
  const { exitCode, stderr, timedOut } = await child
  if (timedOut) throw new Error(`not done after 900 s: ${args.join(' ')}`)
  if (exitCode !== 0 && exitCode !== MISSES && !isEndless)
    throw new Error(`${args.join(' ')}: exit code ${exitCode}: ${stderr.slice(-500)}`)
}
