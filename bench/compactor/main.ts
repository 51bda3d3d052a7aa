import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import { execa } from 'execa'
import { packageRoot } from '../../platform/package-info.js'
import type { Measured } from './contender.js'
import { FAMILIES, type Family } from './families.js'
import { writeSegment } from './lines.js'

const WRITERS = ['edgetape', 'duckdb', 'hyparquet-writer', 'parquetjs-lite'] as const
type Writer = (typeof WRITERS)[number]

/** Lines of each family; `EDGETAPE_BENCH_LINES` overrules. */
const LINES = Number(process.env['EDGETAPE_BENCH_LINES'] ?? 400_000)
/** With `EDGETAPE_BENCH_GB=10` one segment of so many GB of lines is converted instead. */
const GIGABYTES = Number(process.env['EDGETAPE_BENCH_GB'] ?? 0)

async function measure(writer: Writer, family: Family, dataDir: string): Promise<Measured> {
  const script = join(packageRoot, 'dist/bench/compactor/contender.js')
  const { stdout } = await execa(process.execPath, [script, writer, family, dataDir], {
    stdin: 'ignore',
    stderr: 'inherit',
  })
  return JSON.parse(stdout) as Measured
}

/** Rows/s, memory and size of every writer for the same lines, or the memory that one huge segment takes. */
export async function benchCompactor(): Promise<void> {
  const machine = `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`
  process.stdout.write(`compactor, one thread, 256 MiB, on ${machine}\n`)
  if (GIGABYTES > 0) await benchHuge()
  else for (const family of Object.keys(FAMILIES) as Family[]) await benchFamily(family)
}

async function benchFamily(family: Family): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  try {
    const { bytesRaw } = await writeSegment(dataDir, family, frames => frames >= LINES)
    const results = new Map<Writer, Measured>()
    for (const writer of WRITERS) results.set(writer, await measure(writer, family, dataDir))
    const title = `${family}: ${LINES.toLocaleString('en')} lines, ${(bytesRaw / 1e6).toFixed(0)} MB`
    const table = new Table({ head: [title, 'rows/s', 'seconds', 'peak MB', 'MB', 'edgetape is', 'its size is'] })
    const own = results.get('edgetape')
    for (const [writer, { rows, ms, peakMiB, bytes }] of results) {
      const speed = own ? `${(ms / own.ms).toFixed(2)} x as fast` : ''
      const size = own ? `${(own.bytes / bytes).toFixed(2)} x` : ''
      const rate = Math.round((1000 * rows) / ms).toLocaleString('en')
      const figures = [rate, (ms / 1000).toFixed(2), (peakMiB * 1.048576).toFixed(0), (bytes / 1e6).toFixed(1)]
      table.push([writer, ...figures, ...(writer === 'edgetape' ? ['', ''] : [speed, size])])
    }
    process.stdout.write(`${table.toString()}\n`)
    process.stdout.write('goals: >= 0.8 x duckdb, >= 15 x parquetjs-lite, <= 400 MB, size <= 1.0 x duckdb\n')
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function benchHuge(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  try {
    const { frames, bytesRaw } = await writeSegment(dataDir, 'ticker', (_, bytes) => bytes >= GIGABYTES * 1e9)
    const { ms, peakMiB } = await measure('edgetape', 'ticker', dataDir)
    process.stdout.write(
      `one segment of ${(bytesRaw / 1e9).toFixed(2)} GB, ${frames.toLocaleString('en')} tickers: ` +
        `${(ms / 1000).toFixed(0)} s, peak ${(peakMiB * 1.048576).toFixed(0)} MB (goal: <= 400 MB)\n`,
    )
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
