import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'
import { ChannelChoice } from '../../reader/channel-choice.js'
import { holds } from '../fixtures/holds.js'

/** Channels as each exchange may call them: what its families begin with, then whatever. */
const channel = fc
  .tuple(
    fc.constantFrom(...exchanges.filter(({ families }) => families.length > 0)),
    fc.nat(),
    fc.constantFrom('', 'spot.'),
    fc.constantFrom('', '1m', '5', '1Dutc'),
    fc.array(fc.constantFrom('BTC-PERPETUAL', 'BTC-USDT', 'BTCUSDT', '100ms', 'raw', '50', 'full', 'rpi', '1', 'any', 'none'), { maxLength: 3 }), // prettier-ignore
  )
  .map(([exchange, at, market, behind, more]) => {
    const { name, channelsBegin = name } = exchange.families[at % exchange.families.length] ?? { name: 'other' }
    return { exchange, channel: [`${market}${channelsBegin}${behind}`, ...more].join('.') }
  })

t.test('whatever beginning of a channel is asked for, the segments of its family are looked at', t => {
  holds(
    t,
    fc.property(channel, ({ exchange, channel }) => {
      const family = exchange.names.familyOfChannel(channel)
      const parts = channel.split('.')
      for (let count = 1; count <= parts.length; count++) {
        const asked = parts.slice(0, count).join('.')
        const choice = new ChannelChoice(['nothing.of.this', asked])
        assert.ok(choice.takes(channel), `${asked} is the beginning of ${channel}`)
        assert.ok(choice.mayHold(family), `${asked} may be in ${family} of ${exchange.name}`)
        assert.ok(!choice.takes(`${asked}x`), 'beginnings end at a dot')
      }
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test(
  'candles of OKX and books of Bybit were passed over: their families are called otherwise than their channels',
  t => {
    const okx = exchangeNamed('okx').names
    for (const asked of ['candle1m', 'candle1m.BTC-USDT', 'mark-price-candle1D', 'index-candle5m.BTC-USD']) {
      const family = okx.familyOfChannel(asked)
      t.not(family, 'other', asked)
      t.ok(new ChannelChoice([asked]).mayHold(family), `${asked} in ${family}`)
    }
    const bybit = exchangeNamed('bybit').names
    for (const [asked, channel] of [
      ['orderbook', 'orderbook.1.BTCUSDT'],
      ['orderbook', 'orderbook.full.BTCUSDT'],
      ['spot', 'spot.publicTrade.BTCUSDT'],
      ['spot.orderbook', 'spot.orderbook.rpi.BTCUSDT'],
      ['rfq', 'rfq.open.public.trades'],
    ] as const) {
      t.ok(new ChannelChoice([asked]).mayHold(bybit.familyOfChannel(channel)), `${asked} for ${channel}`)
      t.ok(new ChannelChoice([asked]).takes(channel))
    }
    t.end()
  },
)

t.test('segments that cannot hold what is asked for are not opened', t => {
  const choice = new ChannelChoice(['trades.BTC-PERPETUAL', 'quote'])
  t.ok(choice.mayHold('trades') && choice.mayHold('quote'))
  for (const family of ['ticker', 'book', 'journal', 'instruments', 'candle']) t.notOk(choice.mayHold(family), family)
  t.ok(choice.mayHold('other') && choice.mayHold('frames.mine'), 'of what no family knows, anything may be there')
  t.end()
})

t.test('a family takes all of its frames, also those that name no channel; a channel those that name it', t => {
  const family = new ChannelChoice(['trades'])
  t.ok(family.takesAllOf('trades'))
  t.notOk(family.takesAllOf('trade'))
  t.ok(new ChannelChoice(undefined).takesAllOf('anything'))
  t.ok(new ChannelChoice(undefined).takes('any.channel'))
  t.notOk(new ChannelChoice(['trades.BTC-PERPETUAL']).takesAllOf('trades'))
  t.notOk(new ChannelChoice(['trades']).takes(undefined), 'a frame of no channel names none')
  t.notOk(new ChannelChoice([]).mayHold('trades'), 'nothing is asked for')
  t.end()
})

t.test('what was answered of a channel stays so, though more channels come than are remembered', t => {
  const choice = new ChannelChoice(['trades.A'])
  for (let at = 0; at < 120_000; at++) choice.takes(`quote.${at}`)
  for (const [channel, taken] of [
    ['trades.A.raw', true],
    ['trades.AB', false],
    ['quote.5', false],
  ] as const)
    // prettier-ignore
    for (let again = 0; again < 2; again++) t.equal(choice.takes(channel), taken, channel)
  t.end()
})
