import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { APPEND_LEVEL } from '../../platform/zstd.js'
import { ZstdFile } from '../../platform/zstd-file.js'
import { type Manifest, SEGMENT_FORMAT_VERSION } from '../../formats/manifest.js'
import { lineHead } from '../../formats/raw-line.js'
import { segmentPath, withState } from '../../formats/raw-path.js'
import { FAMILIES, type Family } from './families.js'

export const START_MS = Date.parse('2026-11-22T14:00:00Z')
const INSTRUMENTS = Array.from({ length: 200 }, (_, index) => `BTC-25DEC26-${40_000 + 500 * index}-C`)

/** Numbers that look random and are the same each time. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x80000000
}

/** Frames as the exchange sends them: prices that walk in ticks, a few instruments much busier than the rest. */
export function* frames(family: Family): Generator<string> {
  const random = numbersFrom(7)
  const prices = INSTRUMENTS.map((_, index) => 200 + index)
  for (let n = 1; ; n++) {
    const index = Math.floor(INSTRUMENTS.length * random() ** 3)
    const tick = (prices[index] ?? 0) + Math.round(4 * random() - 2)
    prices[index] = Math.max(5, tick)
    const context = { n, instrument: INSTRUMENTS[index] ?? '', price: tick / 2000, atMs: START_MS + n * 3, random }
    const data = FAMILIES[family].data(context)
    const channel = FAMILIES[family].channel(context.instrument)
    yield JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } })
  }
}

/** So many of them over and over: many lines in little time. */
function* repeatedFrames(family: Family, different: number): Generator<string> {
  const first: string[] = []
  for (const frame of frames(family)) {
    if (first.push(frame) >= different) break
  }
  for (;;) yield* first
}

/** Where it is and what it holds. */
export interface BenchSegment {
  /** Full path. */
  path: string
  frames: number
  bytesRaw: number
}

/**
 * Writes a sealed segment with its manifest below `dataDir`.
 * @param enough stops before the next line; told of lines and bytes so far
 * @param place when it begins, and its number
 * @param different how many frames there are before they repeat
 */
export function writeSegment(
  dataDir: string,
  family: Family,
  enough: (frames: number, bytes: number) => boolean,
  different = Infinity,
  { startedMs, number } = { startedMs: START_MS, number: 1 },
): BenchSegment {
  const name = { exchange: 'deribit', channel: family, startedMs, host: 'bench', run: 'r1', number }
  const path = join(dataDir, segmentPath(name, 'sealed'))
  mkdirSync(dirname(path), { recursive: true })
  const file = new ZstdFile(path, APPEND_LEVEL)
  let count = 0
  let bytesRaw = 0
  let batch = ''
  for (const frame of Number.isFinite(different) ? repeatedFrames(family, different) : frames(family)) {
    if (enough(count, bytesRaw)) break
    count++
    const line = `${lineHead((startedMs + count) * 1000, 'd1', count, 'frame')}${frame}}\n`
    bytesRaw += line.length
    batch += line
    if (batch.length < 1_000_000) continue
    file.write(Buffer.from(batch))
    batch = ''
  }
  file.write(Buffer.from(batch))
  file.end()
  file.close()
  const sealed = readFileSync(path)
  const manifest: Manifest = {
    format_version: SEGMENT_FORMAT_VERSION,
    edgetape: 'bench',
    ...name,
    frames: count,
    bytes_raw: bytesRaw,
    bytes_compressed: sealed.length,
    sha256: createHash('sha256').update(sealed).digest('hex'),
    first_recv_us: (startedMs + 1) * 1000,
    last_recv_us: (startedMs + count) * 1000,
    connections: { d1: { frames: count, first_seq: 1, last_seq: count } },
    gaps: [],
  }
  writeFileSync(withState(path, 'manifest'), JSON.stringify(manifest))
  return { path, frames: count, bytesRaw }
}
