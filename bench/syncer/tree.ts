import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { segmentPath, withState } from '../../formats/raw-path.js'
import { Random } from '../../simulator/market/random.js'

const CHANNELS = [
  'trades',
  'quote',
  'book',
  'ticker',
  'perpetual',
  'chart.trades',
  'deribit_price_index',
  'rpc',
  'sent',
  'journal',
]
const HOUR_MS = 3_600_000
const FIRST_MS = Date.parse('2026-09-01T00:00:00Z')

/** Sizes as hours of quiet and busy channels have them, bytes. */
const SIZES = [2_000, 5_000, 15_000, 40_000, 120_000, 400_000]

/**
 * Writes what a recorder and a compactor leave: half of the files segments and Parquet, half manifests.
 * @param bytesOf size of a data file
 * @returns bytes written
 */
export function writeTree(dataDir: string, files: number, bytesOf: (random: () => number) => number): number {
  const random = uniform()
  let bytes = 0
  const write = (path: string, content: Buffer | string) => {
    const full = join(dataDir, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, content)
    bytes += content.length
  }
  for (let number = 0, made = 0; made < files; number++) {
    const channel = CHANNELS[number % CHANNELS.length] ?? 'trades'
    const startedMs = FIRST_MS + Math.floor(number / CHANNELS.length) * HOUR_MS
    const facts = { exchange: 'deribit', channel, host: 'h', run: 'abc', number, startedMs }
    const path = segmentPath(facts, 'sealed')
    const content = noise(bytesOf(random), number)
    write(path, content)
    write(withState(path, 'manifest'), manifestOf(facts, content))
    const [date, hour] = [
      new Date(startedMs).toISOString().slice(0, 10),
      new Date(startedMs).toISOString().slice(11, 13),
    ]
    for (const currency of ['BTC', 'ETH']) {
      const folder = `parquet/exchange=deribit/table=${channel}/kind=option/currency=${currency}/date=${date}`
      write(`${folder}/${hour}-h-abc-${number}.parquet`, noise(bytesOf(random), number))
    }
    made += 4
  }
  return bytes
}

export const realistic = (random: () => number) => SIZES[Math.floor(random() * SIZES.length)] ?? 2000

function manifestOf(facts: { channel: string; number: number }, content: Buffer): string {
  const sha256 = createHash('sha256').update(content).digest('hex')
  return JSON.stringify({
    ...{ format_version: 1, edgetape: '0.1.0', exchange: 'deribit', host: 'h', run: 'abc' },
    ...{
      channel: facts.channel,
      number: facts.number,
      frames: 1,
      bytes_raw: 1,
      bytes_compressed: content.length,
      sha256,
    },
    ...{ first_recv_us: 1, last_recv_us: 1, connections: {}, gaps: [] },
  })
}

/** Bytes that no compression helps with, cheaply: a block of noise, marked by its number. */
const BLOCK = createBlock()
function noise(bytes: number, number: number): Buffer {
  const content = Buffer.alloc(Math.max(8, bytes), BLOCK)
  content.writeUInt32LE(number, 0)
  return content
}

function createBlock(): Buffer {
  const random = uniform()
  return Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(random() * 256)))
}

function uniform(): () => number {
  const random = new Random(7)
  return () => random.float()
}
