import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { plainTable } from '../plain-table.js'
import { decodeSegment } from '../../formats/decode-segment.js'
import { packageRoot } from '../../platform/package-info.js'
import { machine, spread } from '../machine.js'
import { sentUs } from './delays.js'
import type { BenchOptions } from './main.js'
import { cpuSecondsOf, newRecording, node, record, startSender, type RecordOptions } from './processes.js'

const RATES = [2000, 20_000]
/** Seals come within the measurement. */
const ROTATE_MINUTES = 0.1
const STARTED_WITHIN_MS = 30_000

interface Race {
  /** CPU seconds for 1,000 frames. */
  cpu: number
  /** Sent and not in the files after `kill -9`, ms. */
  lostMs: number
  bytesEach: number
}

/** What others do with the same frames: CPU, bytes, and what a kill costs. */
export async function benchPeers({ rounds, seconds, warmUp, quick = false }: BenchOptions): Promise<void> {
  for (const rate of quick ? RATES.slice(0, 1) : RATES) {
    const course = { framesPerSecond: rate, seconds, warmUp }
    const found = new Map<string, Race[]>()
    const add = (name: string, race: Race) => found.set(name, [...(found.get(name) ?? []), race])
    for (let round = 0; round < rounds; round++) {
      add('edgetape, open segments', await raceOfOurs({ ...course, rotateMinutes: 60 }))
      add('edgetape, with its seals', await raceOfOurs({ ...course, rotateMinutes: ROTATE_MINUTES }))
      add('parse, check, append', await raceOfPeer('append', course))
      add('tardis-dev, JSON to a file', await raceOfPeer('tardis-dev', course))
    }
    const head = [`${rate.toLocaleString('en')} frames/s, mix`, 'CPU s per 1,000', 'lost by kill -9, ms', 'B a frame']
    const table = plainTable(head)
    for (const [name, races] of found)
      table.push([
        name,
        spread(
          races.map(({ cpu }) => cpu),
          4,
        ).text,
        spread(
          // The sender's clock and ours differ by less than a millisecond.
          races.map(({ lostMs }) => Math.max(0, lostMs)),
          0,
        ).text,
        spread(
          races.map(({ bytesEach }) => bytesEach),
          0,
        ).text,
      ])
    process.stdout.write(`against others, on ${machine()}\n${table.toString()}\n`)
  }
}

type Course = Required<Pick<RecordOptions, 'framesPerSecond' | 'seconds' | 'warmUp'>>

async function raceOfOurs(course: Course & Pick<RecordOptions, 'rotateMinutes'>): Promise<Race> {
  const recording = newRecording()
  try {
    const options = { recording, shape: 'mix', pinned: false, seal: false } as const
    const { cpuPercent, framesPerSecond, endedUs } = await record({ ...options, ...course })
    const files = filesBelow(join(recording.dataDir, 'raw')).filter(path => /\.zst(?:\.open)?$/.test(path))
    const lines = files.map(file => linesOf(file))
    const frames = lines.reduce((sum, each) => sum + each.frames, 0)
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
    const lastUs = Math.max(...lines.map(({ lastSentUs }) => lastSentUs))
    return { cpu: (cpuPercent * 10) / framesPerSecond, lostMs: (endedUs - lastUs) / 1000, bytesEach: bytes / frames }
  } finally {
    recording.remove()
  }
}

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

function linesOf(file: string): { frames: number; lastSentUs: number } {
  const parts: Buffer[] = []
  for (const { bytes } of decodeSegment(file)) parts.push(Buffer.from(bytes))
  return inText(Buffer.concat(parts))
}

function inText(text: Buffer): { frames: number; lastSentUs: number } {
  let frames = 0
  let lastSentUs = 0
  for (let from = 0, to = text.indexOf(10); to >= 0; from = to + 1, to = text.indexOf(10, from)) {
    frames++
    lastSentUs = Math.max(lastSentUs, sentUs(text.subarray(from, to)) ?? 0)
  }
  return { frames, lastSentUs }
}

async function raceOfPeer(way: 'append' | 'tardis-dev', { framesPerSecond, seconds, warmUp }: Course): Promise<Race> {
  const folder = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  const { url, stop } = await startSender('mix', framesPerSecond)
  try {
    const file = join(folder, 'frames.jsonl')
    const peer = node(false, join(packageRoot, 'dist/bench/recorder/peer.js'), way, url, file)
    let frames = 0
    peer.stdout.on('data', (text: Buffer) => (frames = Number(text.toString().trim().split('\n').at(-1))))
    const deadline = performance.now() + STARTED_WITHIN_MS
    while (frames < 100) {
      if (performance.now() > deadline) throw new Error(`${way}: no frames within ${STARTED_WITHIN_MS} ms`)
      await delay(50)
    }
    await delay(1000 * warmUp)
    const before = { frames, cpu: cpuSecondsOf(peer.pid ?? 0) }
    await delay(seconds * 1000)
    const after = { frames, cpu: cpuSecondsOf(peer.pid ?? 0) }
    peer.kill('SIGKILL')
    const endedUs = Date.now() * 1000
    await peer
    const { frames: stored, lastSentUs } = inText(readFileSync(file))
    return {
      cpu: (1000 * (after.cpu - before.cpu)) / (after.frames - before.frames),
      lostMs: (endedUs - lastSentUs) / 1000,
      bytesEach: statSync(file).size / stored,
    }
  } finally {
    stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
