import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decompress } from 'zstd-napi'
import { parseLineHead } from '../../recorder/segment-format.js'
import { STAMP_KEY } from './frames.js'

export interface Delays {
  frames: number
  p50Ms: number
  p99Ms: number
  p999Ms: number
}

/** Receive stamp minus the sender's, of every frame in the sealed segments of a folder that carries one. */
export function recordedDelays(dataDir: string, fromUs: number): Delays {
  const delays = readdirSync(join(dataDir, 'raw'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.jsonl.zst') && !entry.parentPath.includes('journal'))
    .flatMap(entry => delaysIn(decompress(readFileSync(join(entry.parentPath, entry.name))), fromUs))
    .sort((one, other) => one - other)
  const at = (share: number) => (delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? NaN) / 1000
  return { frames: delays.length, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) }
}

function delaysIn(lines: Buffer, fromUs: number): number[] {
  const delays: number[] = []
  for (let from = 0; from < lines.length;) {
    const end = lines.indexOf(10, from)
    const line = lines.toString('latin1', from, end)
    from = end + 1
    const recvUs = parseLineHead(line)?.recvUs ?? 0
    const stamp = line.indexOf(STAMP_KEY)
    if (stamp < 0 || recvUs < fromUs) continue
    delays.push(recvUs - Number(line.slice(stamp + STAMP_KEY.length, stamp + STAMP_KEY.length + 16)))
  }
  return delays
}
