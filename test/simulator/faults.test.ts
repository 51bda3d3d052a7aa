/** Faults on order: what each makes of frames and calls, how often, and that another process can order it, too. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Control } from '../../simulator/control.js'
import { Faults, matches, type Fault, type Strike } from '../../simulator/faults.js'
import type { Market } from '../../simulator/market/market.js'
import { holds } from '../fixtures/holds.js'

const wrap = (channel: string, data: string) => `{"channel":"${channel}","data":${data}}`
const FRAME = Buffer.from(wrap('book.A', '{"text":"a frame"}'))

function world() {
  const struck: Strike[] = []
  const did: object[] = []
  const faults = new Faults(
    strike => void struck.push(strike),
    wrap,
    what => void did.push(what),
  )
  const sent = (channel: string, frame = FRAME) => faults.apply(channel, frame)
  return {
    faults,
    struck,
    did,
    sent,
    texts: (channel: string) => sent(channel).map(({ payload }) => payload.toString()),
  }
}

t.test('what a frame becomes', t => {
  const text = FRAME.toString()
  const cases: readonly (readonly [Fault, readonly string[]])[] = [
    [{ type: 'drop', channel: 'book.A' }, []],
    [{ type: 'duplicate', channel: 'book.*' }, [text, text]],
    [{ type: 'delay', channel: 'book.A*', delayMs: 70 }, [text]],
    [{ type: 'malformed', channel: 'book.A' }, [text.slice(0, text.length >> 1)]],
    [{ type: 'malformed', channel: 'book.A', keeps: 'most' }, [text.slice(0, -1)]],
    [{ type: 'huge', channel: 'book.A', bytes: 3000 }, [wrap('book.A', `"${'x'.repeat(3000)}"`)]],
    [{ type: 'deep', channel: 'book.A', depth: 50 }, [wrap('book.A', '['.repeat(50) + ']'.repeat(50))]],
    [{ type: 'binary', channel: 'book.A' }, [text]],
  ]
  for (const [fault, expected] of cases) {
    const { faults, sent, texts } = world()
    faults.inject(fault)
    t.same(texts('book'), [text], 'another channel')
    const delivered = sent('book.A')
    t.same(
      delivered.map(({ payload }) => payload.toString()),
      expected,
      fault.type,
    )
    t.ok(delivered.every(({ binary }) => binary === (fault.type === 'binary')))
    t.ok(delivered.every(({ delayMs }) => delayMs === (fault.type === 'delay' ? 70 : 0)))
    t.same(texts('book.A'), [text], 'once, where nothing else is said')
    t.equal(faults.armed, false)
    t.equal(faults.struck[fault.type], 1)
  }
  t.end()
})

t.test('several faults strike in the order in which they were ordered, each as often as ordered', t => {
  const ordered = fc.array(
    fc.record({
      type: fc.constantFrom('drop', 'duplicate', 'binary'),
      channel: fc.constantFrom('a', 'b', '*'),
      times: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 5 },
  )
  holds(
    t,
    fc.property(ordered, fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 }), (orders, channels) => {
      const { faults, sent } = world()
      for (const order of orders) faults.inject(order)
      const left = orders.map(({ times }) => (times === 0 ? Infinity : times))
      for (const channel of channels) {
        const at = orders.findIndex((order, index) => (left[index] ?? 0) > 0 && matches(order.channel, channel))
        if (at >= 0) left[at] = (left[at] ?? 0) - 1
        const expected = orders[at]?.type
        const delivered = sent(channel)
        assert.equal(delivered.length, expected === 'drop' ? 0 : expected === 'duplicate' ? 2 : 1)
        assert.equal(delivered[0]?.binary ?? false, expected === 'binary')
      }
      assert.equal(
        faults.armed,
        left.some(count => count > 0),
      )
      faults.clear()
      assert.equal(faults.armed, false)
      assert.deepEqual(sent('a').length, 1)
    }),
  )
  t.end()
})

t.test('faults of calls leave frames alone, and those of frames leave calls alone', t => {
  const { faults, texts } = world()
  faults.inject({ type: 'refuse_channel', channel: 'book.A' })
  faults.inject({ type: 'no_answer', channel: 'book.*' })
  faults.inject({ type: 'begin_anew', channel: 'book.A' })
  faults.inject({ type: 'empty_promise', channel: 'x' })
  faults.inject({ type: 'no_history', instrument: 'A' })
  faults.inject({ type: 'reject_subscribe', code: 10028, message: 'too_many_requests' })
  t.equal(texts('book.A').length, 1)
  t.same([faults.refuses('book.B'), faults.refuses('book.A'), faults.refuses('book.A')], [false, true, false])
  t.same([faults.leavesUnanswered(['x', 'y']), faults.leavesUnanswered(['x', 'book.B'])], [false, true])
  t.same([faults.beginsAnew('book.A'), faults.beginsAnew('book.A')], [true, false])
  t.same([faults.breaksPromise('book.A'), faults.breaksPromise('x')], [false, true])
  t.same([faults.hidesHistory('B'), faults.hidesHistory('A'), faults.hidesHistory('A')], [false, true, false])
  t.match(faults.subscribeError(), { code: 10028, message: 'too_many_requests' })
  t.equal(faults.subscribeError(), undefined)
  t.equal(faults.armed, false)
  faults.inject({ type: 'drop', channel: '*', times: 0 })
  t.notOk(faults.refuses('book.A') || faults.beginsAnew('book.A') || faults.subscribeError())
  t.end()
})

t.test('lists that are short or say otherwise: of one currency, one name, or all', t => {
  const rows = ['A-1', 'A-2', 'B-1'].map(name => ({ name, state: 'open' }))
  const listed = (faults: Faults, currency: string) => faults.distort(currency, rows, ({ name }) => name)
  const { faults } = world()
  faults.inject({ type: 'short_list', currency: 'BTC', instrument: 'A-*' })
  t.same(listed(faults, 'ETH'), rows)
  t.same(
    listed(faults, 'BTC').map(row => row['name']),
    ['B-1'],
  )
  t.same(listed(faults, 'BTC'), rows)
  faults.inject({ type: 'short_list', instrument: 'nobody' })
  t.same(listed(faults, 'BTC'), rows)
  t.ok(faults.armed, 'one that hits nothing waits')
  faults.clear()
  faults.inject({ type: 'list_member', instrument: 'B-1', member: 'state', value: null, times: 2 })
  faults.inject({ type: 'short_list', instrument: 'B-1' })
  t.same(
    listed(faults, 'BTC').map(row => row['name']),
    ['A-1', 'A-2'],
    'by its own name, whatever members it was given',
  )
  t.same(
    listed(faults, 'BTC').map(row => row['state']),
    ['open', 'open', null],
  )
  t.same(
    rows.map(({ state }) => state),
    ['open', 'open', 'open'],
    'what is listed really stays as it is',
  )
  faults.inject({ type: 'short_list' })
  t.same(listed(faults, 'BTC'), [])
  t.end()
})

t.test('what strikes at once waits for nothing', t => {
  const { faults, struck } = world()
  const all: Strike[] = [
    { type: 'silence', oldest: true },
    { type: 'mute', channel: 'book.*' },
    { type: 'close', code: 1012 },
    { type: 'maintenance', forMs: 5 },
    { type: 'renumber', instrument: 'A' },
    { type: 'upgrade', afterMs: 5 },
  ]
  for (const strike of all) faults.inject(strike)
  t.same(struck, all)
  t.equal(faults.armed, false)
  t.end()
})

/** One of each sort, as another process sends it. */
const OF_EACH: Record<Fault['type'], object> = {
  drop: { channel: 'a', times: 0 },
  duplicate: { channel: 'a' },
  delay: { channel: 'a', delayMs: 5.5 },
  malformed: { channel: 'a', keeps: 'most' },
  huge: { channel: 'a', bytes: 5 },
  deep: { channel: 'a', depth: 5 },
  binary: { channel: 'a' },
  no_history: { instrument: 'A' },
  reject_subscribe: { code: -1, message: 'no', data: { reason: 'x' } },
  refuse_channel: { channel: 'a' },
  no_answer: { channel: 'a' },
  begin_anew: { channel: 'a' },
  empty_promise: { channel: 'a' },
  short_list: { currency: 'BTC', instrument: 'A*' },
  list_member: { member: 'state', value: null },
  renumber: { instrument: 'A' },
  silence: { oldest: true },
  mute: { channel: 'a' },
  close: { code: 1001, reason: 'bye', oldest: false },
  upgrade: { afterMs: 5 },
  maintenance: { forMs: 0 },
}

