/** Requests on a socket and what is said of them, in whatever order, twice, late, or never: each ends, and in one way. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { SessionLink } from '../../exchanges/adapter.js'
import { Requests, UnansweredError, type Ack } from '../../exchanges/bybit/requests.js'
import { createCreditPools, RefusedError, Rpc } from '../../exchanges/deribit/rpc.js'
import { Ops, type Outcome } from '../../exchanges/okx/ops.js'
import { argOf } from '../../exchanges/okx/names.js'
import { EdgeError } from '../../platform/edge-error.js'
import { movedTime } from '../fixtures/moved-time.js'
import { silentLink } from './okx/silent-link.js'
import { holds } from '../fixtures/holds.js'

/** What became of a promise, as far as it is known. */
function fate<T>(work: Promise<T>) {
  const fate: { value?: T; error?: EdgeError; times: number } = { times: 0 }
  work.then(
    value => Object.assign(fate, { value, times: fate.times + 1 }),
    (error: unknown) => Object.assign(fate, { error, times: fate.times + 1 }),
  )
  return fate
}

t.test(
  'Deribit: each answer goes to its question, whatever else is said, and what is never answered has its time',
  async t => {
    await movedTime(async pass => {
      const sent: string[] = []
      const measured: number[][] = []
      let nowUs = 1_000_000
      const link: SessionLink = {
        ...silentLink({ sent }),
        nowUs: () => nowUs,
        measured: (...facts) => void measured.push(facts),
      }
      const rpc = new Rpc(link, createCreditPools())
      const [time, bad, lost, login] = [
        fate(rpc.call('public/get_time', {})),
        fate(rpc.call('public/subscribe', { channels: ['x'] })),
        fate(rpc.call('public/test', {})),
        fate(rpc.call('public/auth', { client_id: 'me', client_secret: 'hush' }, ['client_secret'])),
      ]
      await pass(100)
      const ids = sent.map(text => (JSON.parse(text) as { id: number }).id)
      t.equal(new Set(ids).size, 4)
      nowUs = 1_200_000
      rpc.settle({ id: 77, result: 'nobody asked' }, nowUs)
      rpc.settle({ id: ids[1] ?? 0, error: { code: 11050, message: 'bad_request' } }, nowUs)
      rpc.settle({ id: ids[0] ?? 0, result: 5, usIn: 1_600_000, usOut: 1_620_000 }, nowUs)
      rpc.settle({ id: ids[0] ?? 0, result: 6 }, nowUs)
      await pass(100)
      t.match(time, { value: 5, times: 1 })
      t.ok(bad.error instanceof RefusedError && bad.error.refusal === 11050)
      t.same(measured, [[510_000, 180_000]], 'half a second ahead, 0.18 s under way, measured once')
      t.equal(lost.times + login.times, 0)
      await pass(19_000)
      t.equal(lost.times, 0)
      await pass(1000)
      t.match(lost.error, { code: 'RPC_TIMEOUT', retry: true })
      const closing = fate(rpc.call('public/test', {}))
      await pass(10)
      rpc.close()
      await pass(10)
      t.match(closing.error, { code: 'RPC_CLOSED' })
      t.match(fate(rpc.call('public/test', {})), { times: 0 })
      await pass(10)
      t.equal(sent.length, 5, 'nothing is sent on a connection that ended')
    })
  },
)

t.test('Deribit: what is recorded of a login holds no secret, and what is sent does', async t => {
  await movedTime(async pass => {
    const said: [string, string | undefined][] = []
    const link: SessionLink = { ...silentLink(), send: (text, recorded) => void said.push([text, recorded]) }
    const rpc = new Rpc(link, createCreditPools())
    const asked = fate(rpc.call('public/auth', { client_id: 'me', client_secret: 'hush' }, ['client_secret']))
    await pass(10)
    const [text = '', recorded = ''] = said[0] ?? []
    t.match(text, 'hush')
    t.notMatch(recorded, 'hush')
    t.same(JSON.parse(recorded), {
      jsonrpc: '2.0',
      id: 1,
      method: 'public/auth',
      params: { client_id: 'me', client_secret: '[secret]' },
    })
    rpc.close()
    await pass(10)
    t.equal(asked.times, 1)
  })
})

