import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../../../platform/package-info.js'
import type { Json } from '../../../../simulator/json.js'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient, type Fields } from './client.js'
import { matchAll } from '../../../fixtures/match-all.js'

const frames = join(packageRoot, '../shared/deribit/frames')
const skip = existsSync(frames) ? false : `no captured frames at ${frames}`

const simulator = await startSimulator({ instruments: 80, rate: 4_000, rawForAll: true, credits: false })
const client = await TestClient.connect(simulator.url)
t.teardown(async () => {
  client.close()
  await simulator.close()
})

interface Captured {
  params: { channel: string; data: Json }
}

function captured(file: string): Captured[] {
  const lines = readFileSync(join(frames, `${file}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map(line => JSON.parse(line) as Captured)
}

/** The newest real frame of a channel that matches. */
function real(file: string, channel: RegExp): Fields {
  const found = captured(file)
    .filter(({ params }) => channel.test(params.channel))
    .at(-1)
  if (!found) throw new Error(`no ${channel.source} in ${file}`)
  const { data } = found.params
  return (Array.isArray(data) ? (data as Json[])[0] : data) as Fields
}

async function simulated(channel: string): Promise<Fields> {
  await client.subscribe(channel)
  const data = await client.until<Json>(() => client.notifications.find(note => note.channel === channel)?.data)
  return (Array.isArray(data) ? (data as Json[])[0] : data) as Fields
}

/** A traded instrument of a kind and currency. */
function nameOf(kind: string, pattern: RegExp): string {
  const all = [...simulator.market.listings.values()].filter(({ instrument }) => instrument.kind === kind)
  const found = all.filter(({ name, lastPrice }) => pattern.test(name) && lastPrice !== undefined)
  return found[0]?.name ?? all.find(({ name }) => pattern.test(name))?.name ?? ''
}

const keys = (fields: Fields) => Object.keys(fields).sort()

t.test('frames have the keys of the real ones, family by family', { skip }, async t => {
  const option = nameOf('option', /^BTC-.*-C$/)
  const dated = nameOf('future', /^BTC-\d/)
  const cases: [string, RegExp, string][] = [
    ['book', /BTC-PERPETUAL\.100ms/, 'book.ETH-PERPETUAL.100ms'],
    ['book_grouped', /BTC-PERPETUAL/, 'book.BTC-PERPETUAL.none.10.100ms'],
    ['chart_trades', /BTC-PERPETUAL/, 'chart.trades.BTC-PERPETUAL.1'],
    ['incremental_ticker', /BTC-PERPETUAL/, 'incremental_ticker.BTC-PERPETUAL'],
    ['markprice_options', /btc_usd/, 'markprice.options.btc_usd'],
    ['perpetual', /BTC_USDC/, 'perpetual.BTC_USDC-PERPETUAL.100ms'],
    ['platform_state', /./, 'platform_state'],
    ['quote', /BTC-PERPETUAL/, 'quote.BTC-PERPETUAL'],
    ['ticker', /BTC-PERPETUAL\.100ms/, 'ticker.BTC-PERPETUAL.100ms'],
    ['ticker', /BTC-25DEC26\.100ms/, `ticker.${dated}.100ms`],
    ['ticker', /BTC-25DEC26-76000-C/, `ticker.${option}.100ms`],
    ['trades', /BTC-PERPETUAL\.100ms/, 'trades.BTC-PERPETUAL.100ms'],
  ]
  for (const [file, pattern, channel] of cases) {
    const wanted = real(file, pattern)
    let made = await simulated(channel)
    if (file === 'book')
      made = client.of(channel).find(({ type }) => type === wanted['type']) ?? (await nextOf(channel, wanted['type']))
    if (file === 'trades') made = await plainTrade(channel)
    const missing = keys(wanted).filter(key => !(key in made))
    t.strictSame(missing, [], `${channel}: nothing is missing`)
    const extra = keys(made).filter(key => !(key in wanted))
    // The captured frame of 2023 knew no notional; everything else must be known from a capture.
    t.strictSame(extra, [], `${channel}: nothing is invented`)
    if (isFields(wanted['greeks'])) t.strictSame(keys(made['greeks'] as Fields), keys(wanted['greeks']))
  }
})

async function nextOf(channel: string, type: Json | undefined): Promise<Fields> {
  return client.until(() => client.of(channel).find(frame => frame['type'] === type))
}

/** A trade that is neither block nor leg. */
async function plainTrade(channel: string): Promise<Fields> {
  return client.until(() => client.rows(channel).find(row => !('block_trade_id' in row) && !('combo_id' in row)))
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

t.test('combos: trade with legs, ticker with implied prices', { skip }, async t => {
  const name = nameOf('option_combo', /BTC-CS/)
  const wanted = real('trades', /BTC-CS/)
  await client.subscribe('trades.option_combo.BTC.raw')
  const made = await client.until(() => client.rows('trades.option_combo.BTC.raw')[0], 20_000)
  const starbase = ['starbase_match_id', 'starbase_timestamp']
  t.strictSame(
    keys(made).filter(key => !starbase.includes(key)),
    keys(wanted),
  )
  const leg = (row: Fields) => keys((row['legs'] as Fields[])[0] ?? {})
  t.strictSame(
    leg(made).filter(key => !starbase.includes(key)),
    leg(wanted),
  )
  const ticker = await simulated(`ticker.${name}.100ms`)
  t.match(ticker, { implied_bid: Number, implied_ask: Number, combo_state: 'active' })
})

t.test('REST answers have the keys of the captured ones', { skip }, async t => {
  const rest = (file: string) => {
    const [line = ''] = readFileSync(join(frames, `${file}.jsonl`), 'utf8').split('\n')
    return (JSON.parse(line) as { result: Json }).result
  }
  const book = await get(simulator.httpUrl, 'get_order_book', { instrument_name: 'BTC-PERPETUAL', depth: 20 })
  t.strictSame(keys(book as Fields), keys(rest('rest_get_order_book') as Fields))
  const span = { start_timestamp: 0, end_timestamp: Date.now(), resolution: '1' }
  const chart = await get(simulator.httpUrl, 'get_tradingview_chart_data', {
    instrument_name: 'BTC-PERPETUAL',
    ...span,
  })
  t.strictSame(keys(chart as Fields), keys(rest('rest_get_tradingview_chart_data') as Fields))
  const combos = (await get(simulator.httpUrl, 'get_combos', { currency: 'BTC' })) as Fields[]
  t.strictSame(keys(combos[0] ?? {}), keys((rest('rest_get_combos') as Fields[])[0] ?? {}))
  const trades = (await get(simulator.httpUrl, 'get_last_trades_by_instrument', {
    instrument_name: 'BTC-PERPETUAL',
  })) as Fields
  t.strictSame(keys(trades), ['has_more', 'trades'])
})

t.test('instruments have the fields of the contract', async t => {
  const all = (await get(simulator.httpUrl, 'get_instruments')) as Fields[]
  const perpetual = all.find(row => row['instrument_name'] === 'BTC-PERPETUAL') ?? {}
  // As captured on 2026-09-13.
  const wanted =
    'min_trade_amount block_trade_tick_size underlying_type instrument_id is_active price_index state base_currency_uuid ' +
    'block_trade_min_trade_amount taker_commission max_leverage base_currency settlement_currency contract_size kind ' +
    'max_non_default_leverage quote_currency_uuid future_type tick_size_steps expiration_timestamp instrument_name ' +
    'block_trade_commission creation_timestamp settlement_period index_id product_group max_liquidation_commission ' +
    'instrument_type counter_currency tick_size maker_commission quote_currency lot_size'
  t.strictSame(keys(perpetual), wanted.split(' ').sort())
  const option = all.find(row => row['kind'] === 'option' && row['currency'] !== 'USDC') ?? {}
  matchAll(t, option, {
    strike: Number,
    option_type: /call|put/,
    tick_size_steps: [{ tick_size: 0.0005, above_price: 0.005 }],
  })
  t.ok(
    all.some(row => /_USDC-\d+[A-Z]{3}\d\d-\dd\d+-[CP]$/.test(row['instrument_name'] as string)),
    'a decimal strike',
  )
  const spot = all.find(row => row['kind'] === 'spot') ?? {}
  t.notOk('settlement_currency' in spot || 'settlement_period' in spot)
  const expiries = all.map(row => Number(row['expiration_timestamp'])).filter(ms => ms < Date.UTC(2999, 0))
  t.ok(
    expiries.every(ms => ms % 86_400_000 === 8 * 3_600_000),
    'everything expires at 08:00 UTC',
  )
  t.equal(new Set(all.map(row => row['instrument_id'])).size, all.length)
})
