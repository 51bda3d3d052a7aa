import t from 'tap'
import { dateCode, parseDateCode, settlementPeriodOf } from '../../../../exchanges/deribit/simulator/calendar.js'
import { instrumentFromName } from '../../../../exchanges/deribit/simulator/instrument-names.js'
import { deribitPlan } from '../../../../exchanges/deribit/simulator/plan.js'
import { Market } from '../../../../simulator/market/market.js'

t.test('names and dates', t => {
  t.equal(dateCode(Date.UTC(2026, 4, 5, 8)), '5MAY26')
  t.equal(parseDateCode('25DEC26'), Date.UTC(2026, 11, 25, 8))
  t.equal(settlementPeriodOf(Date.UTC(2026, 11, 25, 8)), 'month')
  t.equal(settlementPeriodOf(Date.UTC(2026, 11, 18, 8)), 'week')
  t.equal(settlementPeriodOf(Date.UTC(2026, 11, 17, 8)), 'day')
  const birth = { id: 1, createdMs: 0 }
  t.match(instrumentFromName('XRP_USDC-30JUN23-0d625-C', birth), {
    kind: 'option',
    strike: 0.625,
    settle: 'USDC',
    call: true,
  })
  t.match(instrumentFromName('BTC-FS-25DEC26_PERP', birth), {
    kind: 'future_combo',
    expiryMs: Date.UTC(2026, 11, 25, 8),
  })
  t.match(instrumentFromName('BTC-CCAL-25DEC26_25SEP26-55000', birth), {
    kind: 'option_combo',
    expiryMs: Date.UTC(2026, 8, 25, 8),
  })
  t.match(instrumentFromName('1000PEPE_USDC-PERPETUAL', birth), {
    kind: 'perpetual',
    category: 'future',
    linear: true,
    settle: 'USDC',
  })
  t.match(instrumentFromName('ETH_BTC', birth), { kind: 'spot', settle: 'BTC' })
  t.equal(instrumentFromName('what is this', birth), undefined)
  t.end()
})

t.test('what a name says is what the market lists under it', t => {
  const startMs = Date.UTC(2026, 10, 22, 12)
  const options = { seed: 7, startMs, stepMs: 10, eventsPerStep: 0, options: 80, depth: 5, newInstrumentEveryMs: 0 }
  for (const { instrument } of new Market(deribitPlan, options).listings.values()) {
    const { name, symbol, category, kind, base, quote, settle, linear, index, underlying, expiryMs } = instrument
    const told = instrumentFromName(name, { id: 1, createdMs: 0 })
    const facts = { name, symbol, category, kind, base, quote, settle, linear, underlying, expiryMs }
    // What an index of a pair is called does not say which pair of the coins it is.
    if (kind !== 'spot') Object.assign(facts, { index })
    t.match(told, facts, name)
    t.equal(told?.strike, instrument.strike, name)
  }
  t.end()
})
