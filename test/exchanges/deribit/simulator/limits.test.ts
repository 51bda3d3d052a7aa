import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from '../../../../platform/web-socket.js'
import { Credits } from '../../../../exchanges/deribit/simulator/credits.js'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { sleep, TestClient } from './client.js'

// They mostly wait.
t.jobs = 3

t.test('credits: the burst of the documentation, then its refill', t => {
  let nowMs = 0
  const credits = new Credits(1, () => nowMs)
  const burst = (pool: 'ordinary' | 'subscribe' | 'instruments') => {
    let calls = 0
    while (credits.spend('ip', pool)) calls++
    return calls
  }
  t.equal(burst('ordinary'), 100)
  t.equal(burst('subscribe'), 10)
  t.equal(burst('instruments'), 50)
  nowMs = 1000
  t.equal(burst('ordinary'), 20)
  t.equal(burst('subscribe'), 3)
  t.equal(burst('instruments'), 1)
  t.ok(credits.spend('another ip', 'subscribe'), 'pools are per caller')
  t.end()
})

t.test('over the rate: 10028, and the session is ended', async t => {
  const simulator = await startSimulator({ instruments: 0, rate: 10 })
  t.teardown(() => simulator.close())
  const client = await TestClient.connect(simulator.url)
  let calls = 0
  let answer
  do {
    answer = await client.call('public/subscribe', { channels: ['quote.BTC-PERPETUAL'] })
    calls++
  } while (!answer.error && calls < 30)
  t.match(answer.error, { code: 10028, message: 'too_many_requests' })
  t.ok(calls >= 11 && calls < 25, `after ${calls} calls`)
  await client.until(() => client.closed)
  t.notOk(simulator.connections(), 'nothing is left')
})

t.test('the 33rd connection gets HTTP 429; a closed one makes room', async t => {
  const simulator = await startSimulator({ instruments: 0, rate: 10 })
  t.teardown(() => simulator.close())
  const clients = await Promise.all(Array.from({ length: 32 }, () => TestClient.connect(simulator.url)))
  const refused = new WebSocket(simulator.url)
  const [error] = (await once(refused, 'error')) as [Error]
  t.match(error.message, /429/)
  t.equal((await fetch(`${simulator.httpUrl}/public/get_time`)).status, 429)
  clients[0]?.close()
  await clients[1]?.until(() => simulator.connections() === 31)
  const again = await TestClient.connect(simulator.url)
  for (const client of [...clients, again]) client.close()
})

t.test('a reader that does not keep up is cut', async t => {
  const simulator = await startSimulator({ instruments: 40, rate: 8_000, maxBufferedBytes: 50_000, credits: false })
  t.teardown(() => simulator.close())
  const client = await TestClient.connect(simulator.url)
  const names = [...simulator.market.listings.keys()]
  await client.subscribe(...names.flatMap(name => [`quote.${name}`, `book.${name}.100ms`, `ticker.${name}.100ms`]))
  client.socket.pause()
  await client.until(() => simulator.connections() === 0)
  client.socket.resume()
  t.match(await client.until(() => client.closed), { code: /1006|1008/ })
})

t.test('heartbeat: asks in its rhythm, closes with 4000 when nobody answers', async t => {
  // 3/100 of real times: interval 10 s is 300 ms, the answer is due within 300 ms.
  const simulator = await startSimulator({ instruments: 0, rate: 10, timeScale: 0.03 })
  t.teardown(() => simulator.close())
  const client = await TestClient.connect(simulator.url)
  client.answerHeartbeats = true
  const startedMs = Date.now()
  t.equal((await client.call('public/set_heartbeat', { interval: 10 })).result, 'ok')
  await client.until(() => client.heartbeats.includes('test_request'))
  t.ok(Date.now() - startedMs >= 350, 'the first one comes after more than the interval')
  t.ok(client.heartbeats.includes('heartbeat'), 'an idle socket gets both types')
  const asked = () => client.heartbeats.filter(type => type === 'test_request').length
  await client.until(() => client.closed ?? asked() >= 4)
  t.notOk(client.closed, 'answered, so it stays open')
  client.answerHeartbeats = false
  t.strictSame(await client.until(() => client.closed), { code: 4000, reason: 'heartbeat close' })
})

t.test('a socket with neither heartbeat nor subscriptions is cut after 60.5 s, others are not', async t => {
  const simulator = await startSimulator({ instruments: 0, rate: 10, timeScale: 0.01 })
  t.teardown(() => simulator.close())
  const idle = await TestClient.connect(simulator.url)
  const quiet = await TestClient.connect(simulator.url)
  await quiet.subscribe('announcements')
  t.strictSame(await idle.until(() => idle.closed), { code: 1006, reason: '' })
  await sleep(700)
  t.notOk(quiet.closed)
  quiet.close()
})
