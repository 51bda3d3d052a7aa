import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { execa } from 'execa'
import { lineHead } from '../../formats/raw-line.js'
import { localDisk } from '../../platform/disk.js'
import { packageRoot } from '../../platform/package-info.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { machine, spread } from '../machine.js'
import { benchFrames, payloadOf } from '../recorder/frames.js'
import type { BenchOptions } from '../recorder/main.js'

/** Quotes among 2,000 frames/s of the mix. */
const PER_SECOND = 1200
const STARTED_MS = Date.parse('2026-11-22T14:00:00Z')
const LINES_EACH = PER_SECOND / 10
const GOAL = 3

/** The last minute of one instrument, late in the hour, by the command, against decoding all of the table's open segment. */
export async function benchFresh({ rounds, quick = false }: BenchOptions): Promise<void> {
  const minutes = quick ? 20 : 50
  const folder = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  try {
    const file = writeHour(folder, minutes)
    const since = new Date(STARTED_MS + (minutes - 1) * 60_000).toISOString()
    const sql = `SELECT count(*) FROM quote WHERE instrument_name = 'BTC-25DEC26-80500-C' AND recv_ts >= TIMESTAMPTZ '${since}'`
    const seconds: { decode: number[]; ask: number[]; ratio: number[] } = { decode: [], ask: [], ratio: [] }
    for (let round = 0; round < rounds; round++) {
      const decode = await lap(() => decodeAll(file))
      const ask = await lap(() =>
        execa(process.execPath, [join(packageRoot, 'dist/cli/main.js'), 'query', '--path', folder, sql]),
      )
      seconds.decode.push(decode)
      seconds.ask.push(ask)
      seconds.ratio.push(ask / decode)
    }
    const ratio = spread(seconds.ratio, 2)
    const table = plainTable([`${minutes} min of quotes at ${PER_SECOND}/s, ${mb(file)} MB`, 's', 'ratio', ''])
    table.push(['zstd -dc of the open segment', spread(seconds.decode, 2).text, '', ''])
    const verdict = ratio.middle <= GOAL ? 'met' : 'NOT met'
    table.push(['query of the last minute', spread(seconds.ask, 2).text, ratio.text, `goal: <= ${GOAL}, ${verdict}`])
    process.stdout.write(`fresh rows, on ${machine()}\n${table.toString()}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const mb = (file: string) => (statSync(file).size / 1e6).toFixed(0)

/** The last zstd frame is not ended: it says so, behind all lines. */
const decodeAll = (file: string) =>
  execa('zstd', ['-dcq'], { inputFile: file, stdout: 'ignore', stderr: 'ignore', reject: false })

async function lap(action: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await action()
  return (performance.now() - from) / 1000
}

/** As a recorder leaves it at any moment. */
function writeHour(dataDir: string, minutes: number): string {
  const name = { exchange: 'deribit', channel: 'quote', startedMs: STARTED_MS, host: 'bench', run: 'r1', number: 1 }
  const writer = new SegmentWriter(localDisk, dataDir, name, Infinity, 10_000)
  const quotes = benchFrames('mix')
    .map(payloadOf)
    .filter(text => text.includes('"quote.'))
  const lines = minutes * 60 * PER_SECOND
  for (let n = 0; n < lines;) {
    const batch: string[] = []
    for (const end = n + LINES_EACH; n < end; n++) {
      const us = STARTED_MS * 1000 + Math.floor((n * 1e6) / PER_SECOND)
      batch.push(`${lineHead(us, 'd1', n + 1, 'frame')}${stamped(quotes[(n * 7) % quotes.length] ?? '', us, n)}}\n`)
    }
    const span = { firstRecvUs: STARTED_MS * 1000, lastRecvUs: STARTED_MS * 1000 }
    writer.append({ bytes: new Uint8Array(Buffer.from(batch.join(''))), frames: batch.length, ...span })
  }
  writer.close()
  return join(dataDir, writer.path)
}

/** With a time, and prices that move. */
const stamped = (quote: string, us: number, n: number) =>
  quote
    .replace(/"sent_us":\d+/, `"timestamp":${Math.floor(us / 1000)}`)
    .replace(/0\.(\d+)/g, (_, digits: string) => `0.${Number(digits) + (n % 97)}`)
