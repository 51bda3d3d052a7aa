/** Of what each exchange is shown, and what is read of its frames, without a recorder. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseInstruments } from '../../exchanges/bybit/instruments.js'
import { shownOf as shownOfBybit } from '../../exchanges/bybit/shown.js'
import type { Instrument } from '../../exchanges/deribit/instruments.js'
import { shownOf as shownOfDeribit } from '../../exchanges/deribit/shown.js'
import { instrumentOf } from '../../exchanges/okx/instruments.js'
import { shownOf as shownOfOkx } from '../../exchanges/okx/shown.js'
import { frontsOf, numberIn } from '../../exchanges/shown.js'
import { holds } from '../fixtures/holds.js'

const NOW_MS = Date.UTC(2026, 10, 22, 12)
const END_MS = Date.UTC(2026, 10, 27, 8)
const bytes = (frame: unknown) => Buffer.from(JSON.stringify(frame))

const okx = (instType: string, instId: string, instFamily = '') => {
  const instrument = instrumentOf({
    instType,
    instId,
    instFamily,
    expTime: instType === 'OPTION' ? String(END_MS) : '',
  })
  if (!instrument) throw new Error(instId)
  return instrument
}

t.test('OKX: of a summary of many options the one at the money is read, of its own family alone', t => {
  const option = (family: string, strike: number, side = 'C') => okx('OPTION', `${family}-261127-${strike}-${side}`, family) // prettier-ignore
  const listed = [
    ...['BTC-USDT-SWAP', 'BTC-USD-SWAP', 'BTC-USD_UM-SWAP', 'ETH-USDT-SWAP'].map(name => okx('SWAP', name)),
    okx('SPOT', 'BTC-USDT'),
    ...[80_000, 90_000, 100_000].map(strike => option('BTC-USD_UM', strike)),
    option('BTC-USD_UM', 95_000, 'P'),
  ]
  const shown = shownOfOkx(listed, name => (name === 'BTC-USDT-SWAP' ? 94_000 : undefined), NOW_MS)
  t.same(shown.map(({ name, family }) => [name, family]), [['BTC-USDT-SWAP', 'tickers'], ['BTC-USD_UM-261127', 'opt-summary'], ['ETH-USDT-SWAP', 'tickers']]) // prettier-ignore
  const [ticker, summary] = shown
  const row = (instId: string, more: object) => ({ instId, ...more })
  const frame = bytes({
    arg: { channel: 'opt-summary', instFamily: 'BTC-USD_UM' },
    data: [80_000, 90_000, 100_000].map(strike => row(`BTC-USD_UM-261127-${strike}-C`, { markVol: `0.${strike / 10_000}` })), // prettier-ignore
  })
  t.same(summary?.read(frame), { iv: 90 }, 'a share of one is told in percent')
  t.ok(frame.includes(summary?.text ?? '-'))
  const others = { arg: { channel: 'opt-summary', instFamily: 'BTC-USD' }, data: [row('BTC-USD-261127-90000-C', {})] }
  t.notOk(bytes(others).includes(summary?.text ?? ''), 'another family is not looked at')
  t.same(summary?.read(bytes(others)), { iv: undefined })

  const prices = { last: '94000.1', bidPx: '94000', askPx: '' }
  const tickers = (instId: string) => bytes({ arg: { channel: 'tickers', instId }, data: [row(instId, prices)] })
  t.same(ticker?.read(tickers('BTC-USDT-SWAP')), { price: 94_000.1, bid: 94_000, ask: undefined })
  t.notOk(tickers('BTC-USDT').includes(ticker?.text ?? ''), 'a pair is no swap')
  t.same(ticker?.read(Buffer.from('{"arg":{"channel":"tickers","instId":"BTC-USDT-SWAP"')), {
    price: undefined,
    bid: undefined,
    ask: undefined,
  })
  t.end()
})

t.test('Deribit: prices of what is settled in its coin, and options of the same', t => {
  const listed = (name: string, kind: Instrument['kind'], more: object = {}): Instrument => {
    const [base = ''] = name.split(/[-_]/)
    return {
      ...{ instrument_name: name, kind, base_currency: base, settlement_currency: base, price_index: `${base}_usd` },
      ...more,
    }
  }
  const perpetual = { settlement_period: 'perpetual' }
  const ends = { expiration_timestamp: END_MS }
  const instruments = [
    listed('BTC_USDC-PERPETUAL', 'future', perpetual),
    listed('BTC-PERPETUAL', 'future', perpetual),
    listed('BTC-27NOV26', 'future', ends),
    ...['BTC-27NOV26-90000-C', 'BTC-27NOV26-90000-P', 'BTC_USDC-27NOV26-94000-C', 'BTC-27NOV26-100000-C'].map(name => listed(name, 'option', ends)), // prettier-ignore
  ]
  const shown = shownOfDeribit(instruments, () => 94_000, NOW_MS)
  t.same(shown.map(({ name, text }) => [name, text]), [['BTC-PERPETUAL', '"ticker.BTC-PERPETUAL.'], ['BTC-27NOV26', '"ticker.BTC-27NOV26-90000-C.']]) // prettier-ignore
  const frame = (data: unknown) => bytes({ jsonrpc: '2.0', method: 'subscription', params: { channel: 'ticker.x', data } }) // prettier-ignore
  const [price, option] = shown
  t.same(price?.read(frame({ last_price: 94_000.5, best_bid_price: 94_000, best_ask_price: 94_001, mark_iv: 3 })), {
    price: 94_000.5,
    bid: 94_000,
    ask: 94_001,
  })
  t.same(option?.read(frame({ last_price: 0.02, mark_iv: 55.5 })), { iv: 55.5 })
  for (const odd of [null, 7, 'text']) t.same(price?.read(frame(odd)), {}, `data that are ${JSON.stringify(odd)}`)
  t.same(price?.read(bytes({ error: 1 })), {})
  t.end()
})

t.test('Bybit: options of either settlement are one coin, and a share of one is told in percent', t => {
  const ends = { deliveryTime: String(END_MS) }
  const symbols = ['BTC-27NOV26-90000-C', 'BTC-27NOV26-94000-C-USDT', 'BTC-27NOV26-94000-P-USDT', 'BTC-27NOV26-98000-C']
  const instruments = [
    ...parseInstruments('linear', [{ symbol: 'BTCUSDT', contractType: 'LinearPerpetual' }, { symbol: 'BTCPERP' }]).instruments, // prettier-ignore
    ...parseInstruments('spot', [{ symbol: 'BTCUSDT' }]).instruments,
    ...parseInstruments('option', symbols.map(symbol => ({ symbol, ...ends }))).instruments, // prettier-ignore
  ]
  const shown = shownOfBybit(instruments, () => 94_100, NOW_MS)
  t.same(shown.map(({ name, text }) => [name, text]), [['BTCUSDT', '"tickers.BTCUSDT"'], ['BTC-27NOV26', '"tickers.BTC-27NOV26-94000-C-USDT"']]) // prettier-ignore
  t.same(shown[1]?.read(bytes({ topic: 'tickers.x', data: { markPriceIv: '0.5' } })), { iv: 50 })
  t.same(shown[1]?.read(bytes({ topic: 'tickers.x', data: { bid1Iv: '0.5' } })), { iv: undefined })
  t.end()
})

t.test(
  'whatever is listed, what is shown is listed, not over yet, of the first to end, and nearest to the price',
  t => {
    const call = fc.record({
      base: fc.constantFrom('BTC', 'ETH', 'SOL'),
      days: fc.integer({ min: -2, max: 4 }),
      strike: fc.constantFrom('0.4', '0d6', '1', '2', '10', '100', '90000'),
    })
    holds(
      t,
      fc.property(
        fc.array(call, { maxLength: 25 }),
        fc.option(fc.double({ min: 0.1, max: 1e5, noNaN: true })),
        (calls, price) => {
          const listed = calls.map(({ base, days, strike }) => ({
            instrument_name: `${base}-X${days + 2}-${strike}-C`,
            expiration_timestamp: NOW_MS + days * 86_400_000,
          }))
          const baseOf = ({ instrument_name: name }: { instrument_name: string }) => name.split('-')[0]
          const perpetuals = ['BTC-PERPETUAL', 'SOL-PERPETUAL'].map(name => ({ instrument_name: name }))
          const isPerpetual = ({ instrument_name: name }: { instrument_name: string }) => name.endsWith('-PERPETUAL')
          const names = {
            baseOfPerpetual: (one: { instrument_name: string }) => (isPerpetual(one) ? baseOf(one) : undefined),
            baseOfCall: (one: { instrument_name: string }) => (isPerpetual(one) ? undefined : baseOf(one)),
          }
          const fronts = frontsOf([...listed, ...perpetuals], names, () => price ?? undefined, NOW_MS)
          assert.ok(fronts.length <= 2)
          const strikeOf = (name: string) => Number(/-([^-]+)-C$/.exec(name)?.[1]?.replace('d', '.'))
          const open = (base: string) => listed.filter(one => baseOf(one) === base && one.expiration_timestamp > NOW_MS)
          for (const { base, price: shown, option } of fronts) {
            const own = open(base)
            assert.equal(option !== undefined, own.length > 0, base)
            assert.equal(shown, perpetuals.find(one => baseOf(one) === base)?.instrument_name)
            const firstMs = Math.min(...own.map(one => one.expiration_timestamp))
            const first = own.filter(one => one.expiration_timestamp === firstMs).map(one => one.instrument_name)
            if (!option) continue
            assert.ok(first.includes(option.instrument), option.instrument)
            assert.equal(option.name, option.instrument.split('-', 2).join('-'))
            const away = (name: string) => Math.abs(strikeOf(name) - (price ?? 0))
            if (price !== null && shown !== undefined)
              assert.equal(away(option.instrument), Math.min(...first.map(away)))
          }
          // Nobody who is left out has more options.
          const least = Math.min(...fronts.map(({ base }) => open(base).length))
          for (const base of ['BTC', 'SOL'])
            if (!fronts.some(one => one.base === base)) assert.ok(open(base).length <= least, base)
        },
      ),
      { numRuns: 300 },
    )
    t.end()
  },
)

t.test('a number is one that is finite, as a number or as text, and nothing else', t => {
  const numbers: [unknown, number | undefined][] = [
    ...([[1.5, 1.5], ['1.5', 1.5], ['-2e-3', -0.002], [0, 0], ['0', 0]] as [unknown, number][]), // prettier-ignore
    ...['', 'x', '1.5 BTC', 'Infinity', Infinity, NaN, null, undefined, {}, [], true].map((none): [unknown, undefined] => [none, undefined]), // prettier-ignore
  ]
  for (const [value, number] of numbers) t.equal(numberIn(value), number, String(value))
  t.end()
})
