import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { compress } from 'zstd-napi'
import type { Family } from '../compactor/families.js'
import { flushCost } from './flush-cost.js'
import { makeSealedTree } from './large-tree.js'
import { makeLines } from './made-lines.js'
import { recoverAll, writeOpen } from './store-runs.js'

/** Lines written in the first table; the middle of so many rounds is shown, with the least and the most. */
const LINES = 100_000
const ROUNDS = 3
const SEALED_FILES = 100_000

/** Speed and size of raw segments, what flushes cost, and the start beside many sealed files. Takes about two minutes. */
export async function benchSegments(): Promise<void> {
  const machine = `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`
  print(`segments, in ${tmpdir()}, on ${machine}`)
  for (const family of ['ticker', 'quote'] as const) await benchWriting(family)
  benchFlushes()
  await benchStart()
}

const print = (text: string) => process.stdout.write(`${text}\n`)
const inFolder = async <T>(work: (dataDir: string) => Promise<T>) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  try {
    return await work(dataDir)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function benchWriting(family: Family): Promise<void> {
  const made = makeLines(family, LINES, 500)
  const megabytes = made.bytes / 1e6
  const writes: number[] = []
  const recoveries: number[] = []
  let sealedBytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    await inFolder(async dataDir => {
      writes.push(1000 / (await writeOpen(dataDir, made)))
      const recovered = await recoverAll(dataDir, 1)
      recoveries.push(1000 / recovered.sealedMs)
      sealedBytes = recovered.sealedBytes
    })
  }
  const text = Buffer.concat(made.lines)
  const [level3, level9] = [3, 9].map(compressionLevel => compress(text, { compressionLevel }).length)
  const title = `${family}: ${LINES.toLocaleString('en')} lines, ${megabytes.toFixed(0)} MB`
  const table = plainTable([title, 'measured', 'goal'])
  table.push(['written, MB/s', spread(writes, megabytes), ''])
  table.push(['written, frames/s', spread(writes, LINES), ''])
  table.push(['recovered and sealed, MB/s', spread(recoveries, megabytes), ''])
  table.push(['sealed', `${(sealedBytes / 1e6).toFixed(2)} MB`, ''])
  table.push(['against zstd -3 of one file', ratio(sealedBytes, level3), ''])
  table.push(['against zstd -9 of one file', ratio(sealedBytes, level9), '<= 1.1'])
  print(table.toString())
}

/** Middle, least and most of rates. */
function spread(perSecond: number[], each: number): string {
  const sorted = perSecond.map(rate => Math.round(rate * each)).sort((a, b) => a - b)
  const [least = 0, middle = 0, most = 0] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)]
  return `${middle.toLocaleString('en')} (${least.toLocaleString('en')} to ${most.toLocaleString('en')})`
}

const ratio = (bytes: number, other = NaN) => (bytes / other).toFixed(3)

/** The same lines, flushed at three intervals. */
function benchFlushes(): void {
  const table = plainTable(['ticker channels', 'flush', 'CPU of one core', 'MB while open', 'MB sealed', 'open/sealed'])
  for (const { name, perSecond, seconds } of [
    { name: 'slow: 4 frames/s for an hour', perSecond: 4, seconds: 3600 },
    { name: 'busy: 400 frames/s for two minutes', perSecond: 400, seconds: 120 },
  ]) {
    const made = makeLines('ticker', perSecond * seconds, 1_000_000 / perSecond)
    for (const flushMs of [250, 1000, 5000]) {
      const linesPerFlush = Math.max(1, (perSecond * flushMs) / 1000)
      const { cpuPercent, openBytes, sealedBytes } = flushCost(made, linesPerFlush, seconds * 1000)
      const sizes = [openBytes, sealedBytes].map(bytes => (bytes / 1e6).toFixed(2))
      const times = (openBytes / sealedBytes).toFixed(2)
      table.push([name, `${flushMs} ms`, `${cpuPercent.toFixed(3)} %`, ...sizes, times])
    }
  }
  print(table.toString())
}

async function benchStart(): Promise<void> {
  await inFolder(async dataDir => {
    makeSealedTree(dataDir, SEALED_FILES)
    await writeOpen(dataDir, makeLines('ticker', 1000, 500))
    const { foundMs, sealedMs } = await recoverAll(dataDir, 1)
    const title = `start beside ${SEALED_FILES.toLocaleString('en')} sealed segments`
    const table = plainTable([title, 'measured', 'goal'])
    table.push(['until frames are taken', `${(foundMs / 1000).toFixed(2)} s`, '< 3 s'])
    table.push(['until what was open is sealed', `${(sealedMs / 1000).toFixed(2)} s`, '< 3 s'])
    print(table.toString())
  })
}
