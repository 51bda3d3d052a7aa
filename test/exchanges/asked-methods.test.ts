/** What is asked of methods: each once, nothing left out between two answers, and no list without end. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { bybitConfig } from '../../exchanges/bybit/config.js'
import { Discovery as BybitDiscovery } from '../../exchanges/bybit/discovery.js'
import type { BybitHttp } from '../../exchanges/bybit/http.js'
import { parseInstruments } from '../../exchanges/bybit/instruments.js'
import { askAllPages, planPolls as planBybit } from '../../exchanges/bybit/polls.js'
import { Discovery as OkxDiscovery } from '../../exchanges/okx/discovery.js'
import { RefusedError, type OkxHttp } from '../../exchanges/okx/http.js'
import { instrumentOf } from '../../exchanges/okx/instruments.js'
import { planPolls as planOkx, spanQuery } from '../../exchanges/okx/polls.js'
import { okxConfig } from '../../exchanges/okx/config.js'
import { spansFor } from '../../exchanges/polls.js'
import { fetchInstruments } from '../../exchanges/deribit/discovery.js'
import type { HttpRpc } from '../../exchanges/deribit/http-rpc.js'
import { holds } from '../fixtures/holds.js'

const never = new AbortController().signal
const bybitOf = (over: object = {}) => bybitConfig.parse({ name: 'bybit', ...over })

/** A list that a method gives in pages; remembers what was asked. */
function paged(pages: readonly { list: readonly unknown[]; cursor?: unknown }[]) {
  const asked: Record<string, unknown>[] = []
  const get: BybitHttp['get'] = (_path, params) => {
    asked.push(params)
    const at = params['cursor'] === undefined ? 0 : Number(params['cursor'])
    const { list = [], cursor } = pages[Math.min(at, pages.length - 1)] ?? {}
    return Promise.resolve({ bytes: Buffer.from(JSON.stringify(list)), result: { list, nextPageCursor: cursor } })
  }
  return { http: { get } as unknown as BybitHttp, asked }
}

t.test('Bybit: pages are gone through to their end, and cursors without end are not followed', async t => {
  const poll = { path: '/v5/market/delivery-price', params: { category: 'option' }, hasPages: true }
  const pagesAsked = async (pages: Parameters<typeof paged>[0], over = {}) => {
    const { http, asked } = paged(pages)
    let answers = 0
    await askAllPages(http, { ...poll, ...over }, { fromMs: 1.7, toMs: 9.2 }, () => answers++, never)
    assert.equal(answers, asked.length, 'each answer is handed over')
    return asked
  }
  t.same(
    await pagesAsked([
      { list: [1], cursor: '1' },
      { list: [2], cursor: '' },
    ]),
    [
      { category: 'option', startTime: 1, endTime: 9 },
      { category: 'option', startTime: 1, endTime: 9, cursor: '1' },
    ],
  )
  t.equal((await pagesAsked([{ list: [1] }])).length, 1)
  t.equal((await pagesAsked([{ list: [], cursor: '0' }])).length, 5, 'the same page again and again')
  t.equal((await pagesAsked([{ list: [1], cursor: '0' }], { hasPages: false })).length, 1)
  t.equal((await pagesAsked([{ list: [1], cursor: 7 }])).length, 1, 'a cursor of another type is none')
})

t.test('polls: none twice, none of what is switched off, and each id stays the same from run to run', t => {
  const entry = fc.constantFrom(
    ['linear', { symbol: 'BTCUSDT', contractType: 'LinearPerpetual' }] as const,
    ['linear', { symbol: 'BTC-25DEC26', contractType: 'LinearFutures' }] as const,
    ['inverse', { symbol: 'BTCUSD', contractType: 'InversePerpetual' }] as const,
    ['option', { symbol: 'BTC-25DEC26-90000-C-USDT' }] as const,
    ['option', { symbol: 'ETH-25DEC26-3000-C-USDT' }] as const,
    ['spot', { symbol: 'BTCUSDT' }] as const,
  )
  const polls = (everyMinutes: number) => {
    const one = { everyMinutes }
    return {
      fundingHistory: one,
      openInterest: one,
      priceCandles: one,
      longShortRatio: one,
      deliveries: one,
      insurance: one,
      status: one,
    }
  }
  holds(
    t,
    fc.property(fc.uniqueArray(entry, { selector: ([category, { symbol }]) => category + symbol }), entries => {
      const chosen = entries.flatMap(
        ([category, one]) => parseInstruments(category, [{ status: 'Trading', ...one }]).instruments,
      )
      const plan = planBybit(chosen, bybitOf({ polls: polls(60) }))
      const ids = plan.map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length)
      assert.deepEqual(
        ids.sort(),
        planBybit([...chosen].reverse(), bybitOf({ polls: polls(60) }))
          .map(({ id }) => id)
          .sort(),
      )
      assert.equal(plan.length === 0, chosen.length === 0)
      assert.deepEqual(planBybit(chosen, bybitOf({ polls: polls(0) })), [])
      for (const { params, history, everyMs } of plan) {
        assert.equal(everyMs, 3_600_000)
        if (history) assert.ok(Number(params['limit']) >= history.rowsMax, 'an answer holds what a span has')
      }
    }),
  )
  t.end()
})

