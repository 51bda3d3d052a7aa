import t, { type Test } from 'tap'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import { readyViews } from '../../../reader/query/ready-views.js'
import { totalVariance } from '../../../simulator/market/volatility-surface.js'
import type { ExpirySurface } from '../../../simulator/market/pricing.js'
import { compactOnce } from '../../compactor/fixtures/compacted.js'
import { framesTaken, startRecorder, until } from '../../fixtures/recorder-process.js'
import { matchAll } from '../../fixtures/match-all.js'
import { black76 } from '../../fixtures/black76.js'
import { jsonAsked, openSession, type Row } from '../../fixtures/open-session.js'

/**
 * A chain made from known parameters goes through a real socket, a recorder and the compactor; the views must give the
 * parameters back. What they may be off by is what two decimals of IV and straight lines between strikes cost.
 */
const YEAR_MS = 365 * 86_400_000
const channels = {
  option: ['trades', 'ticker', 'quote'],
  perpetual: ['ticker'],
  future: ['ticker'],
  spot: [],
  combo: [],
  index: ['deribit_price_index'],
}

const num = (value: unknown) => (typeof value === 'number' ? value : Number.NaN)
const ivOf = ({ slice, years }: ExpirySurface, k: number) => 100 * Math.sqrt(totalVariance(slice, k) / years)

/** IV of an expiry where the option of a side has this delta, by halving. */
function ivAtDelta(surface: ExpirySurface, call: boolean, delta: number): number {
  const { forward, years } = surface
  let [low, high] = [-3, 3]
  for (let step = 0; step < 60; step++) {
    const k = (low + high) / 2
    const found = black76({ forward, strike: forward * Math.exp(k), years, volatility: ivOf(surface, k) / 100, call })
    // Of a call it falls with the strike; that of a put, without its sign, rises.
    if (Math.abs(found.delta) > delta === call) low = k
    else high = k
  }
  return ivOf(surface, (low + high) / 2)
}

async function recorded(t: Test) {
  const simulator = await startSimulator({ isStill: true, instruments: 1000, rate: 600, newInstrumentEveryMs: 0 })
  t.teardown(() => simulator.close())
  const { market } = simulator
  const exchange = { url: simulator.url, currencies: ['BTC'], channels }
  const recorder = startRecorder(t, t.testdir(), exchange)
  const options = [...market.listings.values()].filter(
    ({ instrument }) => instrument.kind === 'option' && instrument.settle === 'BTC',
  )
  // Each has its first ticker, and then they come again.
  await until('tickers of all options', () => framesTaken(recorder, 'ticker') > 3 * options.length, 120_000)
  const beforeMs = market.nowMs
  await until('more of them', () => market.nowMs > beforeMs + 3000)
  simulator.faults.inject({ type: 'maintenance', forMs: 3000 })
  const cutMs = market.nowMs
  await until('the gap', () => simulator.connections() === 0)
  await until('it is back', () => market.nowMs > cutMs + 2500)
  const inGapMs = market.nowMs
  const taken = framesTaken(recorder, 'ticker')
  await until('tickers again', () => framesTaken(recorder, 'ticker') > taken + 2 * options.length, 120_000)
  const afterMs = market.nowMs
  await until('more of them again', () => market.nowMs > afterMs + 3000)
  recorder.process.kill('SIGTERM')
  await recorder.process
  await compactOnce(recorder.dataDir)
  return {
    dataDir: recorder.dataDir,
    market,
    options,
    atMs: beforeMs + 2500,
    inGapMs,
    afterMs: afterMs + 2500,
  }
}

