import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { execa } from 'execa'
import { packageRoot } from '../../platform/package-info.js'
import { machine, spread } from '../machine.js'
import type { BenchOptions } from '../recorder/main.js'
import type { Measured } from './contender.js'
import { FAMILIES, type Family } from './families.js'
import { writeSegment } from './lines.js'
import { costOfSmallSegments } from './small-segments.js'

/** Each round measures these one after the other. Sorted, the rows are in the order of edgetape's files. */
const ENGINES = ['edgetape', 'duckdb', 'duckdb, sorted'] as const
/** These take minutes: measured once, in the first round. */
const SCRIPTS = ['hyparquet-writer', 'parquetjs-lite'] as const
type Writer = (typeof ENGINES)[number] | (typeof SCRIPTS)[number]

const WARM_UP_LINES = 20_000
/** Lines of each family, MB; `EDGETAPE_BENCH_MB` overrules. */
const MEGABYTES = Number(process.env['EDGETAPE_BENCH_MB'] ?? 128)

async function measure(writer: Writer, family: Family, dataDir: string, warmUp: string): Promise<Measured> {
  const script = join(packageRoot, 'dist/bench/compactor/contender.js')
  const { stdout } = await execa(process.execPath, [script, writer, family, dataDir, warmUp], {
    stdin: 'ignore',
    stderr: 'inherit',
  })
  return JSON.parse(stdout) as Measured
}

/** Rows/s, memory and size of every writer for the same lines, one family after the other. */
export async function benchCompactor({ rounds, quick = false }: BenchOptions): Promise<void> {
  const megabytes = quick ? MEGABYTES / 8 : MEGABYTES
  process.stdout.write(
    `compactor that runs already, one thread, 256 MiB, ${rounds} rounds (the last two writers: one); middle (lowest to highest)\n${machine()}\n`,
  )
  await benchSmallSegments(quick)
  for (const family of Object.keys(FAMILIES) as Family[]) await benchFamily(family, rounds, megabytes)
  process.stdout.write(
    'goals: >= 0.8 x duckdb, >= 20 x parquetjs-lite, <= 400 MB, size <= 1.0 x duckdb, of rows in the same order\n',
  )
}

async function benchSmallSegments(quick: boolean): Promise<void> {
  const table = plainTable(['small segments, 1,000 lines', 'CPU seconds each'])
  for (const [family, costs] of await costOfSmallSegments(quick)) table.push([family, spread(costs, 3).text])
  process.stdout.write(`${table.toString()}\ngoal: <= 0.03 s\n`)
}

async function benchFamily(family: Family, rounds: number, megabytes: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  try {
    const warmUp = join(dataDir, 'warm-up')
    writeSegment(warmUp, family, lines => lines >= WARM_UP_LINES)
    const { frames, bytesRaw } = writeSegment(dataDir, family, (_, bytes) => bytes >= megabytes * 1e6)
    const results = new Map<Writer, Measured[]>()
    for (let round = 0; round < rounds; round++) {
      for (const writer of round === 0 ? [...ENGINES, ...SCRIPTS] : ENGINES) {
        const measured = await measure(writer, family, dataDir, warmUp)
        results.set(writer, [...(results.get(writer) ?? []), measured])
      }
    }
    const title = `${family}: ${frames.toLocaleString('en')} lines, ${(bytesRaw / 1e6).toFixed(0)} MB`
    process.stdout.write(`${tableOf(title, results)}\n`)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function tableOf(title: string, results: ReadonlyMap<Writer, readonly Measured[]>): string {
  const table = plainTable([title, 'rows/s', 'seconds', 'peak MB', 'MB', 'edgetape is x as fast', 'its size is x'])
  const own = results.get('edgetape') ?? []
  for (const [writer, rounds] of results) {
    const bytes = rounds[0]?.bytes ?? NaN
    const figures = [
      spread(
        rounds.map(({ rows, ms }) => (1000 * rows) / ms),
        0,
      ).text,
      spread(
        rounds.map(({ ms }) => ms / 1000),
        2,
      ).text,
      (Math.max(...rounds.map(({ peakMiB }) => peakMiB)) * 1.048576).toFixed(0),
      (bytes / 1e6).toFixed(1),
    ]
    // Of the same round, since what else the machine does changes from one to the next.
    const faster = rounds.map(({ ms }, round) => ms / (own[round]?.ms ?? NaN))
    const smaller = (own[0]?.bytes ?? NaN) / bytes
    table.push([
      writer,
      ...figures,
      ...(writer === 'edgetape' ? ['', ''] : [spread(faster, 2).text, smaller.toFixed(2)]),
    ])
  }
  return table.toString()
}
