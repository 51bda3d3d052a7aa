import t from 'tap'
import { deribitConfig } from '../../../exchanges/deribit/config.js'
import { familyOfChannel } from '../../../exchanges/deribit/names.js'
import { indexOf, parseInstruments, type Instrument } from '../../../exchanges/deribit/instruments.js'
import { notOfferedOf, planChannels } from '../../../exchanges/deribit/plan-channels.js'
import { openFeed } from '../../../exchanges/deribit/simulator/channels.js'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import { listedInstruments } from '../../fixtures/listed-instruments.js'
import { instrument, option, perpetual } from './fixtures/instruments.js'

const configOf = (over: object) => deribitConfig.parse({ name: 'deribit', ...over })

const NOTHING = { perpetual: [], future: [], option: [], spot: [], combo: [], index: [], exchange: [] }
const EVERYTHING = {
  perpetual: ['trades', 'quote', 'book', 'book_grouped', 'ticker', 'incremental_ticker', 'chart.trades', 'perpetual'],
  future: ['trades', 'quote', 'book', 'book_grouped', 'ticker', 'incremental_ticker', 'chart.trades'],
  option: ['trades', 'quote', 'book', 'book_grouped', 'ticker', 'incremental_ticker', 'chart.trades'],
  spot: ['trades', 'quote', 'book', 'book_grouped', 'ticker', 'incremental_ticker', 'chart.trades'],
  combo: ['trades', 'quote', 'book', 'ticker', 'incremental_ticker', 'chart.trades'],
  index: [
    'deribit_price_index',
    'deribit_price_ranking',
    'deribit_price_statistics',
    'deribit_volatility_index',
    'markprice.options',
    'estimated_expiration_price',
  ],
}

const spread = instrument('BTC-FS-25DEC26_PERP', 'future_combo')
const strangle = instrument('BTC-STRG-25DEC26-80000_90000', 'option_combo')

t.test('every family of every kind has a channel that the exchange takes', async t => {
  const exchange = await startSimulator({ rate: 10, instruments: 40 })
  t.teardown(() => exchange.close())
  const instruments = listedInstruments(exchange.market)
  for (const interval of ['100ms', 'agg2', 'raw']) {
    for (const tradesBy of ['currency', 'instrument']) {
      const config = configOf({
        currencies: ['any'],
        interval,
        tradesBy,
        channels: EVERYTHING,
        candleResolutions: [1, 60, '1D'],
      })
      const plan = [...planChannels(instruments, config).keys()]
      t.same(
        plan.filter(channel => !openFeed(channel, exchange.market)),
        [],
        `${interval}, by ${tradesBy}: none is unknown`,
      )
      const families = new Set(plan.map(familyOfChannel))
      t.equal(families.size, 19, `all families: ${[...families].join(' ')}`)
      t.notOk(families.has('other'))
      t.equal(
        plan.some(channel => channel.startsWith('trades.BTC-PERPETUAL.')),
        tradesBy === 'instrument',
      )
      t.ok(plan.includes('chart.trades.BTC-PERPETUAL.1D'))
      t.notOk(
        plan.some(channel => /^book\.[^.]+\.[^.]+\.[^.]+\.raw$/.test(channel)),
        'grouped books have no raw',
      )
    }
  }
  t.ok(new Set(instruments.map(indexOf)).size > 1)
})

t.test('an interval can differ by family', t => {
  const config = configOf({
    interval: 'agg2',
    intervals: { book: 'raw', perpetual: '100ms' },
    channels: { ...NOTHING, perpetual: ['book', 'ticker', 'perpetual', 'trades'] },
  })
  t.same([...planChannels([perpetual], config).keys()].sort(), [
    'book.BTC-PERPETUAL.raw',
    'perpetual.BTC-PERPETUAL.100ms',
    'ticker.BTC-PERPETUAL.agg2',
    'trades.BTC-PERPETUAL.agg2',
  ])
  t.end()
})

