import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { packageRoot } from '../../platform/package-info.js'
import { readStatus } from '../../formats/status.js'
import { leanMemory, recorderMemory, recorderNodeFlags } from '../../supervisor/node-flags.js'
import type { Delays } from './delays.js'
import type { Shape } from './frames.js'

const START_WITHIN_MS = 30_000
const script = (path: string) => join(packageRoot, 'dist', path)

/** Runs a Node script, pinned to one processor where asked. */
export const node = (pinned: boolean, file: string, ...args: string[]) => nodeWith(leanMemory, pinned, file, ...args)

function nodeWith(memory: Readonly<Record<string, string>>, pinned: boolean, file: string, ...args: string[]) {
  const command = [...(pinned ? ['taskset', '-c', '1'] : []), process.execPath, file, ...args]
  const env = { ...memory, EDGETAPE_LOG: 'silent' }
  return execa({ stdin: 'ignore', stderr: 'ignore', env, reject: false })`${command}`
}

/** A folder with a config for a recorder of this sender. */
export interface Recording {
  dataDir: string
  configFile: string
  remove(): void
}

export function newRecording(): Recording {
  const folder = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  return {
    dataDir: join(folder, 'data'),
    configFile: join(folder, 'edgetape.yaml'),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

export async function startSender(shape: Shape, framesPerSecond: number): Promise<{ url: string; stop: () => void }> {
  const sender = node(false, script('bench/recorder/sender.js'), shape, String(framesPerSecond))
  const [line] = (await once(sender.stdout, 'data')) as [Buffer]
  return { url: `ws://127.0.0.1:${line.toString().trim()}/ws/api/v2`, stop: () => sender.kill('SIGKILL') }
}

/** Frames a second that a client takes which only counts. */
export async function count(shape: Shape, pinned: boolean, seconds: number): Promise<number> {
  const { url, stop } = await startSender(shape, 0)
  const { stdout } = await node(pinned, script('bench/recorder/counter.js'), url, String(seconds))
  stop()
  return Number(stdout)
}

/** How late a client stamps frames at a steady rate which does nothing else with them. */
export async function stampOnly(framesPerSecond: number, seconds: number): Promise<Delays> {
  const { url, stop } = await startSender('mix', framesPerSecond)
  const { stdout } = await node(false, script('bench/recorder/counter.js'), url, String(seconds), 'stamps')
  stop()
  return JSON.parse(stdout) as Delays
}

export interface Recorded {
  framesPerSecond: number
  /** Of one core, both threads together. */
  cpuPercent: number
  /** Resident size of the process at the end, and the largest since its start. */
  residentMiB: number
  peakMiB: number
  /** When measuring began, and when it was told to end, µs since the epoch. */
  fromUs: number
  endedUs: number
  /** The span that was measured, by the monotonic clock. */
  fromMonotonicUs: number
  toMonotonicUs: number
}

export interface RecordOptions {
  recording: Recording
  shape: Shape
  pinned: boolean
  /** 0: as fast as it goes. */
  framesPerSecond: number
  seconds: number
  /** How long it runs before, seconds; none: 2, in which all is compiled that runs flat out. */
  warmUp?: number
  /** Ends it as a service manager would, so that segments are sealed; else it is killed. */
  seal: boolean
  /** Span of a segment; none: as configs are. */
  rotateMinutes?: number
  /** Of Node, besides the recorder's own. */
  nodeFlags?: readonly string[]
}

/** What a real recorder process does for so long, after warming up. */
export async function record({ recording, seconds, warmUp = 2, ...options }: RecordOptions): Promise<Recorded> {
  const { url, stop } = await startSender(options.shape, options.framesPerSecond)
  const { dataDir, configFile } = recording
  const exchange = { name: 'deribit', url, currencies: ['BTC'] }
  const { rotateMinutes } = options
  const segments = rotateMinutes === undefined ? {} : { rotateMinutes }
  writeFileSync(configFile, JSON.stringify({ host: 'bench', dataDir, exchange, segments }))
  const flags = [...recorderNodeFlags, ...(options.nodeFlags ?? [])]
  const [flag, ...more] = [...flags, script('cli/main.js'), 'record', '--config', configFile]
  const recorder = nodeWith(recorderMemory, options.pinned, flag, ...more)
  await untilRecording(dataDir)
  await delay(1000 * warmUp)
  const before = sample(dataDir, recorder.pid)
  await delay(seconds * 1000)
  const after = sample(dataDir, recorder.pid)
  recorder.kill(options.seal ? 'SIGTERM' : 'SIGKILL')
  const endedUs = Date.now() * 1000
  await recorder
  stop()
  return {
    framesPerSecond: (1000 * (after.frames - before.frames)) / (after.framesAtMs - before.framesAtMs),
    cpuPercent: (100_000 * (after.cpuSeconds - before.cpuSeconds)) / (after.atMs - before.atMs),
    residentMiB: after.residentMiB,
    peakMiB: after.peakMiB,
    fromUs: before.fromUs,
    endedUs,
    fromMonotonicUs: before.monotonicUs,
    toMonotonicUs: after.monotonicUs,
  }
}

/** A start takes its time on a machine that is busy; rates are measured from the first frames on. */
async function untilRecording(dataDir: string): Promise<void> {
  const deadlineMs = performance.now() + START_WITHIN_MS
  while (!(Number(readStatus(dataDir, 'recorder')?.['frames']) > 100)) {
    if (performance.now() > deadlineMs) throw new Error(`no frames recorded within ${START_WITHIN_MS} ms`)
    await delay(50)
  }
}

/** User and system time of a process. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  // In ticks, 100 a second on Linux.
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function sample(dataDir: string, pid = 0) {
  const status = readStatus(dataDir, 'recorder') ?? {}
  const memory = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    atMs: performance.now(),
    monotonicUs: Number(process.hrtime.bigint() / 1000n),
    framesAtMs: Date.parse(String(status['written_at'])),
    frames: Number(status['frames']),
    cpuSeconds: cpuSecondsOf(pid),
    residentMiB: Number(/VmRSS:\s+(\d+)/.exec(memory)?.[1]) / 1024,
    peakMiB: Number(/VmHWM:\s+(\d+)/.exec(memory)?.[1]) / 1024,
    fromUs: Date.now() * 1000,
  }
}

/** Keeps a real compactor at work on what is sealed, again and again; `stop` gives the number of passes it ended. */
export function keepCompacting({ configFile }: Recording): { stop: () => Promise<number> } {
  let passes = 0
  let running: ReturnType<typeof node> | undefined
  const stopping = new AbortController()
  const isStopping = () => stopping.signal.aborted
  const loop = async () => {
    while (!isStopping()) {
      running = node(false, script('cli/main.js'), 'compact', '--once', '--rebuild', '--config', configFile)
      const { exitCode } = await running
      if (exitCode === 0) passes++
      else if (!isStopping()) throw new Error(`the compactor ended with ${exitCode ?? 'a signal'}`)
    }
  }
  const done = loop()
  return {
    stop: async () => {
      stopping.abort()
      running?.kill('SIGTERM')
      await done
      return passes
    },
  }
}
