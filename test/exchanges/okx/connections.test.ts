import t from 'tap'
import { WebSocket } from '../../../platform/web-socket.js'
import { okx } from '../../../exchanges/okx/adapter.js'
import { okxConfig } from '../../../exchanges/okx/config.js'
import { startSimulator } from '../../../exchanges/okx/simulator/main.js'
import { runPool } from '../../fixtures/pool-run.js'
import { until } from '../../fixtures/recorder-process.js'
import { silent } from './quiet-session.js'

// Mostly waits.

t.setTimeout(120_000)

const adapterAt = (url: string) =>
  okx(
    okxConfig.parse({
      ...{ adapter: 'okx', name: 'okx', url, instruments: ['BTC-*-SWAP'] },
      channels: { future: [], option: [], spot: [], perpetual: ['trades', 'books', 'bbo-tbt', 'tickers', 'candle'] },
    }),
    silent,
  )

t.test('a second notice of an end within ten minutes was ignored: the connection ended with a gap', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 0 })
  t.teardown(() => exchange.close())
  const run = runPool(t, exchange.url, adapterAt(exchange.url))
  await until('both sockets are live', () => run.of('live').length === 2)
  for (const round of [1, 2]) {
    exchange.faults.inject({ type: 'upgrade', afterMs: 20_000 })
    await until(`renewed ${round}`, () => run.of('live').length === 2 + 2 * round)
    await until('the old ones are left', () => exchange.connections() === 2)
  }
  const causes = run.of('disconnected').map(({ cause }) => cause)
  t.same(
    causes,
    Array.from({ length: 4 }, () => 'renewed: maintenance announced'),
    'ended by us, each before its end',
  )
  t.equal(run.of('maintenance').length, 4, 'each connection was told, twice')
  t.same(run.of('gap'), [])
  await run.stop()
  t.same(run.of('gap'), [])
})

t.test('three new connections in a second are what an address may make: further ones are refused', async t => {
  const exchange = await startSimulator({ rate: 50, instruments: 0 })
  t.teardown(() => exchange.close())
  const dialled = await Promise.all(
    Array.from({ length: 5 }, () => {
      const socket = new WebSocket(exchange.url)
      return new Promise<boolean>(resolve => {
        socket.once('open', () => resolve(true))
        socket.once('error', () => resolve(false))
      }).finally(() => socket.close())
    }),
  )
  t.equal(dialled.filter(Boolean).length, 3, 'by the simulated exchange')
  await until('the sockets are gone', () => exchange.connections() === 0)
  await new Promise(resolve => setTimeout(resolve, 1100))
  const run = runPool(t, exchange.url, adapterAt(exchange.url), 1, { channelsPerConnection: 2 })
  const expected = () => run.pool.connections.length
  await until('all are live', () => expected() >= 5 && run.of('live').length >= expected())
  // A loaded machine may bunch two of them.
  const refused = () => run.of('connect_failed').length
  t.ok(refused() <= 1, 'the recorder takes its time')
  // All break at once, and all come again.
  exchange.faults.inject({ type: 'close' })
  await until('all are live again', () => run.of('live').length >= 2 * expected())
  t.ok(refused() <= 2)
  await run.stop()
})
