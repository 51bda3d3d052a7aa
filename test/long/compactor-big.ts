/** One segment of 10 GB of JSON lines (`EDGETAPE_BIG_GB` overrules): memory stays within its bound, what spilled is removed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { writeSegment } from '../../bench/compactor/lines.js'
import { hasErrno } from '../../platform/edge-error.js'
import { packageRoot } from '../../platform/package-info.js'
import { filesBelow } from '../compactor/fixtures/compacted.js'

const GB = Number(process.env['EDGETAPE_BIG_GB'] ?? 10)
/** Staged rows, those being sorted, the segment and its Parquet. */
const DISK_BYTES_PER_BYTE = 2
const MOST_MB = 400

t.setTimeout(GB * 400_000)

t.test(`a segment of ${GB} GB of lines`, async t => {
  const dataDir = t.testdir({})
  const { bavail, bsize } = statfsSync(dataDir)
  if (bavail * bsize < GB * 1e9 * DISK_BYTES_PER_BYTE) {
    t.fail(`${dataDir} has ${Math.round((bavail * bsize) / 1e9)} GB free, wanted ${GB * DISK_BYTES_PER_BYTE}`)
    return
  }
  const { path, frames, bytesRaw } = writeSegment(dataDir, 'ticker', (_, bytes) => bytes >= GB * 1e9, 50_000)
  t.comment(`${frames} lines, ${(bytesRaw / 1e9).toFixed(2)} GB, sealed ${(statSync(path).size / 1e6).toFixed(0)} MB`)
  const config = join(dataDir, 'edgetape.yaml')
  writeFileSync(config, `exchange: { name: deribit }\ndataDir: ${dataDir}\n`)

  const startedMs = performance.now()
  const args = [join(packageRoot, 'dist/cli/main.js'), 'compact', '--once', '--json', '--config', config]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let peakMb = 0
  let spilledBytes = 0
  const look = setInterval(() => {
    peakMb = Math.max(peakMb, peakMbOf(child.pid))
    spilledBytes = Math.max(spilledBytes, bytesBelow(join(dataDir, 'state/compactor/tmp')))
  }, 100)
  const said = text(child.stdout)
  const [code] = (await once(child, 'close')) as [number | null]
  clearInterval(look)
  const seconds = (performance.now() - startedMs) / 1000
  t.comment(
    `${seconds.toFixed(0)} s, ${Math.round(frames / seconds)} rows/s, peak ${peakMb.toFixed(0)} MB resident, ` +
      `at most ${(spilledBytes / 1e9).toFixed(2)} GB on disk meanwhile`,
  )
  t.equal(code, 0)
  t.match(JSON.parse(await said), { failed: 0, frames, rows: { ticker: frames }, quarantined: 0 })
  t.ok(peakMb > 0 && peakMb <= MOST_MB, `at most ${MOST_MB} MB`)
  t.ok(spilledBytes > 0, 'it does not fit into memory')
  t.same(filesBelow(join(dataDir, 'state/compactor/tmp')), [], 'nothing is left of it')
})

/** The greatest memory that a process had, MB; 0 once it is gone. */
function peakMbOf(pid: number | undefined): number {
  try {
    return (Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024) / 1e6
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return 0
    throw error
  }
}

function bytesBelow(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
      (sum, entry) => sum + (entry.isFile() ? sizeOf(join(entry.parentPath, entry.name)) : 0),
      0,
    )
  } catch (error) {
    // Folders come and go while it looks.
    if (hasErrno(error, 'ENOENT')) return 0
    throw error
  }
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0
