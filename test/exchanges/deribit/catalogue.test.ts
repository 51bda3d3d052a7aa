import t from 'tap'
import { Catalogue } from '../../../exchanges/deribit/catalogue.js'
import { LINGER_MS } from '../../../exchanges/listings.js'
import type { Instrument } from '../../../exchanges/deribit/instruments.js'
import { matchAll } from '../../fixtures/match-all.js'

const instrument = (instrument_name: string, base_currency = 'BTC'): Instrument => ({
  instrument_name,
  kind: 'option',
  base_currency,
})
const [A, B, C] = [instrument('BTC-A'), instrument('BTC-B'), instrument('BTC-C')]

/** A catalogue of what is in BTC, with a clock moved by hand. */
function catalogueOf(...listed: Instrument[]) {
  const clock = { ms: 0 }
  const catalogue = new Catalogue(({ base_currency }) => base_currency === 'BTC', {
    nowMs: () => clock.ms,
    wallMs: () => Date.parse('2026-11-22T14:00:00Z') + clock.ms,
  })
  const first = catalogue.replace(listed)
  return { catalogue, clock, first, names: () => catalogue.instruments.map(each => each.instrument_name).sort() }
}

t.test('the first list adds nothing, a later one what is new', t => {
  const { catalogue, first, names } = catalogueOf(A, B, instrument('ETH-A', 'ETH'))
  t.same(first, { added: [], removed: [] })
  t.same(names(), ['BTC-A', 'BTC-B'], 'only what is asked for')
  t.same(catalogue.replace([A, B, C]), { added: ['BTC-C'], removed: [] })
  t.end()
})

t.test('one short list dropped instruments that went on trading', t => {
  const { catalogue, names } = catalogueOf(A, B)
  t.same(catalogue.replace([B]), { added: [], removed: [] })
  t.same(names(), ['BTC-A', 'BTC-B'], 'one list is no end')
  for (let list = 0; list < 20; list++)
    t.same(
      catalogue.replace([], { isHeard: name => name === 'BTC-A' }).removed.flatMap(each => each.instruments),
      [...(list === 2 ? ['BTC-B'] : [])],
    )
  t.same(names(), ['BTC-A'], 'what is heard of stays, however many lists lack it')
  t.end()
})

t.test('what was given up for short lists and is listed again is told, with how long it was away', t => {
  const { catalogue, clock } = catalogueOf(A, B)
  const lists = [catalogue.replace([B]), catalogue.replace([B]), catalogue.replace([B])]
  t.same(
    lists.flatMap(({ removed }) => removed),
    [{ instruments: ['BTC-A'], reason: 'not listed any more' }],
  )
  clock.ms += 900_000
  t.same(catalogue.replace([A, B]), {
    added: ['BTC-A'],
    removed: [],
    returned: [{ instrument: 'BTC-A', awayMs: 900_000 }],
  })
  t.same(catalogue.replace([A, B]), { added: [], removed: [] }, 'once')
  t.end()
})

t.test('a list in which an instrument was there between two short ones begins the count anew', t => {
  const { catalogue, names } = catalogueOf(A, B)
  for (const list of [[B], [B], [A, B], [B], [B]]) catalogue.replace(list)
  t.same(names(), ['BTC-A', 'BTC-B'])
  t.end()
})

t.test('what is past its expiry, or listed with a state that ends it, goes with the first list without it', t => {
  const expired = instrument('BTC-21NOV26-90000-C')
  const told = { ...instrument('BTC-X'), expiration_timestamp: Date.parse('2026-11-22T08:00:00Z') }
  const { catalogue } = catalogueOf(A, B, expired, told)
  t.same(
    catalogue.replace([B], {
      inactive: new Map([
        ['BTC-A', 'delivered'],
        ['BTC-B', 'settlement'],
      ]),
    }).removed,
    [
      { instruments: ['BTC-A'], reason: 'delivered' },
      { instruments: ['BTC-21NOV26-90000-C', 'BTC-X'], reason: 'expired' },
    ],
  )
  t.end()
})

t.test('a created instrument is there at once, an expired one lingers for its last frames', t => {
  const { catalogue, clock, names } = catalogueOf(A)
  catalogue.hear({ ...B, state: 'open', is_active: true, timestamp: 5 })
  catalogue.hear({ instrument_name: 'BTC-A', state: 'delivered', timestamp: 5 })
  t.same(catalogue.settle(), { added: ['BTC-B'], removed: [] })
  t.equal(catalogue.settle(), undefined)
  clock.ms = LINGER_MS
  t.same(catalogue.settle(), { added: [], removed: [{ instruments: ['BTC-A'], reason: 'delivered' }] })
  t.same(names(), ['BTC-B'])
  t.end()
})

t.test('a cached list that is older than the frames does not undo them', t => {
  const { catalogue, clock, names } = catalogueOf(A)
  catalogue.hear({ ...B, state: 'open' })
  catalogue.hear({ instrument_name: 'BTC-A', state: 'closed' })
  clock.ms = LINGER_MS
  catalogue.settle()
  t.same(catalogue.replace([A]), { added: [], removed: [] })
  t.same(names(), ['BTC-B'])
  clock.ms += 120_000
  matchAll(t, catalogue.replace([A]), { added: ['BTC-A'], removed: [] }, 'but not for ever')
  t.end()
})

t.test('a halt is no end, and a word taken back is none', t => {
  const { catalogue, clock, names } = catalogueOf(A)
  for (const state of ['halted', 'settlement', 'locked', 'open', 'started'])
    catalogue.hear({ instrument_name: 'BTC-A', state })
  catalogue.hear({ instrument_name: 'BTC-A', state: 'inactive' })
  catalogue.hear({ instrument_name: 'BTC-A', state: 'open' })
  clock.ms = 10 * LINGER_MS
  t.equal(catalogue.settle(), undefined)
  t.same(names(), ['BTC-A'])
  t.end()
})

t.test('a list is needed for an opened instrument that nobody defined, and asked for once', t => {
  const { catalogue } = catalogueOf(A)
  t.equal(catalogue.needsList, false)
  catalogue.hear({ instrument_name: 'SOL_USDC-PERPETUAL', state: 'open' })
  t.equal(catalogue.needsList, true)
  catalogue.replace([A])
  t.equal(catalogue.needsList, false)
  catalogue.hear({ instrument_name: 'SOL_USDC-PERPETUAL', state: 'open' })
  t.equal(catalogue.needsList, false, 'the list did not have it: it is not ours')
  catalogue.hear({ ...instrument('ETH-A', 'ETH'), state: 'open' })
  t.equal(catalogue.settle(), undefined, 'another currency is none of ours')
  t.end()
})

t.test('frames of no shape at all are survived', t => {
  const { catalogue } = catalogueOf(A)
  for (const data of [undefined, null, 5, 'x', [], {}, { instrument_name: 5 }, { instrument_name: 'X', state: {} }])
    catalogue.hear(data)
  t.equal(catalogue.settle(), undefined)
  t.equal(catalogue.needsList, false)
  t.end()
})
