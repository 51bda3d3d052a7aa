import t from 'tap'
import { optionCoinsOf } from '../../../exchanges/bybit/instruments.js'
import { matcherOf } from '../../../exchanges/globs.js'
import { httpUrlOf } from '../../../exchanges/bybit/http.js'
import {
  categoryOfChannel,
  channelOf,
  expiryMsOf,
  familyOfChannel,
  isAbout,
  partitionIn,
  partitionOfInstrument,
  subjectOf,
  symbolOf,
} from '../../../exchanges/bybit/names.js'

t.test('one symbol is a pair and a perpetual: every name of theirs differs', t => {
  t.equal(channelOf('spot', 'publicTrade.BTCUSDT'), 'spot.publicTrade.BTCUSDT')
  t.equal(channelOf('linear', 'publicTrade.BTCUSDT'), 'publicTrade.BTCUSDT')
  t.equal(familyOfChannel('spot.publicTrade.BTCUSDT'), 'trades.spot')
  t.equal(familyOfChannel('publicTrade.BTCUSDT'), 'trades')
  t.same(partitionIn('BTCUSDT', 'trades.spot'), { kind: 'spot', currency: 'USDT' })
  t.same(partitionIn('BTCUSDT', 'trades'), { kind: 'perpetual', currency: 'USDT' })
  t.same(subjectOf('spot.tickers.BTCUSDT')?.kinds, ['spot'])
  t.same(subjectOf('tickers.BTCUSDT')?.kinds, ['perpetual'])
  t.same(partitionOfInstrument('spot.BTCUSDT'), { kind: 'spot', currency: 'USDT' })
  t.end()
})

t.test('kinds, currencies and categories of names', t => {
  const names = {
    BTCUSDT: ['perpetual', 'USDT', 'linear'],
    '1000PEPEUSDT': ['perpetual', 'USDT', 'linear'],
    BTCPERP: ['perpetual', 'USDC', 'linear'],
    'BTCUSDT-14AUG26': ['future', 'USDT', 'linear'],
    'BTC-24MAR23': ['future', 'USDC', 'linear'],
    BTCUSD: ['perpetual', 'BTC', 'inverse'],
    BTCUSDZ26: ['future', 'BTC', 'inverse'],
    'BTC-28JUN24-60000-P': ['option', 'USDC', 'option'],
    'BTC-25JUN27-106000-P-USDT': ['option', 'USDT', 'option'],
    'XRP-26DEC25-0.4-C': ['option', 'USDC', 'option'],
  }
  for (const [name, [kind, currency, category]] of Object.entries(names)) {
    t.same(partitionOfInstrument(name), { kind, currency }, name)
    t.equal(categoryOfChannel(`tickers.${name}`), category, name)
    t.equal(symbolOf(`orderbook.100.${name}`), name, name)
  }
  t.same(partitionIn('ETHBTC', 'book.spot'), { kind: 'spot', currency: 'BTC' })
  t.same(partitionIn('ARBUSDC', 'book.spot'), { kind: 'spot', currency: 'USDC' })
  t.same(partitionIn('SOLUSDT_SOL/USDT', 'book'), { kind: 'none', currency: 'OTHER' }, 'a spread')
  t.same(partitionIn('../../etc', 'book.spot'), { kind: 'none', currency: 'OTHER' })
  t.end()
})

t.test('families of topics', t => {
  const families = {
    'orderbook.1.BTCUSDT': 'quote',
    'orderbook.1000.BTCUSDT': 'book',
    'orderbook.25.BTC-25JUN27-106000-P-USDT': 'book',
    'orderbook.rpi.BTCUSDT': 'book_rpi',
    'spot.orderbook.full.BTCUSDT': 'book_full.spot',
    'kline.D.BTCUSDT': 'candles',
    'allLiquidation.BTCUSDT': 'liquidations',
    'insurance.USDT': 'insurance',
    'adlAlert.inverse': 'adl_alert',
    'spot.allLiquidation.BTCUSDT': 'other',
    'spot.insurance.USDT': 'other',
    'orderbook.full.BTCUSDT': 'book_full',
    'publicTrade.': 'other',
  }
  for (const [channel, family] of Object.entries(families)) t.equal(familyOfChannel(channel), family, channel)
  t.end()
})

t.test('trades of options come by coin', t => {
  const subject = subjectOf('publicTrade.BTC')
  t.same(subject, { family: 'trades', kinds: ['option'], name: undefined, whose: 'BTC' })
  t.equal(categoryOfChannel('publicTrade.BTC'), 'option')
  if (!subject) {
    t.end()
    return
  }
  t.ok(isAbout(subject, 'BTC-25JUN27-106000-P-USDT'))
  t.notOk(isAbout(subject, 'ETH-25JUN27-1000-P-USDT'))
  t.notOk(isAbout(subject, 'BTCUSDT'))
  t.end()
})

t.test('when instruments expire', t => {
  t.equal(expiryMsOf('tickers.BTCUSDT'), Infinity)
  t.equal(expiryMsOf('tickers.BTC-7AUG26'), Date.UTC(2026, 7, 7, 8))
  t.equal(expiryMsOf('tickers.XRP-26DEC25-0.4-C'), Date.UTC(2025, 11, 26, 8))
  t.equal(expiryMsOf('orderbook.1000.BTCUSDZ26'), Date.UTC(2026, 11, 25, 8), 'the last Friday of December')
  t.equal(expiryMsOf('spot.tickers.BTCUSDZ26'), Infinity)
  t.end()
})

t.test('which symbols a config asks for', t => {
  const isChosen = matcherOf(['BTC*', 'ETHUSDT'])
  t.same(['BTCUSDT', 'BTC-1JAN27-1-C', 'ETHUSDT', 'ETHUSDC', 'XBTC'].filter(isChosen), [
    'BTCUSDT',
    'BTC-1JAN27-1-C',
    'ETHUSDT',
  ])
  const coins = (...instruments: string[]) => optionCoinsOf({ instruments, optionCoins: ['BTC', 'ETH'] })
  t.same(coins('BTC*'), ['BTC'])
  t.same(coins('*'), ['BTC', 'ETH'])
  t.same(coins('BTC-*-C'), ['BTC'])
  t.same(coins('ETHUSDT'), [])
  t.end()
})

t.test('where methods are', t => {
  t.equal(httpUrlOf('wss://stream.bybit.com/v5/public', undefined), 'https://api.bybit.com')
  t.equal(httpUrlOf('wss://stream-testnet.bybit.com/v5/public', undefined), 'https://api-testnet.bybit.com')
  t.equal(httpUrlOf('wss://stream.bybit.eu/v5/public', undefined), 'https://api.bybit.eu')
  t.equal(httpUrlOf('ws://127.0.0.1:80/v5/public', undefined), 'http://127.0.0.1')
  t.equal(httpUrlOf('ws://127.0.0.1:80/v5/public', 'http://there'), 'http://there')
  t.end()
})