t.test('Deribit: times that cannot be are measured by nobody', async t => {
  for (const answer of [{ usIn: 5, usOut: 4 }, { usIn: '5', usOut: 6 }, { usIn: NaN, usOut: NaN }, { usIn: 5 }, {}]) {
    await movedTime(async pass => {
      const link: SessionLink = { ...silentLink(), nowUs: () => 100, measured: () => t.fail(JSON.stringify(answer)) }
      const rpc = new Rpc(link, createCreditPools())
      const asked = fate(rpc.call('public/test', {}))
      await pass(10)
      rpc.settle({ id: 1, result: 'ok', ...answer }, 200)
      await pass(10)
      t.equal(asked.value, 'ok')
    })
  }
  await movedTime(async pass => {
    const link: SessionLink = {
      ...silentLink(),
      nowUs: () => 300,
      measured: () => t.fail('answered before it was asked'),
    }
    const rpc = new Rpc(link, createCreditPools())
    fate(rpc.call('public/test', {}))
    await pass(10)
    rpc.settle({ id: 1, result: 'ok', usIn: 5, usOut: 6 }, 200)
  })
})

const ackOf = (over: object) => ({ success: true, ret_msg: '', conn_id: 'a', op: 'subscribe', ...over })

t.test('Bybit: an answer is of the request that it names, by its id, its topics, or by their order', t => {
  const sent: string[] = []
  const requests = new Requests({ send: text => void sent.push(text) })
  const asked = [
    fate(requests.ask('subscribe', ['tickers.A', 'tickers.B'])),
    fate(requests.ask('subscribe', ['tickers.C'])),
    fate(requests.ask('unsubscribe', ['tickers.D'])),
  ]
  const ids = sent.map(text => (JSON.parse(text) as { req_id: string }).req_id)
  t.equal(new Set(ids).size, 3)
  for (const none of [
    {},
    { op: 'pong' },
    { success: 'yes', op: 'subscribe', req_id: ids[0] },
    ackOf({ req_id: 'another' }),
    ackOf({ op: 'ping', ret_msg: 'pong' }),
    ackOf({ op: 'auth' }),
  ])
    t.notOk(requests.settle(none), JSON.stringify(none))
  t.ok(requests.settle(ackOf({ req_id: ids[1], success: false, ret_msg: 'no' })))
  const command = {
    success: true,
    type: 'COMMAND_RESP',
    data: { successTopics: ['tickers.B'], failTopics: ['tickers.A'] },
  }
  t.ok(requests.settle(command))
  t.ok(requests.settle(ackOf({ req_id: '', op: 'unsubscribe' })))
  t.notOk(requests.settle(ackOf({ req_id: ids[1] })), 'each once')
  setImmediate(() => {
    t.same(
      asked.map(({ value }) => value),
      [
        { success: true, message: '', failed: ['tickers.A'] },
        { success: false, message: 'no', failed: [] },
        { success: true, message: '', failed: [] },
      ] satisfies Ack[],
    )
    requests.close()
    t.end()
  })
})