t.test('OKX: whoever asks span by span leaves out no moment, by what `before` and `after` mean there', t => {
  const chosen = ['BTC-USDT-SWAP', 'ETH-USD-SWAP'].flatMap(
    instId => instrumentOf({ instType: 'SWAP', instId, state: 'live' }) ?? [],
  )
  const [poll] = planOkx(
    chosen,
    okxConfig.parse({ adapter: 'okx', name: 'okx', polls: { fundingHistory: { backHours: 2160 } } }),
  )
  assert.ok(poll)
  const nowMs = Date.UTC(2026, 11, 31, 23, 59, 59, 999) + 0.25
  holds(
    t,
    fc.property(
      fc.option(fc.double({ min: 0, max: 100 * 86_400_000, noNaN: true }), { nil: undefined }),
      fc.nat({ max: 86_400_000 }),
      (agoMs, backMs) => {
        const spans = spansFor(poll, agoMs === undefined ? undefined : nowMs - agoMs, nowMs)
        const queries = spans.map(spanQuery)
        const isAsked = (ms: number) =>
          queries.some(({ before = '', after = '' }) => ms > Number(before) && ms < Number(after))
        const first = spans[0]?.fromMs ?? NaN
        for (const ms of [
          first,
          first + (backMs % Math.max(1, nowMs - first)),
          nowMs,
          ...spans.map(({ toMs }) => toMs),
        ])
          assert.ok(isAsked(Math.round(ms)), `${ms}`)
        for (const { before = '', after = '' } of queries) assert.match(before + after, /^\d+$/, 'whole ms')
      },
    ),
  )
  t.end()
})

t.test(
  'Bybit: lists in pages are recorded where they changed, and what is not listed is asked for by itself',
  async t => {
    const config = bybitOf({ channels: { option: [], perpetual: ['trades'], future: [], spot: [] } })
    const listed = (...symbols: string[]) =>
      symbols.map(symbol => ({ symbol, status: 'Trading', contractType: 'LinearPerpetual' }))
    let coins = listed('AUSDT', 'BUSDT')
    const asked: Record<string, unknown>[] = []
    const get = (_path: string, params: Record<string, unknown>) => {
      asked.push(params)
      const isOne = params['symbol'] !== undefined
      const all = params['category'] === 'linear' && params['status'] === undefined ? coins : []
      const own = isOne
        ? [{ symbol: params['symbol'], status: params['symbol'] === 'BUSDT' ? 'Closed' : 'Trading' }]
        : all
      return Promise.resolve({
        bytes: Buffer.from(JSON.stringify(own)),
        result: { list: params['symbol'] === 'GONEUSDT' ? [] : own, nextPageCursor: '' },
      })
    }
    const discovery = new BybitDiscovery({ get } as unknown as BybitHttp, config)
    const taken: string[] = []
    const list = (known: Parameters<BybitDiscovery['list']>[0]) =>
      discovery.list(known, family => void taken.push(family), never)
    const first = await list([])
    t.same(
      first.instruments.map(({ symbol }) => symbol),
      ['AUSDT', 'BUSDT'],
    )
    const { length } = taken
    await list(first.instruments)
    t.equal(taken.length, length, 'a list that stays as it is is recorded once')
    coins = listed('AUSDT')
    const [gone] = parseInstruments('linear', listed('GONEUSDT')).instruments
    const second = await list([...first.instruments, ...(gone ? [gone] : [])])
    t.same(
      second.instruments.map(({ symbol }) => symbol),
      ['AUSDT'],
    )
    t.same(
      second.inactive,
      new Map([
        ['BUSDT', 'Closed'],
        ['GONEUSDT', 'not listed any more'],
      ]),
    )
    t.same(asked.slice(-2), [
      { category: 'linear', symbol: 'BUSDT' },
      { category: 'linear', symbol: 'GONEUSDT' },
    ])
    t.equal(taken.length, length + 1, 'the list that changed')
    const many = Array.from({ length: 300 }, (_, at) => `C${at}USDT`)
    asked.length = 0
    await list(parseInstruments('linear', listed(...many)).instruments)
    t.ok(
      asked.filter(({ symbol }) => symbol !== undefined).length <= 50,
      'a list that lacks nearly all is not asked for one by one',
    )
  },
)

