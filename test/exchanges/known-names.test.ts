import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { KnownChannels, hear } from '../../exchanges/known-channels.js'
import { framePartitions } from '../../exchanges/channel-partition.js'
import { bybit } from '../../exchanges/bybit/main.js'
import type { Exchange } from '../../exchanges/exchange.js'
import { okx } from '../../exchanges/okx/main.js'
import { deribit } from '../../exchanges/deribit/main.js'
import { exchanges } from '../../exchanges/registry.js'
import { holds } from '../fixtures/holds.js'

const heardBy = (
  channels: readonly string[],
  subjectOf: (channel: string) => { name: string | undefined } | undefined,
) => {
  const known = new KnownChannels(channel => ({ channel, family: 'x', isNews: false }))
  for (const channel of channels) hear(known.factsOf(channel), 1)
  for (const channel of channels) known.factsOf(`${channel}.silent`)
  const aboutOf = (channel: string) => subjectOf(channel)?.name
  return { heard: [...known.takeHeard(aboutOf)].sort(), again: known.takeHeard(aboutOf).size }
}

t.test('an instrument with a point in its name was never heard of: lists without it were believed', t => {
  const { heard, again } = heardBy(
    ['tickers.XRP-26DEC25-0.4-C', 'orderbook.50.BTCUSDT', 'publicTrade.BTC', 'system.status'],
    bybit.names.subjectOf,
  )
  t.same(heard, ['BTCUSDT', 'XRP-26DEC25-0.4-C'])
  t.equal(again, 0, 'since the last question nothing came')
  t.same(heardBy(['tickers.DOGE-USD-261225-0.15-P', 'status', 'opt-summary.BTC-USD'], okx.names.subjectOf).heard, [
    'DOGE-USD-261225-0.15-P',
  ])
  t.same(
    heardBy(['chart.trades.BTC-PERPETUAL.1', 'book.XRP_USDC-26DEC25-0d4-C.100ms'], deribit.names.subjectOf).heard,
    ['BTC-PERPETUAL', 'XRP_USDC-26DEC25-0d4-C'],
  )
  t.end()
})

t.test('pauses are measured between frames of a channel, and a late stamp is no step back', t => {
  const known = new KnownChannels(channel => ({ channel, family: 'x', isNews: false }))
  const facts = known.factsOf('a')
  t.equal(facts.lastUs, -Infinity, 'before its first frame')
  for (const recvUs of [100, 150, 900, 880, 950]) hear(facts, recvUs)
  t.match(facts, { frames: 5, lastUs: 950, pauseUs: 750, pausedUs: 150 })
  facts.pauseUs = 0
  hear(facts, 960)
  t.match(facts, { pauseUs: 10, pausedUs: 950 })
  t.end()
})

t.test('the partition of a frame is looked up once for each channel, and of currencies there are only so many', t => {
  let asked = 0
  const partitionOf = framePartitions(
    frame => (frame.length > 0 ? frame.toString() : undefined),
    channel => {
      asked++
      return channel.startsWith('none') ? undefined : { kind: 'spot', currency: channel }
    },
  )
  const of = (channel: string) => partitionOf(Buffer.from(channel), 'trades')
  t.equal(of(''), undefined)
  t.equal(of('none'), undefined)
  t.equal(of('none'), undefined)
  t.same(of('BTC'), { kind: 'spot', currency: 'BTC' })
  t.equal(of('BTC'), of('BTC'))
  t.equal(asked, 2)
  const currencies = new Set(Array.from({ length: 500 }, (_, at) => of(`C${at}`)?.currency))
  t.equal(currencies.size, 100, 'a hundred, of which one stands for all further ones')
  t.ok(currencies.has('OTHER'))
  t.same(of('BTC'), { kind: 'spot', currency: 'BTC' }, 'what was known stays')
  for (let at = 0; at < 60_000; at++) of(`D${at}`)
  t.same(of('BTC'), { kind: 'spot', currency: 'BTC' }, 'also after more channels than are remembered')
  t.end()
})

