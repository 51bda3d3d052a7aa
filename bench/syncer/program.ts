import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../../platform/package-info.js'

/** What one run of a program took. */
export interface Cost {
  seconds: number
  /** Bytes that crossed the loopback interface meanwhile, both directions. */
  wireBytes: number
  /** Of the program itself; undefined where it is not ours. */
  cpuSeconds?: number
  peakMiB?: number
}

export async function timed(command: readonly string[]): Promise<Cost> {
  const before = loopbackBytes()
  const startedMs = performance.now()
  await execa({ stdio: 'ignore' })`${command}`
  return { seconds: (performance.now() - startedMs) / 1000, wireBytes: loopbackBytes() - before }
}

/** Tells at its end what the process took. */
const TELL = `data:text/javascript,process.on('exit',()=>{const u=process.resourceUsage();process.stderr.write('\\n'+JSON.stringify({cpu:(u.userCPUTime+u.systemCPUTime)/1e6,kib:u.maxRSS}))})`

/** One pass of the syncer as a program of its own. */
export async function syncPass(folder: string, dataDir: string, sync: object): Promise<Cost & { report: SyncReport }> {
  const config = join(folder, 'edgetape.yaml')
  const retention = { keepHours: 1e6, minFreeGiB: 0 }
  writeFileSync(config, JSON.stringify({ host: 'h', exchange: { name: 'deribit' }, dataDir, sync, retention }))
  const before = loopbackBytes()
  const startedMs = performance.now()
  const main = join(packageRoot, 'dist/cli/main.js')
  const { stdout, stderr } = await execa({
    env: { EDGETAPE_LOG: 'silent' },
  })`${process.execPath} --import ${TELL} ${main} sync --once --json --config ${config}`
  const seconds = (performance.now() - startedMs) / 1000
  const usage = JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}') as { cpu: number; kib: number }
  return {
    ...{ seconds, wireBytes: loopbackBytes() - before },
    ...{ cpuSeconds: usage.cpu, peakMiB: usage.kib / 1024 },
    report: JSON.parse(stdout) as SyncReport,
  }
}

interface SyncReport {
  shippedFiles: number
  verifiedFiles: number
  plannedFiles: number
  error: unknown
}

function loopbackBytes(): number {
  return Number(readFileSync('/sys/class/net/lo/statistics/tx_bytes', 'utf8'))
}
