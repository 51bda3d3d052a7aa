/** What the page shows of each exchange. */
import { join } from 'node:path'
import t from 'tap'
import { startSimulator as startBybit } from '../../exchanges/bybit/simulator/main.js'
import { startSimulator as startDeribit } from '../../exchanges/deribit/simulator/main.js'
import { startSimulator as startOkx } from '../../exchanges/okx/simulator/main.js'
import { frontsOf } from '../../exchanges/shown.js'
import { shownOf } from '../../exchanges/bybit/shown.js'
import { recorderStatus } from '../../formats/part-status.js'
import { readStatus } from '../../formats/status.js'
import { startRecorder, until } from '../fixtures/recorder-process.js'

const NOW_MS = Date.parse('2026-11-22T12:00:00Z')
const HOUR_MS = 3_600_000

t.test('the option at the money of those that end first, of the underlyings with most options', t => {
  const call = (name: string, hours: number) => ({
    instrument_name: name,
    expiration_timestamp: NOW_MS + hours * HOUR_MS,
  })
  const instruments = [
    ...['XRP-PERPETUAL', 'ETH-PERPETUAL', 'BTC-PERPETUAL'].map(name => call(name, Infinity)),
    ...[80_000, 90_000, 100_000].map(strike => call(`BTC-22NOV26-${strike}-C`, -4)),
    ...[80_000, 90_000, 100_000].map(strike => call(`BTC-23NOV26-${strike}-C`, 20)),
    ...[80_000, 90_000, 100_000].map(strike => call(`BTC-27NOV26-${strike}-C`, 120)),
    call('XRP-23NOV26-1d5-C', 20),
  ]
  const baseIn = (pattern: RegExp) => (instrument: (typeof instruments)[number]) =>
    pattern.exec(instrument.instrument_name)?.[1]
  const names = { baseOfPerpetual: baseIn(/^(\w+)-PERPETUAL$/), baseOfCall: baseIn(/^(\w+)-.*-C$/) }
  const fronts = (price?: number) => frontsOf(instruments, names, () => price, NOW_MS)
  t.same(fronts(97_000), [
    {
      base: 'BTC',
      price: 'BTC-PERPETUAL',
      option: { instrument: 'BTC-23NOV26-100000-C', name: 'BTC-23NOV26' },
    },
    { base: 'XRP', price: 'XRP-PERPETUAL', option: { instrument: 'XRP-23NOV26-1d5-C', name: 'XRP-23NOV26' } },
  ])
  t.equal(fronts()[0]?.option?.instrument, 'BTC-23NOV26-90000-C', 'before a price is known, the one in the middle')
  const perpetuals = frontsOf(instruments.slice(0, 3), names, () => undefined, NOW_MS)
  t.same(
    perpetuals.map(({ price }) => price),
    ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
  )
  t.end()
})

t.test('a frame that tells of a change alone leaves the rest as it was', t => {
  const instrument = { category: 'linear', symbol: 'BTCUSDT', kind: 'perpetual', instrument_name: 'BTCUSDT' } as const
  const more = { status: 'Trading', expiration_timestamp: undefined, creation_timestamp: undefined }
  const [ticker] = shownOf([{ ...instrument, ...more }], () => undefined, NOW_MS)
  const read = (data: object) => ticker?.read(Buffer.from(JSON.stringify({ topic: 'tickers.BTCUSDT', data })))
  t.same(read({ lastPrice: '90000.5', bid1Price: '90000', ask1Price: '' }), {
    price: 90_000.5,
    bid: 90_000,
    ask: undefined,
  })
  t.same(read({ fundingRate: '0.0001' }), { price: undefined, bid: undefined, ask: undefined })
  t.same(ticker?.read(Buffer.from('half a fr')), {})
  t.end()
})

t.test('price, spread and IV of the front expiry stand in the status of a recorder of each exchange', async t => {
  const few = { rate: 300, instruments: 16 }
  const folder = t.testdir({ deribit: {}, bybit: {}, okx: {} })
  const simulators = await Promise.all([startDeribit(few), startBybit(few), startOkx(few)])
  t.teardown(() => Promise.all(simulators.map(simulator => simulator.close())))
  const configs = [{ currencies: ['BTC'] }, { instruments: ['BTC*'] }, { instruments: ['BTC*'] }]
  await Promise.all(
    ['deribit', 'bybit', 'okx'].map(async (name, place) => {
      const exchange = { name, url: simulators[place]?.url, ...configs[place] }
      const { dataDir } = startRecorder(t, join(folder, name), exchange)
      const shown = () => recorderStatus.parse(readStatus(dataDir, 'recorder') ?? {}).shown
      const isWhole = (one: ReturnType<typeof shown>[number]) =>
        one.price !== undefined && one.bid !== undefined && one.ask !== undefined
      let seen: ReturnType<typeof shown> = []
      await until(name, () => {
        seen = shown()
        return seen.some(isWhole) && seen.some(({ iv }) => iv !== undefined)
      })
      const { price = 0, bid = 0, ask = 0, at = 0 } = seen.find(isWhole) ?? {}
      const { iv = 0 } = seen.find(one => one.iv !== undefined) ?? {}
      t.ok(bid < ask && Math.abs(price / bid - 1) < 0.05, `${name}: ${price} near ${bid} and ${ask}`)
      t.ok(iv > 5 && iv < 300, `${name}: an IV of ${iv} %`)
      t.ok(Math.abs(Date.now() - at) < 60_000, `${name}: of now`)
    }),
  )
})
