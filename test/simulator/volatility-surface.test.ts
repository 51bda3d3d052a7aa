import t from 'tap'
import { impliedVolatility, valueOption } from '../../simulator/market/black-scholes.js'
import { startSimulator } from '../../simulator/main.js'
import { Market, type MarketOptions } from '../../simulator/market/market.js'
import type { ExpirySurface } from '../../simulator/market/pricing.js'
import { totalVariance } from '../../simulator/market/volatility-surface.js'
import { plainPlan, plainProtocol } from './plain-exchange.js'

const OPTIONS: MarketOptions = {
  seed: 7,
  startMs: Date.UTC(2026, 10, 22, 12),
  stepMs: 10,
  eventsPerStep: 20,
  options: 400,
  depth: 5,
  newInstrumentEveryMs: 0,
}

const ivOf = ({ slice, years }: ExpirySurface, k: number) => Math.sqrt(totalVariance(slice, k) / years)

t.test('volatility has a skew, a smile and a term structure without arbitrage, and the seed decides them', t => {
  const surfaces = new Market(plainPlan, OPTIONS).surfaces()
  t.ok(surfaces.length > 5)
  for (const surface of surfaces) {
    const { slice, years, forward } = surface
    const deviation = ivOf(surface, 0) * Math.sqrt(years)
    t.ok(ivOf(surface, -deviation) > ivOf(surface, deviation), 'puts are dearer than calls')
    t.ok(ivOf(surface, 2 * deviation) > ivOf(surface, deviation * 0.2), 'the far wing is dearer than the money')
    // A butterfly never pays to be held: prices are convex in the strike.
    const priceAt = (k: number) =>
      valueOption({ forward, strike: forward * Math.exp(k), years, volatility: ivOf(surface, k), call: true }).price
    for (let k = -3 * deviation; k < 3 * deviation; k += deviation / 10) {
      const [low, middle, high] = [k - deviation / 50, k, k + deviation / 50].map(
        at => [Math.exp(at), priceAt(at)] as const,
      )
      if (!low || !middle || !high) continue
      const share = (high[0] - middle[0]) / (high[0] - low[0])
      if (share * low[1] + (1 - share) * high[1] < middle[1] - forward * 1e-7) t.fail(`arbitrage at ${k}`)
    }
    t.ok(slice.b > 0 && Math.abs(slice.rho) < 1)
  }
  const rising = surfaces.every(
    (surface, n) =>
      n === 0 ||
      [-0.2, 0, 0.2].every(
        k => totalVariance(surface.slice, k) > totalVariance(surfaces[n - 1]?.slice ?? surface.slice, k),
      ),
  )
  t.ok(rising, 'later expiries have more total variance')
  t.same(new Market(plainPlan, OPTIONS).surfaces(), surfaces)
  t.notSame(new Market(plainPlan, { ...OPTIONS, seed: 8 }).surfaces()[0]?.slice.rho, surfaces[0]?.slice.rho)
  t.end()
})

t.test('marks, quotes and trades of options are of one surface', t => {
  const market = new Market(plainPlan, { ...OPTIONS, isStill: true })
  const index = market.indices.price('BTC')
  let trades = 0
  market.listen(event => {
    if (event.type !== 'trades' || event.listing.instrument.kind !== 'option') return
    const { instrument } = event.listing
    const { years, forward } = market.pricing.surface(instrument, event.ms)
    for (const { iv = NaN, price, timestampMs } of event.trades) {
      if (iv === 0 || iv === 500) continue
      const strike = instrument.strike ?? NaN
      const value = valueOption({ forward, strike, years, volatility: iv / 100, call: instrument.call ?? false })
      trades++
      if (Math.abs(value.price - price) > value.vega * 0.006 + 1e-4) t.fail(`${instrument.name} ${timestampMs}: ${iv}`)
    }
  })
  for (let step = 0; step < 3000; step++) market.step()
  t.ok(trades > 500, `${trades} trades at the volatility that they say`)
  t.equal(market.indices.price('BTC'), index, 'nothing moves in a still market')
  let quoted = 0
  let within = 0
  for (const { instrument, book } of market.listings.values()) {
    if (instrument.kind !== 'option' || !book.bestBid || !book.bestAsk) continue
    const mark = instrument.grid.toTicks(market.pricing.mark(instrument, market.nowMs).exact)
    quoted++
    if (book.bestBid.ticks <= mark + 1 && book.bestAsk.ticks >= mark - 1) within++
  }
  t.ok(quoted > 200)
  t.ok(within / quoted > 0.95, `${within} of ${quoted} marks lie between bid and ask`)
  t.end()
})

t.test('the volatility of a price is found back, and what no volatility explains is told', t => {
  for (const volatility of [0.08, 0.4, 1.5, 4]) {
    for (const strike of [60, 95, 100, 120, 170]) {
      for (const call of [true, false]) {
        const terms = { forward: 100, strike, years: 0.1, volatility, call }
        const { price, vega } = valueOption(terms)
        const found = impliedVolatility({ ...terms, volatility: 0.5 }, price)
        if (vega > 1e-4) t.ok(Math.abs(found - volatility) < 1e-5, `${strike} ${volatility}: ${found}`)
      }
    }
  }
  const terms = { forward: 100, strike: 80, years: 0.1, volatility: 0.5, call: true }
  t.equal(impliedVolatility(terms, 19.9), 0, 'below what it is worth at once')
  t.equal(impliedVolatility(terms, 99.9), Infinity)
  t.end()
})

t.test('the parameters of the surface can be asked for', async t => {
  const simulator = await startSimulator(plainProtocol, {
    instruments: 40,
    startMs: OPTIONS.startMs,
    isStill: true,
    rate: 1,
  })
  t.teardown(() => simulator.close())
  const answer = await fetch(new URL('/control/surface', simulator.httpUrl))
  const { now_ms, expiries } = (await answer.json()) as { now_ms: number; expiries: Record<string, unknown>[] }
  t.ok(now_ms >= OPTIONS.startMs)
  t.ok(expiries.length > 0)
  t.match(expiries[0], {
    underlying: 'linear BTC',
    expiry_ms: Number,
    forward: Number,
    years: Number,
    svi: { a: Number, b: Number, rho: Number, m: Number, sigma: Number },
  })
})
