import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import type { Fault, Simulator } from '../../../../simulator/main.js'
import { sleep, TestClient } from './client.js'
import { RebuiltBook } from './rebuild.js'

const CHANNEL = 'book.BTC-PERPETUAL.100ms'

async function running(t: {
  teardown(run: () => Promise<void>): void
}): Promise<{ simulator: Simulator; client: TestClient }> {
  const simulator = await startSimulator({ instruments: 0, rate: 2_000, credits: false })
  const client = await TestClient.connect(simulator.url)
  t.teardown(async () => {
    client.close()
    await simulator.close()
  })
  await client.subscribe(CHANNEL, 'platform_state')
  await client.until(() => client.of(CHANNEL).length > 1)
  return { simulator, client }
}

async function order(simulator: Simulator, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const url = simulator.httpUrl.replace('/api/v2', `/control/${path}`)
  const response = await fetch(url, body ? { method: 'POST', body: JSON.stringify(body) } : {})
  return { status: response.status, body: await response.json() }
}

t.test('a dropped frame breaks the chain once', async t => {
  const { simulator, client } = await running(t)
  simulator.faults.inject({ type: 'drop', channel: CHANNEL })
  await client.until(() => simulator.faults.struck['drop'] === 1)
  const breaks = () => {
    const book = new RebuiltBook()
    for (const frame of client.of(CHANNEL)) book.apply(frame)
    return book.breaks
  }
  await client.until(() => breaks() > 0)
  const count = client.of(CHANNEL).length
  await client.until(() => client.of(CHANNEL).length > count + 3)
  t.equal(breaks(), 1)
})

t.test('a doubled frame, by control call', async t => {
  const { simulator, client } = await running(t)
  t.match(await order(simulator, 'fault', { type: 'duplicate', channel: 'book.*', times: 2 }), { status: 200 })
  await client.until(() => simulator.faults.struck['duplicate'] === 2)
  const ids = () => client.of(CHANNEL).map(frame => frame['change_id'])
  const doubles = () => ids().length - new Set(ids()).size
  await client.until(() => doubles() === 2)
  const count = ids().length
  await client.until(() => ids().length > count + 2)
  t.equal(doubles(), 2)
  t.match(await order(simulator, 'state'), { body: { faults: { duplicate: 2 }, connections: 1 } })
})

t.test('a delayed frame arrives after later ones', async t => {
  const { simulator, client } = await running(t)
  simulator.faults.inject({ type: 'delay', channel: CHANNEL, delayMs: 250 })
  await client.until(() => simulator.faults.struck['delay'] === 1)
  const ids = () => client.of(CHANNEL).map(frame => Number(frame['change_id']))
  const isOvertaken = () => ids().some((id, place, all) => id < (all[place - 1] ?? 0))
  await client.until(isOvertaken)
  t.ok(isOvertaken())
})

t.test('frames that are no good', async t => {
  const { simulator, client } = await running(t)
  const faults: Fault[] = [
    { type: 'malformed', channel: CHANNEL },
    { type: 'huge', channel: CHANNEL, bytes: 3_000_000 },
    { type: 'deep', channel: CHANNEL, depth: 5_000 },
    { type: 'binary', channel: CHANNEL },
  ]
  let binary = 0
  client.socket.on('message', (_data, isBinary) => (binary += isBinary ? 1 : 0))
  for (const fault of faults) simulator.faults.inject(fault)
  await client.until(() => binary === 1)
  t.ok(
    client.texts.some(text => !text.endsWith('}')),
    'cut in half',
  )
  t.ok(client.texts.some(text => text.length > 3_000_000))
  t.ok(client.texts.some(text => text.includes('['.repeat(5_000))))
})

t.test('a subscribe call fails as ordered, the next one works', async t => {
  const { simulator, client } = await running(t)
  await order(simulator, 'fault', { type: 'reject_subscribe', code: 10047, message: 'matching_engine_queue_full' })
  const failed = await client.call('public/subscribe', { channels: ['quote.BTC-PERPETUAL'] })
  t.match(failed.error, { code: 10047, message: 'matching_engine_queue_full' })
  t.strictSame(await client.subscribe('quote.BTC-PERPETUAL'), ['quote.BTC-PERPETUAL'])
})

t.test('half-open: silent, but connected; new connections work', async t => {
  const { simulator, client } = await running(t)
  await order(simulator, 'fault', { type: 'silence' })
  // What was on its way then still arrives.
  for (let before = -1; before < client.texts.length;) {
    before = client.texts.length
    await sleep(200)
  }
  const count = client.texts.length
  client.socket.send('{"jsonrpc":"2.0","id":1,"method":"public/test"}')
  let pongs = 0
  client.socket.on('pong', () => pongs++)
  client.socket.ping()
  await sleep(300)
  t.equal(client.texts.length, count)
  t.equal(pongs, 0)
  t.notOk(client.closed)
  const other = await TestClient.connect(simulator.url)
  t.ok((await other.call('public/test')).result)
  other.close()
})

t.test('closed with a code, or cut', async t => {
  const { simulator, client } = await running(t)
  await order(simulator, 'fault', { type: 'close', code: 1012, reason: 'restart' })
  t.strictSame(await client.until(() => client.closed), { code: 1012, reason: 'restart' })
  const second = await TestClient.connect(simulator.url)
  simulator.faults.inject({ type: 'close' })
  t.strictSame(await second.until(() => second.closed), { code: 1006, reason: '' })
})

t.test('maintenance: notice, 11051 without id, closed, refused for a while', async t => {
  const { simulator, client } = await running(t)
  simulator.faults.inject({ type: 'maintenance', forMs: 1_500 })
  await client.until(() => client.closed)
  t.strictSame(client.of('platform_state').at(-1), { maintenance: true })
  t.match(client.strays.at(-1), { error: { code: 11051, message: 'system_maintenance' } })
  await t.rejects(TestClient.connect(simulator.url), /503/)
  t.equal((await fetch(`${simulator.httpUrl}/public/get_time`)).status, 503)
  const isOver = async () => (await fetch(`${simulator.httpUrl}/public/get_time`)).status !== 503
  while (!(await isOver())) await sleep(50)
  const again = await TestClient.connect(simulator.url)
  t.ok((await again.call('public/test')).result)
  again.close()
})

t.test('control says what it does not understand', async t => {
  const { simulator } = await running(t)
  t.equal((await order(simulator, 'fault', { type: 'earthquake' })).status, 400)
  t.equal((await order(simulator, 'fault', { type: 'drop' })).status, 400)
  t.equal((await order(simulator, 'elsewhere', {})).status, 404)
})

t.test('one channel of a call is refused: left out of the answer, and only so often', async t => {
  const { simulator, client } = await running(t)
  const asked = ['quote.BTC-PERPETUAL', 'ticker.BTC-PERPETUAL.100ms', 'ticker.ETH-PERPETUAL.100ms']
  t.match(await order(simulator, 'fault', { type: 'refuse_channel', channel: 'ticker.BTC*' }), { status: 200 })
  t.strictSame(await client.subscribe(...asked), ['ticker.ETH-PERPETUAL.100ms', 'quote.BTC-PERPETUAL'])
  await client.until(() => client.of('quote.BTC-PERPETUAL').length > 2)
  t.equal(client.of('ticker.BTC-PERPETUAL.100ms').length, 0)
  t.strictSame(await client.subscribe(...asked), [...asked].sort().reverse())
  t.equal(simulator.faults.struck['refuse_channel'], 1)
})
