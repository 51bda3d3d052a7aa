import pino from 'pino'
import t from 'tap'
import { parseConfig } from '../../config/load.js'
import { oneExchange } from '../../config/one-exchange.js'
import { probeExchange } from '../../recorder/probe-exchange.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { PERPETUAL, scriptedExchange } from '../fixtures/scripted-exchange.js'

const log = pino({ level: 'silent' })
const { signal } = new AbortController()
const LOGIN = { clientId: 'me', clientSecret: 'hush' }

const probe = (exchange: object, credentials?: typeof LOGIN, frameWithinMs?: number) =>
  probeExchange({
    exchange: oneExchange(parseConfig(JSON.stringify({ exchange: { name: 'deribit', ...exchange } }), 'test.yaml')),
    credentials,
    log,
    signal,
    ...(frameWithinMs === undefined ? {} : { frameWithinMs }),
  })

t.test('an exchange that does all that the recorder will ask of it', async t => {
  const exchange = await startSimulator({ rate: 300, instruments: 20, credentials: [LOGIN] })
  t.teardown(() => exchange.close())
  const found = await probe({ url: exchange.url })
  t.match(found.channel, /^quote\..*PERPETUAL$/, 'the busiest channel that speaks up at once')
  t.ok(found.firstFrameMs > 0)
  t.ok(found.clock && Math.abs(found.clock.offsetUs) < 1e6 && found.clock.roundTripUs >= 0, 'by its own clock')
  t.ok((found.families.get('trades')?.channels ?? 0) > 0, 'what it would take is counted')
  t.ok([...found.families.values()].every(({ framesPerSecond }) => framesPerSecond > 0))
  t.equal(exchange.connections(), 0, 'and it is gone')

  t.test('with a login', async t => {
    const raw = { url: exchange.url, interval: 'raw' }
    await t.resolves(probe(raw, LOGIN))
    await t.resolves(probe({ ...raw, rawFallback: '100ms' }), 'without one, as the config foresees')
    await t.rejects(probe(raw), { code: 'CREDENTIALS_MISSING', hint: /DERIBIT_CLIENT_ID/ })
    await t.rejects(probe(raw, { ...LOGIN, clientSecret: 'wrong' }), {
      code: 'EXCHANGE_REFUSES',
      message: /13004/,
      hint: /DERIBIT_CLIENT_SECRET/,
    })
  })

  t.test('nothing fits the config', async t => {
    const none = { url: exchange.url, currencies: ['ZZZ'] }
    await t.rejects(probe(none), { code: /^EXCHANGE_PLANS_NOTHING|RPC_REFUSED$/ })
  })
})

t.test('an exchange that says yes and sends nothing', async t => {
  const exchange = await scriptedExchange([PERPETUAL], () => undefined)
  t.teardown(() => exchange.close())
  await t.rejects(probe({ url: exchange.url }, undefined, 200), {
    code: 'EXCHANGE_SILENT',
    message: /quote\.BTC-PERPETUAL within 0.2 s/,
  })
})

t.test('an exchange that cuts the connection', async t => {
  const exchange = await scriptedExchange([PERPETUAL], socket => socket.terminate())
  t.teardown(() => exchange.close())
  await t.rejects(probe({ url: exchange.url }), { code: 'EXCHANGE_UNREACHABLE', message: /1006/, hint: /network/ })
})

t.test('nobody there', async t => {
  const exchange = await scriptedExchange([], () => undefined)
  await exchange.close()
  await t.rejects(probe({ url: exchange.url }), { code: 'HTTP_CALL_FAILED' })
  const feed = { name: 'feed', adapter: 'generic', url: exchange.url }
  await t.rejects(probe(feed), { code: 'EXCHANGE_UNREACHABLE', message: /ECONNREFUSED/, hint: /exchange\.url/ })
})

t.test('a described feed: whatever it sends is data', async t => {
  const exchange = await startSimulator({ rate: 300, instruments: 4 })
  t.teardown(() => exchange.close())
  const send = [{ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels: ['quote.BTC-PERPETUAL'] } }]
  const found = await probe({ name: 'feed', adapter: 'generic', url: exchange.url, send })
  t.equal(found.channel, undefined)
  t.equal(found.clock, undefined, 'it does not tell its time')
})
