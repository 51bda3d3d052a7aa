import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { TestClient, type Answer } from './client.js'

const simulator = await startSimulator({ instruments: 20, rate: 50 })
const client = await TestClient.connect(simulator.url)
t.teardown(async () => {
  client.close()
  await simulator.close()
})

t.test('an answer has the envelope of the wire, in its key order', async t => {
  const answer = await client.call('public/get_time')
  t.match(answer, { jsonrpc: '2.0', testnet: true })
  t.equal(answer.usDiff, answer.usOut - answer.usIn)
  t.ok(Math.abs(Number(answer.result) - Date.now()) < 2_000, 'real time by default')
  t.match(
    client.texts.at(-1),
    /^\{"jsonrpc":"2\.0","id":\d+,"result":\d+,"usIn":\d+,"usOut":\d+,"usDiff":\d+,"testnet":true\}$/,
  )
})

t.test('the id comes back with its type', async t => {
  t.equal((await client.call('public/test', {}, 'seven')).id, 'seven')
  t.equal((await client.call('public/test', {}, 7)).id, 7)
})

t.test('a request without id is answered without id', async t => {
  client.socket.send('{"jsonrpc":"2.0","method":"public/test"}')
  const stray = await client.until(() => client.strays.shift())
  t.notOk('id' in stray)
  t.ok(stray.result)
})

t.test('what is wrong with a request decides the error', async t => {
  client.socket.send('{"jsonrpc":')
  await client.until(() => client.strays.length === 1)
  t.match(
    client.texts.at(-1),
    /^\{"jsonrpc":"2\.0","error":\{"code":11050,"data":"invalid json","message":"bad_request"\},"usIn":/,
  )
  client.strays.shift()

  const cases: [string, object | undefined, object][] = [
    ['public/no_such', {}, { code: -32601, message: 'Method not found' }],
    [
      'public/set_heartbeat',
      { interval: 5 },
      { code: -32602, data: { reason: 'value must be >= 10', param: 'interval' } },
    ],
    ['public/get_order_book', {}, { code: -32602, data: { reason: 'value is required', param: 'instrument_name' } }],
    ['public/get_order_book', undefined, { code: -32000 }],
    ['public/ticker', { instrument_name: 'BTC-1JAN20' }, { code: -32602, data: { reason: 'instrument not found' } }],
    ['public/get_instruments', { currency: 'DOGE' }, { code: -32602, data: { reason: 'invalid currency' } }],
    ['private/subscribe', { channels: [] }, { code: 13009, data: { reason: 'invalid_token' } }],
    ['public/auth', { grant_type: 'client_credentials', client_id: 'a', client_secret: 'b' }, { code: 13004 }],
    ['public/subscribe', { channels: 'book' }, { code: -32602, data: { param: 'channels' } }],
    ['public/subscribe', { channels: Array.from({ length: 501 }, (_, n) => `c${n}`) }, { code: -32602 }],
    ['public/test', { expected_result: 'exception' }, { code: 10001 }],
  ]
  for (const [method, params, error] of cases) {
    const answer = await client.call(method, params)
    t.match(answer.error, error, `${method} ${JSON.stringify(params ?? null).slice(0, 40)}`)
    t.notOk('result' in answer)
  }
  client.socket.send('[{"jsonrpc":"2.0","id":1,"method":"public/test"}]')
  const batch = await client.until(() => client.strays.shift())
  t.equal(batch.error?.code, -32600, 'no batches')
})

t.test('a frame over 32 kB is refused, the socket stays', async t => {
  client.socket.send(JSON.stringify({ id: 99, method: 'public/test', params: { fill: 'x'.repeat(33_000) } }))
  const stray = await client.until(() => client.strays.shift())
  t.match(stray.error, { code: -32600, message: 'request entity too large' })
  t.ok((await client.call('public/hello', { client_name: 'test', client_version: '1' })).result)
})

t.test('HTTP: GET without id, POST with it, errors as 400, session methods refused', async t => {
  const got = await fetch(`${simulator.httpUrl}/public/get_index_price?index_name=btc_usd`)
  const body = (await got.json()) as Answer
  t.equal(got.status, 200)
  t.notOk('id' in body)
  t.match(body.result, { index_price: Number })

  const post = (path: string, method: string, params: object) =>
    fetch(`${simulator.httpUrl}${path}`, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 'p', method, params }),
    })
  const posted = (await (await post('', 'public/get_time', {})).json()) as Answer
  t.equal(posted.id, 'p')
  const refused = await post('/public/subscribe', 'public/subscribe', { channels: [] })
  t.equal(refused.status, 400)
  t.equal(((await refused.json()) as Answer).error?.code, 10030)
  t.equal((await fetch(`${simulator.httpUrl}/public/nonsense`)).status, 400)
  t.equal((await fetch(simulator.httpUrl.replace('/api/v2', '/elsewhere'))).status, 404)
})
