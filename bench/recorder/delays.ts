import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decompress } from 'zstd-napi'
import { parseLineHead } from '../../formats/raw-line.js'
import { STAMP_KEY } from './frames.js'

export interface Delays {
  frames: number
  p50Ms: number
  p99Ms: number
  p999Ms: number
}

/** Of delays in µs, in any order. */
export function delaysOf(delaysUs: number[]): Delays {
  const delays = Float64Array.from(delaysUs).sort()
  const at = (share: number) => (delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? NaN) / 1000
  return { frames: delays.length, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) }
}

/** When a frame says that it was sent, µs since the epoch; undefined for one that does not. */
export function sentUs(frame: Buffer): number | undefined {
  const stamp = frame.indexOf(STAMP_KEY)
  if (stamp < 0) return undefined
  return Number(frame.toString('latin1', stamp + STAMP_KEY.length, stamp + STAMP_KEY.length + 16))
}

/** Receive stamp minus the sender's, of every frame in the sealed segments of a folder that carries one. */
export function recordedDelays(dataDir: string, fromUs: number): Delays {
  return delaysOf(
    readdirSync(join(dataDir, 'raw'), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name.endsWith('.jsonl.zst') && !entry.parentPath.includes('journal'))
      .flatMap(entry => delaysIn(decompress(readFileSync(join(entry.parentPath, entry.name))), fromUs)),
  )
}

function delaysIn(lines: Buffer, fromUs: number): number[] {
  const delays: number[] = []
  for (let from = 0; from < lines.length;) {
    const end = lines.indexOf(10, from)
    const line = lines.subarray(from, end)
    from = end + 1
    const recvUs = parseLineHead(line.toString('latin1', 0, 200))?.recvUs ?? 0
    const us = sentUs(line)
    if (us !== undefined && recvUs >= fromUs) delays.push(recvUs - us)
  }
  return delays
}
