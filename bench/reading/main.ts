import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { frameBatches, readFrameBatches, readFrames, type ReadOptions } from '../../reader/read-frames.js'
import type { Family } from '../compactor/families.js'
import { machine, spread } from '../machine.js'
import { makeRecording } from './recording.js'

const FAMILIES: readonly Family[] = ['quote', 'trades', 'ticker', 'book']
const FRAMES_OF_EACH = 100_000
const ROUNDS = 3

/** What a reader does with each frame. Returns something, so that nothing of it can be left out. */
const WAYS: readonly (readonly [name: string, read: (options: ReadOptions) => Promise<number>])[] = [
  ['batches, receive time only', options => eachOfBatches(options, ({ recvUs }) => recvUs)],
  ['batches, text', options => eachOfBatches(options, ({ text }) => text.length)],
  ['batches, text and channel', options => eachOfBatches(options, f => f.text.length + (f.channel?.length ?? 0))],
  ['one by one (for await), text', eachFrame],
  ['synchronous batches, text', eachOfSynchronous],
  ['batches, one channel of one family', options => eachOfBatches({ ...options, channels: [ONE] }, () => 1)],
  ['batches, each parsed as JSON', options => eachOfBatches(options, frame => (frame.json() === null ? 0 : 1))],
]
const ONE = 'quote.BTC-PERPETUAL'

type Look = (frame: { recvUs: number; text: string; channel: string | undefined; json(): unknown }) => number

/** How many frames a second `readFrames` gives, by what is asked of each. Takes about a minute. */
export async function benchReading(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-read-'))
  try {
    const { frames, bytes } = makeRecording(dataDir, FAMILIES, FRAMES_OF_EACH)
    const size = `${frames.toLocaleString('en')} frames of ${Math.round(bytes / frames)} bytes a line`
    const table = plainTable([`${size}, ${FAMILIES.length} families`, 'frames/s of a core', 'goal'])
    for (const [name, read] of WAYS) {
      const rates: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const before = process.cpuUsage()
        await read({ path: dataDir })
        const { user, system } = process.cpuUsage(before)
        rates.push(frames / ((user + system) / 1e6))
      }
      table.push([name, spread(rates, 0).text, name.endsWith('JSON') ? '' : '>= 300,000'])
    }
    process.stdout.write(`reading, on ${machine()}\n${table.toString()}\n`)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function eachOfBatches(options: ReadOptions, look: Look): Promise<number> {
  let sum = 0
  for await (const batch of readFrameBatches(options)) for (const frame of batch) sum += look(frame)
  return sum
}

async function eachFrame(options: ReadOptions): Promise<number> {
  let sum = 0
  for await (const frame of readFrames(options)) sum += frame.text.length
  return sum
}

function eachOfSynchronous(options: ReadOptions): Promise<number> {
  let sum = 0
  for (const batch of frameBatches(options)) for (const { text } of batch) sum += text.length
  return Promise.resolve(sum)
}
