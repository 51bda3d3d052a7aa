import t from 'tap'
import { okx } from '../../../exchanges/okx/adapter.js'
import { okxConfig } from '../../../exchanges/okx/config.js'
import { startSimulator } from '../../../exchanges/okx/simulator/main.js'
import type { Recording } from '../../../exchanges/adapter.js'
import { until } from '../../fixtures/recorder-process.js'
import { silent } from './quiet-session.js'

const adapterAt = (url: string) =>
  okx(okxConfig.parse({ adapter: 'okx', name: 'okx', url, instruments: ['BTC-*-SWAP'] }), silent)
const nobody = () => undefined

t.test('delisted without a push: given up by the next list, three of them later before', async t => {
  const exchange = await startSimulator({ rate: 1, instruments: 0 })
  t.teardown(() => exchange.close())
  const adapter = adapterAt(exchange.url)
  const { signal } = new AbortController()
  const { plan } = await adapter.discover(nobody, signal)
  t.ok(plan.has('books.BTC-USD-SWAP'))

  exchange.faults.inject({ type: 'short_list', currency: 'SWAP', instrument: 'BTC-USD-SWAP' })
  t.same(
    (await adapter.discover(nobody, signal)).removed,
    [],
    'one list that lacks it is short: asked for alone, it is there',
  )

  exchange.faults.inject({ type: 'short_list', instrument: 'BTC-USD-SWAP', times: Infinity })
  const { removed, plan: left } = await adapter.discover(nobody, signal)
  t.same(removed, [{ instruments: ['BTC-USD-SWAP'], reason: 'not listed any more' }])
  t.notOk(left.has('books.BTC-USD-SWAP'))
  t.ok(left.has('books.BTC-USDT-SWAP'))
})

t.test('settled funding is asked for, as only a method gives it', async t => {
  const exchange = await startSimulator({ rate: 1, instruments: 0 })
  t.teardown(() => exchange.close())
  const adapter = adapterAt(exchange.url)
  const stopping = new AbortController()
  await adapter.discover(nobody, stopping.signal)
  const taken: { family: string; rows: { instId: string; fundingTime: string }[] }[] = []
  const answered = new Map<string, number>()
  const recording: Recording = {
    take: (_conn, family, answer) => {
      const { data } = JSON.parse(answer.toString('utf8')) as { data: { instId: string; fundingTime: string }[] }
      taken.push({ family, rows: data })
    },
    journal: nobody,
    nowUs: () => Date.now() * 1000,
    earlier: async function* () {
      // Nothing was recorded before.
    },
    polled: {
      load: () => Promise.resolve(),
      save: () => Promise.resolve(),
      answeredMs: id => answered.get(id),
      note: (id, ms) => void answered.set(id, ms),
      keepOnly: nobody,
    },
  }
  const attended = adapter.attend?.(recording, stopping.signal)
  const ofFunding = () => taken.filter(({ family }) => family === 'funding_history')
  const settled = () => new Set(ofFunding().flatMap(({ rows }) => rows.map(row => `${row.instId} ${row.fundingTime}`)))
  await until('a month of both swaps came, eight hours apart', () => settled().size === 180)
  stopping.abort()
  await attended
  t.ok(ofFunding().every(({ rows }) => rows.every(({ fundingTime }) => Number(fundingTime) <= Date.now())))
  t.same([...answered.keys()].sort(), ['funding_history BTC-USD-SWAP', 'funding_history BTC-USDT-SWAP'])
})
