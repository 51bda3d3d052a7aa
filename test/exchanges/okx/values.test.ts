import t from 'tap'
import { okxConfig } from '../../../exchanges/okx/config.js'
import { familyNamed } from '../../../exchanges/okx/families.js'
import { instrumentOf } from '../../../exchanges/okx/instruments.js'
import { planChannels } from '../../../exchanges/okx/plan.js'
import { START_MS } from '../../compactor/fixtures/segments.js'
import { askedDataset } from '../fixtures/asked-dataset.js'

const pushed = (channel: string, row: object) =>
  JSON.stringify({ arg: { channel, instId: 'instId' in row ? row.instId : '' }, data: [row] })
const TS = '1790439595500'

t.test('what is given only to a login or to those who trade much is not planned, and costs no other', t => {
  const swap = instrumentOf({ instType: 'SWAP', instId: 'BTC-USDT-SWAP', uly: 'BTC-USDT', state: 'live' })
  const plan = planChannels(swap ? [swap] : [], okxConfig.parse({ adapter: 'okx', name: 'okx' }))
  t.ok(plan.has('books.BTC-USDT-SWAP') && plan.has('bbo-tbt.BTC-USDT-SWAP'))
  t.notOk([...plan.keys()].some(channel => channel.includes('l2-tbt')))
  const channels = { perpetual: ['books-l2-tbt'] }
  t.throws(() => okxConfig.parse({ adapter: 'okx', name: 'okx', channels }), 'it cannot be asked for')
  t.ok(familyNamed('books-l2-tbt'), 'recordings of others have it')
  t.end()
})

t.test('liquidations are those that the exchange sends: nothing counts them as complete', t => {
  t.equal(familyNamed('liquidation-orders')?.coverage, undefined)
  t.end()
})

t.test('volumes of a day are coin: of derivatives volCcy24h, of spot vol24h', async t => {
  const ticker = (instId: string, instType: string) =>
    pushed('tickers', {
      ...{ instType, instId, last: '5', lastSz: '1', askPx: '6', askSz: '1', bidPx: '4', bidSz: '1', open24h: '5' },
      ...{ high24h: '5', low24h: '5', volCcy24h: '70', vol24h: '300', sodUtc0: '5', sodUtc8: '5', ts: TS },
    })
  const ask = await askedDataset(t, 'okx', { tickers: [ticker('BTC-USDT', 'SPOT'), ticker('BTC-USDT-SWAP', 'SWAP')] })
  t.same(await ask('SELECT kind, volume_24h_base, turnover_24h_quote FROM tickers_all ORDER BY kind'), [
    { kind: 'perpetual', volume_24h_base: 70, turnover_24h_quote: null },
    { kind: 'spot', volume_24h_base: 300, turnover_24h_quote: 70 },
  ])
})

t.test('empty texts are no values; a missing volatility is 0 and no volatility', async t => {
  const funding = { instType: 'SWAP', instId: 'BTC-USDT-SWAP', method: 'current_period', fundingRate: '0.0001' }
  const times = { fundingTime: '1790438400000', nextFundingTime: '1790467200000', nextFundingRate: '', ts: TS }
  const greeks = {
    delta: '1',
    deltaBS: '0.5',
    bidVol: '0',
    askVol: '0.6',
    markVol: '0.55',
    realVol: '',
    fwdPx: '84000',
  }
  const option = { instType: 'OPTION', instId: 'BTC-USD-261225-92000-C', uly: 'BTC-USD', ...greeks, ts: TS }
  const ask = await askedDataset(t, 'okx', {
    'funding-rate': [pushed('funding-rate', { ...funding, ...times })],
    'opt-summary': [JSON.stringify({ arg: { channel: 'opt-summary', instFamily: 'BTC-USD' }, data: [option] })],
  })
  t.same(await ask('SELECT "nextFundingRate" AS next, "fundingRate" AS now FROM okx.funding_rate'), [
    { next: null, now: 0.0001 },
  ])
  t.same(await ask("SELECT funding_interval_hours AS hours FROM tickers_all WHERE kind = 'perpetual'"), [{ hours: 8 }])
  t.same(await ask('SELECT "realVol", "bidVol" FROM okx.option_summary'), [{ realVol: null, bidVol: 0 }])
  t.same(await ask("SELECT bid_iv_fraction AS bid, ask_iv_fraction AS ask FROM tickers_all WHERE kind = 'option'"), [
    { bid: null, ask: 0.6 },
  ])
})

t.test('a contract whose size changed: sizes are turned into coin by the list of their time', async t => {
  const option = {
    instType: 'OPTION',
    instId: 'BTC-USD-261225-92000-C',
    instFamily: 'BTC-USD',
    uly: 'BTC-USD',
    ctVal: '1',
  }
  const list = (ctMult: string) => JSON.stringify({ code: '0', msg: '', data: [{ ...option, ctMult, state: 'live' }] })
  const trade = (tradeId: string, ms: number) =>
    pushed('trades', { instId: option.instId, tradeId, px: '0.05', sz: '10', side: 'buy', ts: String(ms), count: '1' })
  const ask = await askedDataset(t, 'okx', {
    instrument_list: [list('0.1'), list('0.01')],
    trades: [trade('1', START_MS - 1000), trade('2', START_MS + 1000)],
  })
  t.same(await ask('SELECT "tradeId"::INTEGER AS id, sz FROM okx.trades ORDER BY 1'), [
    { id: 1, sz: 10 },
    { id: 2, sz: 10 },
  ])
  t.same(await ask('SELECT amount_base FROM trades_all ORDER BY exchange_ts'), [
    { amount_base: 1 },
    { amount_base: 0.1 },
  ])
})

t.test('float dust of open interest is kept to its last digit', async t => {
  const row = (ts: string) =>
    pushed('open-interest', {
      ...{ instType: 'SWAP', instId: 'BTC-USDT-SWAP', oi: '2874486.99000000925', oiCcy: '28744.86', oiUsd: '2', ts },
    })
  const ask = await askedDataset(t, 'okx', { 'open-interest': [row(TS), row('1790439587500')] })
  const rows = await ask('SELECT oi, extra FROM okx.open_interest ORDER BY seq')
  t.equal(rows.length, 2, 'one of before is sent again')
  t.equal(rows[0]?.['oi'], 2874486.99000000925)
  t.match(rows[0]?.['extra'], /2874486\.99000000925/)
})
