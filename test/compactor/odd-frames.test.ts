/** No frame keeps its segment from being converted, whatever an exchange sends among captured ones. */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { configSchema } from '../../config/schema.js'
import { exchanges } from '../../exchanges/registry.js'
import { encodingOf } from '../../recorder/storage/line-encoding.js'
import { capturedFiles, capturedFrames } from '../fixtures/captured-frames.js'
import { frameFiles, framesIn, needsFrames } from '../fixtures/exchange-frames.js'
import { oddFrames } from '../fixtures/odd-frames.js'
import { compactOnce, rowsOf } from './fixtures/compacted.js'
import { rawLine, rawLines, sealSegment } from './fixtures/segments.js'

const FRAMES = 600
/** Of each file. */
const LINES = 60
const LONGEST = 20_000

const isPushed = (file: string) => file.endsWith('.jsonl') && !/^(rest|client)_/.test(file)

function captured(t: Test, exchange: string): string[] | undefined {
  const deribit = exchange === 'deribit'
  const files = deribit ? capturedFiles(t) : needsFrames(t, exchange) ? frameFiles(exchange) : undefined
  return files?.filter(isPushed).flatMap(file => {
    const lines = deribit ? (capturedFrames(t, file) ?? []) : framesIn(exchange, file)
    return lines.slice(0, LINES).filter(line => line.length < LONGEST)
  })
}

for (const { name, frames, names } of exchanges)
  t.test(`odd frames of ${name}`, async t => {
    const all = captured(t, name)
    if (!all) return
    const seed = Date.now()
    t.comment(`seed ${seed}`)
    const byFamily = new Map<string, Buffer[]>()
    for (const [index, text] of fc.sample(oddFrames(all), { numRuns: FRAMES, seed }).entries()) {
      const frame = Buffer.from(text)
      const channel = frames.channelOf(frame, '')
      const family = channel === undefined ? 'rpc' : names.familyOfChannel(channel)
      byFamily.set(family, [...(byFamily.get(family) ?? []), rawLine(frame, index + 1, encodingOf(frame))])
    }
    const dataDir = t.testdir()
    for (const [number, [family, lines]] of [...byFamily].entries())
      sealSegment(dataDir, family, lines, { exchange: name, number: number + 1 })
    const config = configSchema.parse({ dataDir, exchange: { name } })
    t.match(await compactOnce(dataDir, { config }), { segments: byFamily.size, failed: 0, frames: FRAMES })
  })

const okx = (dataDir: string) => configSchema.parse({ dataDir, exchange: { name: 'okx' } })

t.test('a bar that DuckDB takes for no JSON goes to quarantine alone', async t => {
  const dataDir = t.testdir()
  const bar = (arg: string) =>
    `{"arg":{"channel":"candle1m","instId":"BTC-USDT"${arg}},"data":[["1795356000000","1","2","1","2","5","5","10","1"]]}`
  const frames = [bar(''), bar(String.raw`,"x":"\ud800"`), bar(',"x":1')]
  sealSegment(dataDir, 'candle', rawLines(frames), { exchange: 'okx' })
  t.match(await compactOnce(dataDir, { config: okx(dataDir) }), {
    failed: 0,
    quarantined: 1,
    rows: { candles: 2 },
  })
})

t.test('a row without instrument has its file beside those of the others', async t => {
  const dataDir = t.testdir()
  const quote = (arg: string) =>
    `{"arg":{"channel":"bbo-tbt"${arg}},"data":[{"asks":[["2","1","0","1"]],"bids":[["1","1","0","1"]],"ts":"1795356000000","seqId":1}]}`
  const frames = [',"instId":"BTC-USDT"', '', ',"instId":"BTC-USDT-SWAP"', ',"instId":null'].map(quote)
  sealSegment(dataDir, 'bbo-tbt', rawLines(frames), { exchange: 'okx' })
  t.match(await compactOnce(dataDir, { config: okx(dataDir) }), { failed: 0, quarantined: 0, rows: { quote: 4 } })
  const rows = await rowsOf(dataDir, 'quote', 'okx')
  t.same(
    rows.map(row => row['instrument_name']),
    ['BTC-USDT', null, 'BTC-USDT-SWAP', null],
  )
})
