import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HAND_OVER_MS } from '../../recorder/line-batch.js'
import { tailFrames } from '../../reader/tail/tail-frames.js'
import { machine } from '../machine.js'
import { plainTable } from '../plain-table.js'
import { delaysOf } from '../recorder/delays.js'
import type { BenchOptions } from '../recorder/main.js'
import { newRecording, record, type Recording } from '../recorder/processes.js'

const RATES = [200, 2000]
const ABOVE_FLUSH_MS = 200

/** How long after its receipt a frame is there for one who follows the recording in a process of its own. */
export async function benchTail({ seconds, warmUp }: BenchOptions): Promise<void> {
  const head = ['frames/s', 'frames', 'p50, ms', 'p99, ms', `goal: ${HAND_OVER_MS} + ${ABOVE_FLUSH_MS}`]
  const table = plainTable(head)
  for (const framesPerSecond of RATES) {
    const recording = newRecording()
    const following = new AbortController()
    const taking = follow(recording, following.signal)
    const rate = { framesPerSecond, seconds, warmUp }
    const { fromUs } = await record({ recording, shape: 'mix', pinned: false, seal: true, ...rate })
    following.abort()
    const { frames, p50Ms, p99Ms } = delaysOf(
      (await taking).filter(one => one.recvUs >= fromUs).map(one => one.delayUs),
    )
    const verdict = p99Ms <= HAND_OVER_MS + ABOVE_FLUSH_MS ? 'kept' : 'missed'
    table.push([framesPerSecond, frames, p50Ms.toFixed(0), p99Ms.toFixed(0), verdict])
    recording.remove()
  }
  process.stdout.write(`tail, on ${machine()}\n${table.toString()}\n`)
}

async function follow({ dataDir }: Recording, signal: AbortSignal): Promise<{ recvUs: number; delayUs: number }[]> {
  while (!existsSync(join(dataDir, 'raw'))) await delay(20)
  const taken: { recvUs: number; delayUs: number }[] = []
  for await (const { recvUs, conn } of tailFrames({ path: dataDir, signal }))
    if (/^d\d/.test(conn)) taken.push({ recvUs, delayUs: Date.now() * 1000 - recvUs })
  return taken
}