t.test('Bybit: cursors without end end, and an answer that is no list is told', async t => {
  const config = bybitOf({ channels: { option: [], perpetual: [], future: [], spot: ['trades'] } })
  const list = (result: unknown) => {
    let calls = 0
    const get = () => {
      calls++
      return Promise.resolve({ bytes: Buffer.alloc(0), result })
    }
    const work = new BybitDiscovery({ get } as unknown as BybitHttp, config).list([], () => undefined, never)
    return { work, calls: () => calls }
  }
  const endless = list({ list: [{ symbol: 'AUSDT', status: 'Trading' }], nextPageCursor: 'again' })
  await endless.work
  t.ok(endless.calls() <= 50, `${endless.calls()} calls`)
  const empty = list({ list: [], nextPageCursor: 'again' })
  await empty.work
  t.equal(empty.calls(), 1)
  for (const odd of [null, undefined, 'maintenance', { list: {} }, []])
    await t.rejects(list(odd).work, { code: 'INSTRUMENTS_NO_LIST', retry: true }, JSON.stringify(odd))
})

t.test(
  'OKX: one that the exchange knows nothing of is not listed any more; another refusal is no word of it',
  async t => {
    const channels = { perpetual: ['trades'], future: [], spot: [], option: [], index: [], exchange: [] }
    const known = ['A-USDT-SWAP', 'B-USDT-SWAP'].flatMap(
      instId => instrumentOf({ instType: 'SWAP', instId, state: 'live' }) ?? [],
    )
    const listing = (refusal: string) => {
      const rows: OkxHttp['rows'] = (_path, { instId }) => {
        if (instId === 'B-USDT-SWAP') return Promise.reject(new RefusedError('public/instruments', refusal, ''))
        return Promise.resolve(
          instId === undefined
            ? [
                { instType: 'SWAP', instId: 'A-USDT-SWAP', state: 'live' },
                { instType: 'SWAP', state: 'live' },
              ]
            : [],
        )
      }
      const discovery = new OkxDiscovery({ rows } as unknown as OkxHttp, { instruments: ['*'], channels })
      return discovery.fetch(known, () => undefined, never)
    }
    const { instruments, inactive, nameless } = await listing('51001')
    t.same(
      instruments.map(one => one.instrument_name),
      ['A-USDT-SWAP'],
    )
    t.same(inactive, new Map([['B-USDT-SWAP', 'not listed any more']]))
    t.equal(nameless.length, 1)
    await t.rejects(listing('50011'), { code: 'RPC_REFUSED' })
  },
)

t.test('Deribit: one instrument that two currencies list is one, and an answer that is no list is told', async t => {
  const ask = (lists: Record<string, unknown>) => {
    const call: HttpRpc['call'] = (_family, { params }) => Promise.resolve(lists[String(params['currency'])])
    return fetchInstruments({ call } as unknown as HttpRpc, Object.keys(lists), () => undefined, never)
  }
  const pair = {
    instrument_name: 'BTC_USDC',
    kind: 'spot',
    base_currency: 'BTC',
    quote_currency: 'USDC',
    is_active: true,
  }
  const { instruments, inactive, nameless, oddKinds } = await ask({
    BTC: [pair, { ...pair, instrument_name: 'OLD', is_active: false, state: 'closed' }, { kind: 'spot' }],
    USDC: [pair, { ...pair, instrument_name: 'BTC-PERPETUAL', kind: 'perp' }, null],
  })
  t.same(
    instruments.map(one => one.instrument_name),
    ['BTC_USDC', 'BTC-PERPETUAL'],
  )
  t.same(inactive, new Map([['OLD', 'closed']]))
  t.equal(nameless.length, 2)
  t.same(oddKinds, new Map([['BTC-PERPETUAL', 'perp']]))
  t.match(instruments[1], { kind: 'future', settlement_period: 'perpetual' }, 'what is not said is taken from the name')
  for (const odd of [null, {}, 'x', 5])
    await t.rejects(ask({ BTC: odd }), { code: 'INSTRUMENTS_NO_LIST', message: /of BTC are/ })
})