t.test(
  'Bybit: whatever is said and left out, each request ends once: answered, out of time, or with the connection',
  async t => {
    const step = fc.oneof(
      fc.record({ ask: fc.constantFrom<'subscribe' | 'unsubscribe'>('subscribe', 'unsubscribe') }),
      fc.record({ answer: fc.nat({ max: 8 }), by: fc.constantFrom('id', 'topic', 'order', 'stranger') }),
      fc.record({ waitMs: fc.constantFrom(100, 5000, 10_000) }),
    )
    await holds(
      t,
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
        await movedTime(async pass => {
          const sent: { req_id: string; op: string; args: string[] }[] = []
          const requests = new Requests({ send: text => void sent.push(JSON.parse(text) as (typeof sent)[number]) })
          const fates: ReturnType<typeof fate<Ack>>[] = []
          for (const step of steps) {
            if ('ask' in step) fates.push(fate(requests.ask(step.ask, [`tickers.${fates.length}`])))
            else if ('waitMs' in step) await pass(step.waitMs, 5000)
            else {
              const about = sent[step.answer]
              if (!about && step.by !== 'stranger') continue
              const byTopic = { success: true, type: 'COMMAND_RESP', data: { successTopics: about?.args } }
              const byId = ackOf({ op: about?.op, req_id: step.by === 'stranger' ? 'x9' : about?.req_id })
              requests.settle(step.by === 'topic' ? byTopic : step.by === 'order' ? { ...byId, req_id: '' } : byId)
            }
          }
          await pass(10_000, 5000)
          for (const { times } of fates) assert.equal(times, 1)
          for (const { value, error } of fates) assert.ok(value?.success === true || error instanceof UnansweredError)
          const last = fate(requests.ask('subscribe', ['tickers.last']))
          requests.close()
          await pass(10)
          assert.match(last.error?.message ?? '', /connection ended/)
        })
      }),
      { numRuns: 60 },
    )
  },
)

const CHANNELS = ['tickers.BTC-USDT', 'tickers.ETH-USDT', 'trades.BTC-USDT', 'opt-summary.BTC-USD', 'status']

t.test('OKX: of each channel of a request one thing comes, whatever is answered of it, in whatever order', async t => {
  const channel = fc.constantFrom(...CHANNELS)
  const said = fc.oneof(
    fc.record({ ack: channel, hasId: fc.boolean() }),
    fc.record({ flows: channel }),
    fc.record({ error: channel, hasId: fc.boolean() }),
    fc.constant({ unclear: true }),
    fc.record({ waitMs: fc.constantFrom(100, 1000) }),
  )
  const lists = fc.array(fc.uniqueArray(channel, { minLength: 1 }), { minLength: 1, maxLength: 2 })
  await holds(
    t,
    fc.asyncProperty(lists, fc.array(said, { maxLength: 12 }), async (lists, all) => {
      await movedTime(async pass => {
        const sent: string[] = []
        const ops = new Ops(silentLink({ sent }))
        const fates = lists.map(channels => ({ channels, ...{ end: fate(ops.run('subscribe', channels)) } }))
        await pass(50)
        const ids = sent.map(text => (JSON.parse(text) as { id: string }).id)
        for (const one of all) {
          const id = 'hasId' in one && one.hasId ? { id: ids[0] } : {}
          if ('ack' in one) ops.acked({ ...id, event: 'subscribe', arg: argOf(one.ack) })
          else if ('flows' in one) ops.flows(one.flows)
          else if ('unclear' in one) ops.failed({ event: 'error', code: '50011', msg: 'Too Many Requests' })
          else if ('waitMs' in one) await pass(one.waitMs, 500)
          else {
            const { channel, instId, instFamily } = argOf(one.error) ?? { channel: '' }
            const msg = `Wrong URL or channel:${channel}, instId:${instId ?? instFamily ?? ''} doesn't exist.`
            ops.failed({ ...id, event: 'error', code: '60018', msg })
          }
        }
        await pass(20_000, 500)
        for (const { channels, end } of fates) {
          assert.equal(end.times, 1)
          const { accepted, refused, doubtful, unanswered } = end.value as Outcome
          const told = [...accepted, ...refused.keys(), ...(doubtful?.channels ?? []), ...unanswered]
          assert.deepEqual(told.sort(), [...channels].sort(), 'each is told of once')
        }
        assert.equal(ops.isWaiting, false)
        const last = fate(ops.run('unsubscribe', ['status']))
        await pass(1000)
        ops.close()
        await pass(10)
        assert.equal(last.error?.code, 'RPC_CLOSED')
      })
    }),
    { numRuns: 80 },
  )
})