t.test('lines about an instrument are found by its name, whole: not by one that only begins or ends like it', t => {
  const found = (
    { frames: { instrumentText, spelledIn } }: Exchange,
    instrument: string,
    family: string,
    frame: object,
  ) => {
    const name = spelledIn ? spelledIn(instrument, family) : instrument
    if (name === undefined) return false
    return new RegExp(instrumentText?.(name.replaceAll('.', '\\.')) ?? '(?!)').test(JSON.stringify(frame))
  }
  const ticker = (symbol: string) => ({ topic: `tickers.${symbol}`, data: {} })
  for (const [instrument, family, frame, expected] of [
    ['BTCUSDT', 'ticker', ticker('BTCUSDT'), true],
    ['BTCUSDT', 'ticker', ticker('1000BTCUSDT'), false],
    ['BTCUSDT', 'ticker', ticker('BTCUSDT-26DEC25'), false],
    ['BTCUSDT', 'ticker.spot', ticker('BTCUSDT'), false],
    ['spot.BTCUSDT', 'ticker.spot', ticker('BTCUSDT'), true],
    ['spot.BTCUSDT', 'ticker', ticker('BTCUSDT'), false],
    ['XRP-26DEC25-0.4-C', 'ticker', ticker('XRP-26DEC25-0.4-C'), true],
    ['XRP-26DEC25-0.4-C', 'ticker', ticker('XRP-26DEC25-014-C'), false],
    ['BTCUSDT', 'funding_history', { result: { list: [{ symbol: 'BTCUSDT' }] } }, true],
    ['BTCUSDT', 'trades', { data: [{ s: 'ETHUSDT' }, { s: 'BTCUSDT' }] }, true],
  ] as const)
    t.equal(
      found(bybit as Exchange, instrument, family, frame),
      expected,
      `${instrument} in ${family}: ${JSON.stringify(frame)}`,
    )
  const row = (instId: string) => ({ arg: { channel: 'tickers', instId }, data: [{ instId }] })
  t.ok(found(okx, 'BTC-USDT', 'tickers', row('BTC-USDT')))
  t.notOk(found(okx, 'BTC-USDT', 'tickers', row('BTC-USDT-SWAP')))
  const answer = (id: string) => ({ id, result: [] })
  t.ok(found(deribit, 'BTC-PERPETUAL', 'trades', answer('trades BTC-PERPETUAL 5 9')))
  t.ok(found(deribit, 'BTC-PERPETUAL', 'funding_history', answer('funding_history BTC-PERPETUAL')))
  t.notOk(found(deribit, 'BTC', 'trades', answer('trades BTC-PERPETUAL 5 9')))
  t.end()
})

t.test('any text at all has a family of a fixed set, a partition that is fit for a path, and an end', t => {
  const heads = [
    'trades',
    'book',
    'publicTrade',
    'orderbook.50',
    'spot.tickers',
    'candle1m',
    'chart.trades',
    'kline.1',
    '',
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.tuple(fc.constantFrom(...heads), fc.string({ maxLength: 40 })).map(parts => parts.join('.')),
    fc.tuple(fc.constantFrom(...heads), fc.stringMatching(/^[A-Z0-9_.-]{0,40}$/)).map(parts => parts.join('.')),
  )
  holds(
    t,
    fc.property(text, text => {
      for (const { name, names, families } of exchanges) {
        const family = names.familyOfChannel(text)
        assert.ok(family === 'other' || families.some(known => known.name === family), `${name} ${family}`)
        const subject = names.subjectOf(text)
        const all = [
          names.partitionOfInstrument(text),
          ...(subject?.kinds.map(kind => ({ kind, currency: undefined })) ?? []),
          names.partitionOfChannel(text) ?? names.partitionOfInstrument(text),
        ]
        for (const { kind, currency = 'OTHER' } of all) {
          assert.match(kind, /^[a-z_]{1,20}$/)
          assert.match(currency, /^[A-Z0-9]{1,16}$/)
        }
        const endMs = names.expiryMsOf(text)
        assert.ok(endMs === Infinity || Number.isSafeInteger(endMs), `${endMs}`)
        names.isAbout({ family, kinds: ['option'], name: undefined }, text)
      }
    }),
    { numRuns: 1000 },
  )
  t.end()
})
