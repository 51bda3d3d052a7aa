import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { sizeText } from '../../platform/figures.js'
import { lowerPriority } from '../../platform/low-priority.js'
import type { BenchOptions } from '../recorder/main.js'
import { syncPass, timed, type Cost } from './program.js'
import { startDaemon } from './servers.js'
import { settleTree } from './settled-tree.js'
import { realistic, writeTree } from './tree.js'

const ROUNDS = 3
/** No further round is begun after so long: other work on the machine must not make the figures take for ever. */
const ROUNDS_TAKE_MS = 90_000
const FILES = 10_000
const SETTLED_FILES = 100_000
const COLD = { graceMinutes: 1000 }

type Way = 'rsync -a' | 'rsync -a --fsync' | 'edgetape: upload' | 'edgetape: verify'

/** What bringing 10,000 files costs against bare rsync, and a pass with nothing new over 100,000. */
export async function benchSyncer({ quick = false }: BenchOptions): Promise<void> {
  const share = quick ? 0.05 : 1
  const folder = mkdtempSync(join(process.env['EDGETAPE_BENCH_DIR'] ?? tmpdir(), 'edgetape-bench-'))
  try {
    const bytes = writeTree(join(folder, 'data'), share * FILES, realistic)
    // The syncer gives way to others; what it is measured against must do so, too.
    lowerPriority()
    await benchShipping(folder, share * FILES, bytes)
    await benchNothingNew(folder, share * SETTLED_FILES)
    process.stdout.write(
      `machine: ${cpus()[0]?.model ?? '?'}, ${availableParallelism()} processors; rsync over loopback to a daemon; ` +
        `files below ${folder.replace(/edgetape-bench-.*/, '')}\n`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function benchShipping(folder: string, files: number, bytes: number): Promise<void> {
  const dataDir = join(folder, 'data')
  const costs = new Map<Way, Cost[]>()
  const add = (way: Way, cost: Cost) => costs.set(way, [...(costs.get(way) ?? []), cost])
  const nas = join(folder, 'nas')
  const { url, stop } = await startDaemon(folder, nas)
  const emptied = () => {
    rmSync(nas, { recursive: true })
    mkdirSync(nas)
    // As at the first pass: no state, and no memory of a mark at the target.
    for (const own of ['state', 'targets']) rmSync(join(dataDir, own), { recursive: true, force: true })
  }
  const endsMs = performance.now() + ROUNDS_TAKE_MS
  for (let round = 0; round < (files < FILES ? 1 : ROUNDS) && (round === 0 || performance.now() < endsMs); round++) {
    emptied()
    add('rsync -a', await timed(['rsync', '-a', `${dataDir}/`, `${url}/`]))
    emptied()
    add('rsync -a --fsync', await timed(['rsync', '-a', '--fsync', `${dataDir}/`, `${url}/`]))
    emptied()
    const shipped = await syncPass(folder, dataDir, { target: url, ...COLD })
    if (shipped.report.shippedFiles !== files) throw new Error(`shipped ${JSON.stringify(shipped.report)}`)
    add('edgetape: upload', shipped)
    const verified = await syncPass(folder, dataDir, { target: url, graceMinutes: 0 })
    if (verified.report.verifiedFiles !== files) throw new Error(`verified ${JSON.stringify(verified.report)}`)
    add('edgetape: verify', verified)
  }
  await stop()
  const table = plainTable([
    `${files.toLocaleString('en')} files, ${sizeText(bytes)}`,
    'seconds',
    'spread',
    'against rsync -a',
    'against --fsync',
    'on the wire',
    'goal',
  ])
  const secondsOf = (way: Way) => median((costs.get(way) ?? []).map(({ seconds }) => seconds))
  for (const [way, all] of costs) {
    const seconds = all.map(cost => cost.seconds)
    table.push([
      way,
      median(seconds).toFixed(1),
      `${Math.min(...seconds).toFixed(1)}–${Math.max(...seconds).toFixed(1)}`,
      (median(seconds) / secondsOf('rsync -a')).toFixed(2),
      (median(seconds) / secondsOf('rsync -a --fsync')).toFixed(2),
      sizeText(median(all.map(cost => cost.wireBytes))),
      way === 'edgetape: upload' ? '1.2' : '',
    ])
  }
  process.stdout.write(`${table.toString()}\n`)
}

async function benchNothingNew(folder: string, files: number): Promise<void> {
  const dataDir = join(folder, 'settled')
  const target = join(folder, 'settled-nas')
  // A target is marked by the dataDir that uses it.
  await syncPass(folder, dataDir, { target })
  writeTree(dataDir, files, () => 16)
  settleTree(dataDir, target)
  const table = plainTable([
    `nothing new, ${files.toLocaleString('en')} files`,
    'seconds',
    'CPU seconds',
    'peak memory',
    'goal',
  ])
  for (const name of ['first pass, reads all', 'second', 'third']) {
    const {
      report,
      seconds,
      cpuSeconds = 0,
      peakMiB = 0,
    } = await syncPass(folder, dataDir, { target, graceMinutes: 0 })
    if (report.plannedFiles !== 0 || report.error !== null) throw new Error(`not settled: ${JSON.stringify(report)}`)
    const goal = name.startsWith('first') ? '' : '2 s, 100 MB (95 MiB)'
    table.push([name, seconds.toFixed(2), cpuSeconds.toFixed(2), `${peakMiB.toFixed(0)} MiB`, goal])
  }
  process.stdout.write(`${table.toString()}\n`)
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
