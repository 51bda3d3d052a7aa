import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runCompactor } from '../../compactor/main.js'
import { Retries } from '../../compactor/retries.js'
import { realDisk } from '../../compactor/segment/publish.js'
import { readStatus } from '../../formats/status.js'
import { compactorStatus } from '../../formats/part-status.js'
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
  // At once: on a fast machine the segment is done within 150 ms.
  while (!existsSync(join(dataDir, 'state/compactor/tmp/20261122T140000Z_1h-vps-1-r1-1'))) await setImmediate()
  stop.abort()
  t.match(await running, { segments: 0, failed: 0, backlog: 1 })
  t.same([...filesBelow(join(dataDir, 'parquet')), ...filesBelow(join(dataDir, 'state/compactor/tmp'))], [])
})

t.test('one full disk left a segment until the next start, and nothing said so', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'quote', rawLines(quotes(4)))
  let isFull = true
  const disk = {
    ...realDisk,
    rename: async (...names: Parameters<typeof realDisk.rename>) => {
      if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      await realDisk.rename(...names)
    },
  }
  const stop = new AbortController()
  const options = { config: configFor(dataDir), log: silent, once: false, signal: stop.signal, disk }
  const running = runCompactor({ ...options, rescanMs: 20, retryAfterMs: 50 })
  const status = () => compactorStatus.parse(readStatus(dataDir, 'compactor') ?? {})
  await until(() => status().failed !== undefined && Number(status().failed) >= 2)
  t.match(status(), { backlog_segments: 1, failing: 1, last_error: /no space left/ }, 'told, and tried again')
  isFull = false
  await until(() => status().segments === 1)
  await until(() => status().failing === 0)
  t.match(status(), { backlog_segments: 0, failing: 0, last_error: undefined })
  stop.abort()
  t.match(await running, { segments: 1, failing: 0, lastError: undefined })
})

t.test('a day that could not be rolled up once kept its hours until the next start', async t => {
  const dataDir = t.testdir()
  for (const number of [1, 2]) sealSegment(dataDir, 'quote', rawLines(quotes(4)), { number })
  await compactOnce(dataDir)
  const files = () => filesBelow(join(dataDir, 'parquet'))
  const [spoilt = ''] = files()
  const whole = readFileSync(join(dataDir, 'parquet', spoilt))
  writeFileSync(join(dataDir, 'parquet', spoilt), 'not now')
  const stop = new AbortController()
  const options = { config: configFor(dataDir), log: silent, once: false, signal: stop.signal }
  const running = runCompactor({ ...options, rescanMs: 20, retryAfterMs: 50, nowMs: () => Date.parse('2026-11-30') })
  const status = () => compactorStatus.parse(readStatus(dataDir, 'compactor') ?? {})
  await until(() => (status().failing ?? 0) === 1)
  writeFileSync(join(dataDir, 'parquet', spoilt), whole)
  await until(() => files().every(path => path.includes('/day-')))
  await until(() => status().failing === 0)
  stop.abort()
  t.match(await running, { failing: 0 })
})

t.test('pauses before another try double up to an hour', t => {
  let nowMs = 0
  const retries = new Retries(60_000, () => nowMs)
  const pauses = Array.from({ length: 9 }, () => retries.failed('one', 'why') / 60_000)
  t.strictSame(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60])
  t.ok(retries.isPaused('one'))
  nowMs = 3_600_000
  t.notOk(retries.isPaused('one'))
  t.notOk(retries.isPaused('another'))
  t.equal(retries.lastError, 'why')
  retries.succeeded('one')
  t.equal(retries.size, 0)
  t.end()
})
