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

/** Runs a command twice: once for CPU and memory, once under strace, which would cost both. */
export async function costOf(args: readonly string[], scratch: string, tree: string): Promise<Cost> {
  const told = join(scratch, 'cost.json')
  await run(process.execPath, [`--import=${TELLER}`, main, ...args], { EDGETAPE_BENCH_COST: told })
  const cost = JSON.parse(readFileSync(told, 'utf8')) as Omit<Cost, 'calls'>
  if (findProgram('strace') === undefined) return { ...cost, calls: undefined }
  const trace = join(scratch, 'trace')
  const watched = ['-f', '-qq', '-y', '-e', 'trace=%file,getdents64,fstat,newfstatat', '-o', trace]
  await run('strace', [...watched, process.execPath, main, ...args], {})
  const calls = readFileSync(trace, 'utf8').split(tree).length - 1
  return { ...cost, calls }
}

/** A command that ends on its own, or is told to after a while: a recorder has then started. */
async function run(program: string, args: readonly string[], env: Record<string, string>): Promise<void> {
  const isEndless = args.includes('record')
  const child = execa(program, args, { stdin: 'ignore', reject: false, env, maxBuffer: 1e9, timeout: 900_000 })
  if (isEndless) {
    child.stdout.on(
      'data',
      (text: Buffer) => text.includes('recording') && setTimeout(() => child.kill('SIGTERM'), 1500),
    )
    child.stderr.on(
      'data',
      (text: Buffer) => text.includes('recording') && setTimeout(() => child.kill('SIGTERM'), 1500),
    )
  }
  const { exitCode, stderr, timedOut } = await child
  if (timedOut) throw new Error(`not done after 900 s: ${args.join(' ')}`)
  if (exitCode !== 0 && !isEndless) throw new Error(`${args.join(' ')}: exit code ${exitCode}: ${stderr.slice(-500)}`)
}