t.test('every fault can be ordered by another process; what is no order is answered with what was wrong', t => {
  const { faults, did } = world()
  const market = {
    nowMs: 5,
    surfaces: () => [],
    listNewStrike: () => ({ name: 'NEW' }),
    expire: (name: string) => (name === 'A' ? { name } : undefined),
  } as unknown as Market
  const control = new Control(
    faults,
    market,
    what => void did.push(what),
    () => ({ connections: 3 }),
  )
  const order = (method: string, path: string, body: unknown) => {
    const { status, text } = control.handle(
      method,
      `/control/${path}`,
      typeof body === 'string' ? body : JSON.stringify(body),
    )
    return { status, ...(JSON.parse(text) as object) } as Record<string, unknown>
  }
  for (const [type, facts] of Object.entries(OF_EACH)) {
    t.same(order('POST', 'fault', { type, ...facts }), { status: 200, ok: true }, type)
    t.same(did.at(-1), { ordered: { type, ...facts } })
    t.equal(order('POST', 'fault', { type, ...facts, more: 1 })['status'], 400, `${type} with what nobody knows`)
  }
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    { type: 'flood' },
    { type: 'drop' },
    { type: 'drop', channel: '' },
    { type: 'delay', channel: 'a', delayMs: -1 },
    { type: 'huge', channel: 'a', bytes: 0 },
    { type: 'drop', channel: 'a', times: 1.5 },
  ])
    t.match(order('POST', 'fault', body), { status: 400, error: /.+/ }, JSON.stringify(body))
  t.same(order('POST', 'clear', ''), { status: 200, ok: true })
  t.equal(faults.armed, false)
  t.same(order('POST', 'instrument', { action: 'create' }), { status: 200, ok: true, instrument_name: 'NEW' })
  t.match(order('POST', 'instrument', { action: 'expire', instrument_name: 'A' }), { instrument_name: 'A' })
  t.equal(order('POST', 'instrument', { action: 'expire', instrument_name: 'B' })['status'], 404)
  t.equal(order('POST', 'instrument', { action: 'halt' })['status'], 400)
  t.match(order('GET', 'state', ''), { status: 200, connections: 3, faults: { close: 1 } })
  t.same(order('GET', 'surface', ''), { status: 200, now_ms: 5, expiries: [] })
  for (const [method, path] of [
    ['GET', 'fault'],
    ['DELETE', 'state'],
    ['POST', 'nothing'],
  ] as const)
    t.equal(order(method, path, '')['status'], 404)
  t.end()
})