t.test('one sort of combo can differ from the other', t => {
  const config = configOf({ channels: { ...NOTHING, combo: ['quote'], futureCombo: ['ticker'] } })
  t.same(
    [...planChannels([spread, strangle], config).keys()],
    ['ticker.BTC-FS-25DEC26_PERP.100ms', 'quote.BTC-STRG-25DEC26-80000_90000'],
  )
  t.end()
})

t.test('by default each row of the wanted data has a channel', t => {
  const plan = [...planChannels([perpetual, option], configOf({})).keys()]
  const wanted = {
    'quotes of options': 'quote.BTC-25DEC26-90000-C',
    'trades of options': 'trades.option.BTC.100ms',
    'depth of options': 'book.BTC-25DEC26-90000-C.100ms',
    'IV and greeks of options': 'ticker.BTC-25DEC26-90000-C.100ms',
    'OHLCV of options': 'chart.trades.BTC-25DEC26-90000-C.1',
    'quotes of perpetuals': 'quote.BTC-PERPETUAL',
    'trades of perpetuals': 'trades.future.BTC.100ms',
    'depth of perpetuals': 'book.BTC-PERPETUAL.100ms',
    'OHLCV of perpetuals': 'chart.trades.BTC-PERPETUAL.1',
    'funding of perpetuals': 'perpetual.BTC-PERPETUAL.100ms',
    'the index every second': 'deribit_price_index.btc_usd',
    'new instruments': 'instrument.creation.any.any',
  }
  for (const [what, channel] of Object.entries(wanted)) t.ok(plan.includes(channel), what)
  t.end()
})

t.test('an instrument with a null member, or of an unknown kind, was not recorded', t => {
  const wire = (over: object) => ({
    instrument_name: 'BTC-25DEC26-90000-C',
    kind: 'option',
    base_currency: 'BTC',
    settlement_currency: 'BTC',
    price_index: 'btc_usd',
    is_active: true,
    ...over,
  })
  const planOf = (entry: object) => [...planChannels(parseInstruments([entry]).instruments, configOf({})).keys()]
  const whole = planOf(wire({}))
  t.ok(whole.includes('ticker.BTC-25DEC26-90000-C.100ms'))
  for (const member of ['price_index', 'is_active', 'settlement_currency', 'base_currency', 'kind'])
    t.same(planOf(wire({ [member]: null })), whole, `${member}: null`)
  t.same(planOf(wire({ kind: 'barrier_option' })), whole, 'the name says what it is')
  const strange = planOf(wire({ kind: 'swap', instrument_name: 'BTC-SWAP-A' }))
  t.ok(strange.includes('book.BTC-SWAP-A.100ms'), 'taken with what is understood')
  t.ok(strange.includes('trades.future.BTC.100ms'))
  const { oddKinds, nameless } = parseInstruments([wire({ kind: 'swap' }), { kind: 'option' }])
  t.same([...oddKinds], [['BTC-25DEC26-90000-C', 'swap']])
  t.same(nameless, ['{"kind":"option"}'])
  t.end()
})

t.test(
  'trades of spot pairs were asked for by a channel that is refused as soon as one pair is routed elsewhere',
  t => {
    const pair = (base: string, over: Partial<Instrument> = {}): Instrument => ({
      instrument_name: `${base}_USDC`,
      kind: 'spot',
      base_currency: base,
      quote_currency: 'USDC',
      ...over,
    })
    const pairs = [pair('BTC', { is_cbe_routed: true }), pair('ETH')]
    const config = configOf({
      currencies: ['USDC'],
      channels: { ...NOTHING, spot: ['trades', 'chart.trades', 'book'] },
    })
    t.same([...planChannels(pairs, config).keys()].sort(), [
      'book.BTC_USDC.100ms',
      'book.ETH_USDC.100ms',
      'chart.trades.ETH_USDC.1',
      'trades.ETH_USDC.100ms',
    ])
    t.same(notOfferedOf(pairs, config).channels, ['trades.BTC_USDC.100ms', 'chart.trades.BTC_USDC.1'])
    t.end()
  },
)
