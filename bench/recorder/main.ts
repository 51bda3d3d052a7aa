import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Table from 'cli-table3'
import { execa } from 'execa'
import { once } from 'node:events'
import { packageRoot } from '../../platform/package-info.js'
import { readStatus } from '../../platform/status-file.js'

const SECONDS = 6
const WARM_UP_MS = 3000
const FRAME_BYTES = 300
const script = (path: string) => join(packageRoot, 'dist', path)

/** Runs a Node script, pinned to one processor where asked. */
function node(pinned: boolean, file: string, ...args: string[]) {
  const command = [...(pinned ? ['taskset', '-c', '1'] : []), process.execPath, file, ...args]
  return execa({ stdin: 'ignore', stderr: 'ignore', env: { EDGETAPE_LOG: 'silent' }, reject: false })`${command}`
}

/** Starts the sender and gives its port. */
async function startSender(framesPerSecond: number): Promise<{ port: string; stop: () => void }> {
  const sender = node(false, script('bench/recorder/sender.js'), String(FRAME_BYTES), String(framesPerSecond))
  const [line] = (await once(sender.stdout, 'data')) as [Buffer]
  return { port: line.toString().trim(), stop: () => sender.kill('SIGKILL') }
}

async function countedPerSecond(pinned: boolean): Promise<number> {
  const { port, stop } = await startSender(0)
  const { stdout } = await node(
    pinned,
    script('bench/recorder/counter.js'),
    `ws://127.0.0.1:${port}/ws/api/v2`,
    String(SECONDS),
  )
  stop()
  return Number(stdout)
}

interface Recorded {
  framesPerSecond: number
  /** Of one core. */
  cpuPercent: number
  peakMiB: number
}

async function recordedPerSecond(pinned: boolean, framesPerSecond: number): Promise<Recorded> {
  const { port, stop } = await startSender(framesPerSecond)
  const folder = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  const dataDir = join(folder, 'data')
  const config = join(folder, 'edgetape.yaml')
  writeFileSync(
    config,
    `host: bench\ndataDir: ${dataDir}\nexchange: { name: deribit, url: "ws://127.0.0.1:${port}/ws/api/v2", currencies: [BTC] }\n`,
  )
  const recorder = node(pinned, script('cli/main.js'), 'record', '--config', config)
  await delay(WARM_UP_MS)
  const before = sample(dataDir, recorder.pid)
  await delay(SECONDS * 1000)
  const after = sample(dataDir, recorder.pid)
  recorder.kill('SIGTERM')
  await recorder
  stop()
  rmSync(folder, { recursive: true })
  const seconds = (after.atMs - before.atMs) / 1000
  return {
    framesPerSecond: Math.round((after.frames - before.frames) / seconds),
    cpuPercent: (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds,
    peakMiB: after.peakMiB,
  }
}

function sample(
  dataDir: string,
  pid: number | undefined,
): { atMs: number; frames: number; cpuSeconds: number; peakMiB: number } {
  const status = readStatus(dataDir, 'recorder') ?? {}
  const fields =
    readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? []
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1]
  return {
    atMs: Date.parse(String(status['written_at'])),
    frames: Number(status['frames']),
    // Ticks of user and system time, 100 a second on Linux.
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    peakMiB: Number(peak) / 1024,
  }
}

/** Frames a second against a client that only counts, and what the recorder costs at an ordinary rate. */
export async function benchRecorder(): Promise<void> {
  const ratios = new Table({ head: ['frames of 300 B', 'counted/s', 'recorded/s', 'ratio', 'goal'] })
  for (const { name, pinned, goal } of [
    { name: 'both cores', pinned: false, goal: '0.50' },
    { name: 'pinned to one', pinned: true, goal: '0.35' },
  ]) {
    const counted = await countedPerSecond(pinned)
    const { framesPerSecond: recorded } = await recordedPerSecond(pinned, 0)
    ratios.push([
      name,
      counted.toLocaleString('en'),
      recorded.toLocaleString('en'),
      (recorded / counted).toFixed(2),
      goal,
    ])
  }
  const steady = await recordedPerSecond(false, 2000)
  const cost = new Table({ head: ['at 2,000 frames/s', 'measured', 'goal'] })
  cost.push(['frames/s recorded', steady.framesPerSecond.toLocaleString('en'), '2,000'])
  cost.push(['CPU of one core', `${steady.cpuPercent.toFixed(1)} %`, '<= 10 %'])
  cost.push(['peak memory', `${steady.peakMiB.toFixed(0)} MiB`, '<= 105 MiB (110 MB)'])
  process.stdout.write(
    `recorder, on ${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, ${SECONDS} s each\n`,
  )
  process.stdout.write(`${ratios.toString()}\n${cost.toString()}\n`)
}
