import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runCompactor } from '../../compactor/main.js'
import { compactOnce, configFor, filesBelow, silent } from './fixtures/compacted.js'
import { rawLines, sealSegment } from './fixtures/segments.js'

const quote = (instrument: string, price = 1) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X","data":{"timestamp":1790133840887,"instrument_name":${JSON.stringify(instrument)},"best_bid_price":${price}}}}`

const instruments = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'BTC-25DEC26-60000-C', 'SOL_USDC-PERPETUAL']
const quotes = (count: number) =>
  Array.from({ length: count }, (_, index) => quote(instruments[index % instruments.length] ?? '', index))

t.test('one compactor per dataDir', async t => {
  const dataDir = t.testdir()
  const stop = new AbortController()
  const first = runCompactor({ config: configFor(dataDir), log: silent, once: false, signal: stop.signal })
  await t.rejects(compactOnce(dataDir), { code: 'LOCK_HELD' })
  stop.abort()
  await first
  t.match(await compactOnce(dataDir), { failed: 0 })
})

async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; !what(); waited += 20) {
    if (waited > 10_000) throw new Error('waited 10 s in vain')
    await sleep(20)
  }
}

t.test('it notices segments as they are sealed, by watching and by looking', async t => {
  for (const rescanMs of [60_000, 50]) {
    const dataDir = t.testdir()
    const stop = new AbortController()
    const running = runCompactor({
      config: configFor(dataDir),
      log: silent,
      once: false,
      signal: stop.signal,
      rescanMs,
    })
    const startedMs = rescanMs === 50 ? Date.parse('2020-01-02T03:04:05Z') : Date.now()
    for (const number of [1, 2]) {
      await sleep(300)
      sealSegment(dataDir, 'quote', rawLines(quotes(4)), { number, startedMs })
      await until(() => filesBelow(join(dataDir, 'parquet')).length === 4 * number)
    }
    stop.abort()
    t.match(await running, { segments: 2 }, rescanMs === 50 ? 'old dates, by looking' : 'today, by watching')
  }
})

t.test('stopping abandons the segment under way without trace', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'quote', rawLines(quotes(60_000)))
  const stop = new AbortController()
  const running = compactOnce(dataDir, { signal: stop.signal })
  await until(() => existsSync(join(dataDir, 'state/compactor/tmp/20261122T140000Z-vps-1-r1-1')))
  await sleep(150)
  stop.abort()
  t.match(await running, { segments: 0, failed: 0, backlog: 1 })
  t.same([...filesBelow(join(dataDir, 'parquet')), ...filesBelow(join(dataDir, 'state/compactor/tmp'))], [])
})