t.test('views give the parameters of a recorded chain back', { timeout: 300_000 }, async t => {
  const { dataDir, market, options, atMs, inGapMs, afterMs } = await recorded(t)
  const session = await openSession(t, dataDir, text => t.comment(text))
  const ask = (sql: string) => jsonAsked(session, sql)
  const moment = (ms: number) => `'${new Date(ms).toISOString()}'`
  const at = `'1 minute', ${moment(atMs)}, ${moment(atMs)}, coin := 'BTC'`
  const surfaces = new Map<number, ExpirySurface>()
  for (const { instrument } of options) surfaces.set(instrument.expiryMs, market.pricing.surface(instrument, atMs))
  const truth = (row: Row): ExpirySurface => {
    const found = surfaces.get(num(row['expiry_ms']))
    if (!found) throw new Error(`no expiry ${String(row['expiry_ms'])}`)
    return found
  }
  /** Fails where any row is further off than `most`, and says how far the worst is. */
  const within = (t: Test, what: string, rows: readonly Row[], most: number, errorOf: (row: Row) => number) => {
    const worst = rows.reduce((worst, row) => Math.max(worst, errorOf(row)), 0)
    t.ok(
      rows.length > 0 && worst <= most,
      `${what}: ${rows.length} rows, at most ${worst.toPrecision(3)} off, allowed ${most}`,
    )
  }

  const byName = new Map(options.map(({ instrument }) => [instrument.name, instrument]))
  function optionNamed(row: Row) {
    const found = byName.get(String(row['instrument_name']))
    if (!found) throw new Error(`no ${String(row['instrument_name'])}`)
    return found
  }

  const chain =
    await ask(`SELECT *, epoch_ms(expiry_ts) AS expiry_ms, epoch_ms(ticker_ts) AS ticker_ms, epoch_ms(age) AS age_ms
    FROM option_chain_at(${at})`)
  const known = chain.filter(row => row['mark_iv_pct'] !== null)

  await t.test('each listed option once, with the state strictly before the moment', t => {
    t.equal(chain.length, options.length)
    t.same([...new Set(chain.map(row => row['covered']))], [true])
    t.equal(known.length, options.length)
    t.ok(known.every(row => num(row['age_ms']) > 0 && num(row['age_ms']) < 60_000))
    t.ok(known.every(row => row['pair'] === 'BTC' && row['currency'] === 'BTC' && row['price_unit'] === 'BTC'))
    t.end()
  })

  await t.test('IV of the surface, and greeks that Black-76 gives for it', t => {
    within(t, 'IV', known, 0.0051, row => {
      const { slice, years, forward } = market.pricing.surface(
        { ...optionNamed(row), expiryMs: num(row['expiry_ms']) },
        num(row['ticker_ms']),
      )
      const exact = 100 * Math.sqrt(totalVariance(slice, Math.log(num(row['strike']) / forward)) / years)
      return Math.abs(num(row['mark_iv_pct']) - Math.min(Math.max(exact, 5), 450))
    })
    const recomputed = (row: Row) =>
      black76({
        forward: num(row['underlying_price_usd']),
        strike: num(row['strike']),
        years: (num(row['expiry_ms']) - num(row['ticker_ms'])) / YEAR_MS,
        volatility: num(row['mark_iv_pct']) / 100,
        call: row['option_type'] === 'call',
      })
    // Two decimals of IV move a delta by up to 0.0002 in the last hours of an option; five decimals of the greeks the rest.
    within(t, 'delta', known, 3e-4, row => Math.abs(recomputed(row).delta - num(row['delta'])))
    within(t, 'gamma', known, 6e-6, row => Math.abs(recomputed(row).gamma - num(row['gamma_per_usd'])))
    within(t, 'vega, USD', known, 0.03, row => Math.abs(recomputed(row).vega - num(row['vega_usd_per_point'])))
    within(
      t,
      'theta, part of it',
      known,
      2e-3,
      row =>
        Math.abs(recomputed(row).theta - num(row['theta_usd_per_day'])) / (1 + Math.abs(num(row['theta_usd_per_day']))),
    )
    t.end()
  })
  // On their last day the strikes are far apart for what may still happen: a straight line between two misses the smile.
  const isWide = (row: Row) => num(row['expiry_ms']) - atMs > 86_400_000
  const ms = (view: string) => `SELECT *, epoch_ms(expiry_ts) AS expiry_ms FROM ${view}(${at})`

  await t.test('at the money', async t => {
    const rows = await ask(ms('atm_volatility'))
    t.equal(rows.length, surfaces.size)
    const quoted = rows.filter(row => num(row['strikes_quoted']) >= 6 && isWide(row))
    t.ok(quoted.length >= surfaces.size - 2)
    within(t, 'ATM, points of IV', quoted, 0.1, row => Math.abs(num(row['atm_mark_iv_pct']) - ivOf(truth(row), 0)))
    t.ok(quoted.every(row => !(num(row['atm_bid_iv_pct']) > num(row['atm_ask_iv_pct']))))
  })

  await t.test('risk reversal and butterfly', async t => {
    const rows = (await ask(ms('skew'))).filter(row => row['expiry_ts'] !== null)
    const wings = (row: Row, delta: number) =>
      [ivAtDelta(truth(row), true, delta), ivAtDelta(truth(row), false, delta)] as const
    for (const [delta, reversal, butterfly] of [
      [0.25, 0.1, 0.3],
      [0.1, 0.3, 0.3],
    ] as const) {
      const name = String(delta * 100)
      const here = rows.filter(row => row[`rr_${name}_pct`] !== null && isWide(row))
      t.ok(here.length >= 4, `${here.length} expiries reach ${name} delta`)
      within(t, `RR ${name}, points of IV`, here, reversal, row => {
        const [call, put] = wings(row, delta)
        t.equal(row[`put_skew_${name}_pct`], -num(row[`rr_${name}_pct`]))
        return Math.abs(num(row[`rr_${name}_pct`]) - (call - put))
      })
      within(t, `BF ${name}, points of IV`, here, butterfly, row => {
        const [call, put] = wings(row, delta)
        return Math.abs(num(row[`bf_${name}_pct`]) - ((call + put) / 2 - ivOf(truth(row), 0)))
      })
    }
    t.ok(rows.filter(row => num(row['rr_25_pct']) < 0).length > rows.length / 2, 'puts are dearer')
  })

  await t.test('constant maturities and forward volatility', async t => {
    const rows = await ask(`SELECT *, epoch_ms(near_expiry_ts) AS near_ms, epoch_ms(far_expiry_ts) AS far_ms
      FROM term_structure(${at}, tenors := '0.01,7,30,90,3650')`)
    t.equal(rows.length, 5)
    const [first, ...others] = rows
    const last = others.pop()
    matchAll(
      t,
      [first, last],
      [{ atm_mark_iv_pct: null }, { atm_mark_iv_pct: null }],
      'nothing is made up beyond the ends',
    )
    const w = (expiryMs: unknown) => totalVariance(truth({ expiry_ms: expiryMs }).slice, 0)
    const years = (expiryMs: unknown) => truth({ expiry_ms: expiryMs }).years
    within(t, 'forward volatility, points of IV', others, 0.5, row => {
      const [near, far] = [row['near_ms'], row['far_ms']]
      const exact = 100 * Math.sqrt((w(far) - w(near)) / (years(far) - years(near)))
      return Math.abs(num(row['forward_iv_pct']) - exact)
    })
    within(t, 'tenor, points of IV', others, 0.15, row => {
      const [near, far] = [row['near_ms'], row['far_ms']]
      const tenor = num(row['tenor_days']) / 365
      const part = (tenor - years(near)) / (years(far) - years(near))
      return Math.abs(num(row['atm_mark_iv_pct']) - 100 * Math.sqrt((w(near) + part * (w(far) - w(near))) / tenor))
    })
    const surface = await ask(`FROM delta_surface(${at}, tenors := '30') WHERE delta_pct = 25`)
    t.equal(surface.length, 2)
  })

  await t.test('open interest, gamma, walls, pain, parity', async t => {
    const interest = new Map(known.map(row => [String(row['instrument_name']), num(row['open_interest_coin'])]))
    const total = [...interest.values()].reduce((sum, value) => sum + value, 0)
    const [whole] = await ask(`FROM open_interest(${at}, per := 'none')`)
    t.ok(Math.abs(num(whole?.['open_interest_coin']) / total - 1) < 1e-9)
    t.match(whole, { options_listed: options.length, options_known: options.length, covered: true, expiry_ts: null })
    const ratio = await ask(`FROM put_call(${at}) WHERE expiry_ts IS NULL`)
    const puts = known
      .filter(row => row['option_type'] === 'put')
      .reduce((sum, row) => sum + num(row['open_interest_coin']), 0)
    t.ok(Math.abs(num(ratio[0]?.['put_call_open_interest']) - puts / (total - puts)) < 1e-9)

    const exactGamma = (row: Row) => {
      const surface = market.pricing.surface(optionNamed(row), num(row['ticker_ms']))
      const { forward, years } = surface
      const strike = num(row['strike'])
      const volatility = ivOf(surface, Math.log(strike / forward)) / 100
      const call = row['option_type'] === 'call'
      return (call ? 1 : -1) * black76({ forward, strike, years, volatility, call }).gamma * forward * forward * 0.01
    }
    const exposure = await ask(`SELECT *, epoch_ms(expiry_ts) AS expiry_ms FROM gamma_exposure(${at})`)
    const gross = known.reduce((sum, row) => sum + Math.abs(exactGamma(row)) * num(row['open_interest_coin']), 0)
    const exact = known.reduce((sum, row) => sum + exactGamma(row) * num(row['open_interest_coin']), 0)
    const sum = exposure.find(row => row['expiry_ts'] === null)
    const off = Math.abs(num(sum?.['gex_naive_usd_per_1pct']) - exact) / gross
    t.ok(off < 0.001, `gamma exposure ${off.toPrecision(2)} of the gross off, allowed 0.001`)
    const roundedOff = Math.abs(num(sum?.['gex_naive_rounded_usd_per_1pct']) - exact) / gross
    t.ok(
      roundedOff < 0.05,
      `with the exchange's gamma, rounded to 0.00001, ${roundedOff.toPrecision(2)} off, allowed 0.05`,
    )
    t.ok(num(sum?.['call_wall_strike']) > 0 && num(sum?.['put_wall_strike']) > 0)
    const delta = known.reduce((sum, row) => sum + num(row['delta']) * num(row['open_interest_coin']), 0)
    t.ok(Math.abs(num(sum?.['delta_exposure_coin']) - delta) < 1e-6 * total)
    const [flip] = await ask(`FROM gamma_flip(${at})`)
    t.ok(flip && (flip['flip_price_usd'] === null || num(flip['flip_price_usd']) > 0))

    const pains = await ask(ms('max_pain'))
    t.equal(pains.length, surfaces.size)
    for (const row of pains) {
      const own = known.filter(option => option['expiry_ms'] === row['expiry_ms'])
      const payout = (price: number) =>
        own.reduce((sum, option) => {
          const above = (option['option_type'] === 'call' ? 1 : -1) * (price - num(option['strike']))
          return sum + Math.max(above, 0) * num(option['open_interest_coin'])
        }, 0)
      const least = Math.min(...own.map(option => payout(num(option['strike']))))
      t.ok(Math.abs(payout(num(row['max_pain_strike_usd'])) - least) <= least * 1e-9, 'nowhere less')
      t.ok(Math.abs(num(row['payout_usd']) - least) <= least * 1e-9)
    }
    const parities = await ask(`FROM parity(${at})`)
    t.equal(parities.length, options.length / 2)
    within(t, 'parity of marks, coins', parities, 3e-4, row => Math.abs(num(row['parity_mark_coin'])))
    const yields = await ask(`FROM option_yields(${at}) WHERE covered_call_yearly_pct > 0 AND strike > 0`)
    within(t, 'covered calls, part', yields, 1e-9, row => {
      const chained = chain.find(option => option['instrument_name'] === row['instrument_name'])
      const premium = num(chained?.['bid_price']) * num(chained?.['index_price_usd'])
      const minutes = num(chained?.['days']) * 1440
      const exact = (100 * premium * 525_600) / (num(chained?.['index_price_usd']) - premium) / minutes
      return Math.abs(num(row['covered_call_yearly_pct']) / exact - 1)
    })
    const curve = await ask(
      `SELECT *, epoch_ms(expiry_ts) AS expiry_ms FROM futures_curve(${at}) WHERE expiry_ts IS NOT NULL`,
    )
    // A price is rounded to its tick, which is the more in a year the nearer the end is.
    const years = (row: Row) => (num(row['expiry_ms']) - atMs) / (365 * 86_400_000)
    const roundedBy = (row: Row) => Math.abs(num(row['yearly_log_pct']) - 5.5) * years(row)
    within(t, 'the basis that 5.5 % a year come to, % of the price', curve, 0.001, roundedBy)
  })

  await t.test('flow of takers, legs of combos once', async t => {
    const [from, to] = [atMs - 3000, atMs]
    const trades = market
      .tradesOf('BTC')
      .filter(
        ({ timestampMs, instrumentName }) => timestampMs >= from && timestampMs < to && byName.has(instrumentName),
      )
    const net = trades.reduce((sum, { amount, direction }) => sum + (direction === 'buy' ? amount : -amount), 0)
    const premium = trades.reduce(
      (sum, { amount, direction, price, indexPrice }) =>
        sum + (direction === 'buy' ? 1 : -1) * amount * price * indexPrice,
      0,
    )
    t.ok(trades.length > 5, `${trades.length} trades`)
    const rows = await ask(`SELECT sum(trades) AS trades, sum(net_bought_coin) AS net, sum(net_premium_usd) AS premium,
      sum(net_screen_coin + net_block_coin + net_rfq_coin + net_combo_coin) AS parts, sum(trades_with_greeks) AS greeks
      FROM option_flow('1 second', ${moment(from)}, ${moment(to)}, coin := 'BTC')`)
    const [flow] = rows
    t.equal(flow?.['trades'], trades.length)
    t.equal(flow?.['greeks'], trades.length)
    t.ok(Math.abs(num(flow?.['net']) - net) < 1e-6)
    t.ok(Math.abs(num(flow?.['parts']) - net) < 1e-6)
    t.ok(Math.abs(num(flow?.['premium']) - premium) < 1e-3)
    const blocks = new Set(
      market
        .tradesOf('BTC')
        .filter(({ timestampMs, blockId }) => timestampMs >= from && timestampMs < to && blockId !== undefined)
        .filter(({ instrumentName }) => byName.has(instrumentName) && instrumentName !== '')
        .map(({ blockId }) => `BLOCK-${blockId}`),
    )
    const found = await ask(`FROM block_trades(${moment(from)}, ${moment(to)}, coin := 'BTC')`)
    t.strictSame(found.map(row => String(row['block_trade_id'])).sort(), [...blocks].sort())
    t.ok(found.every(row => row['leg_count'] === 1 && row['structure_guess'] === 'outright'))
  })

  await t.test('a chain with a gap says so, and is whole again after it', async t => {
    const state = async (ms: number) =>
      ask(`SELECT covered, count(*) AS options, count(mark_iv_pct) AS known FROM option_chain_at('1 minute', ${moment(ms)}, ${moment(ms)}, coin := 'BTC')
        GROUP BY covered`)
    matchAll(t, await state(inGapMs), [{ covered: false, options: options.length, known: 0 }])
    matchAll(t, await state(afterMs), [{ covered: true, options: options.length, known: options.length }])
    const within = `'1 minute', ${moment(inGapMs)}, ${moment(inGapMs)}, coin := 'BTC'`
    matchAll(t, await ask(`FROM open_interest(${within}, per := 'none')`), [{ covered: false, options_known: 0 }])
    t.same(await ask(`FROM atm_volatility(${within}) WHERE covered OR atm_mark_iv_pct IS NOT NULL`), [])
    t.same(await ask(`FROM option_chain(${moment(inGapMs)}, 'BTC') WHERE covered OR call_mark_iv IS NOT NULL`), [])
    // After the gap the exchange tells quotes with their old times: these say what held in it.
    const received = `(SELECT max(recv_ts) FROM quote k WHERE k.instrument_name = q.instrument_name AND k.exchange_ts = q.exchange_ts)`
    const quotes = await ask(
      `FROM best_quotes(${moment(inGapMs)}) q WHERE (covered OR bid IS NOT NULL) AND ${received} < ${moment(inGapMs)}`,
    )
    t.same(quotes, [], 'no quote is carried across')
    // The list of what is listed is asked for, and holds without a connection; quotes are above.
    const others = ['listed_at', 'best_quotes', 'quotes_at', 'spreads']
    for (const { name, example, parameters } of readyViews()) {
      if (!parameters.includes('lookback') || others.includes(name)) continue
      const sql = example.replaceAll(/'2026-[^']*'/g, moment(inGapMs))
      t.same(
        await ask(`SELECT count(*) AS rows FROM (${sql}) WHERE covered`),
        [{ rows: 0 }],
        `${name}: not known in a gap`,
      )
    }
  })

  await t.test('what is listed', async t => {
    const rows = await ask(`FROM listed_at(${moment(afterMs)}, kinds := 'option', coin := 'BTC')`)
    t.equal(rows.length, options.length)
    t.match(rows[0], { state: 'open', base: 'BTC', price_unit: 'BTC' })
    t.same(await ask(`FROM listed_at('2100-01-01', kinds := 'option')`), [])
  })
})
