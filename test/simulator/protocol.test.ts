import t, { type Test } from 'tap'
import { WebSocket } from '../../platform/web-socket.js'
import { startSimulator } from '../../simulator/main.js'
import { plainProtocol } from './plain-exchange.js'

// They mostly wait.
t.jobs = 3

/** A client that keeps all that it hears. */
async function connect(url: string) {
  const socket = new WebSocket(url)
  const heard: string[] = []
  let closed: number | undefined
  let wake: () => void = () => undefined
  socket.on('message', data => {
    heard.push((data as Buffer).toString())
    wake()
  })
  socket.on('close', code => {
    closed = code
    wake()
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const until = async (isThere: () => boolean) => {
    while (!isThere()) await new Promise<void>(resolve => (wake = resolve))
  }
  return { socket, heard, until, closed: () => closed }
}

async function started(t: Test) {
  const simulator = await startSimulator(plainProtocol, { instruments: 10, rate: 300 })
  t.teardown(() => simulator.close())
  return simulator
}

t.test('a protocol of its own speaks over the shared market, on several paths', async t => {
  const simulator = await started(t)
  t.match(simulator.url, /\/public$/)
  t.match(simulator.httpUrl, /\/rest$/)
  const other = await connect(simulator.url.replace('/public', '/business'))
  await other.until(() => other.heard.length > 0)
  t.strictSame(other.heard, ['welcome to /business'])
  const client = await connect(simulator.url)
  client.socket.send('linear:BTCUSDT')
  client.socket.send('spot:BTCUSDT')
  const of = (category: string) => client.heard.filter(text => text.startsWith(`${category}:BTCUSDT `))
  await client.until(() => of('linear').length > 2 && of('spot').length > 2)
  const prices = new Set(client.heard.slice(1).map(text => typeof JSON.parse(text.split(' ')[1] ?? '')))
  t.strictSame([...prices], ['number'])
  const answer = (await (await fetch(`${simulator.httpUrl}/time?zone=UTC`)).json()) as object
  t.match(answer, { path: 'time', query: { zone: 'UTC' } })
  t.equal((await fetch(simulator.httpUrl.replace('/rest', '/elsewhere'))).status, 404)
})

t.test('faults are ordered over HTTP whatever the protocol, and strike in its words', async t => {
  const simulator = await started(t)
  const order = async (fault: object) =>
    fetch(simulator.httpUrl.replace('/rest', '/control/fault'), { method: 'POST', body: JSON.stringify(fault) })
  const client = await connect(simulator.url)
  await order({ type: 'reject_subscribe', code: 7, message: 'not today' })
  client.socket.send('linear:BTCUSDT')
  await client.until(() => client.heard.includes('refused: not today'))
  await order({ type: 'deep', channel: 'linear:*', depth: 3 })
  client.socket.send('linear:BTCUSDT')
  await client.until(() => client.heard.includes('linear:BTCUSDT [[[]]]'))
  t.equal((await order({ type: 'no such fault' })).status, 400)
  await order({ type: 'maintenance', forMs: 60_000 })
  await client.until(() => client.closed() !== undefined)
  t.equal(client.heard.at(-1), 'maintenance')
  t.equal(client.closed(), 1001)
  const refused = await fetch(`${simulator.httpUrl}/time`)
  t.strictSame([refused.status, await refused.json()], [503, { reason: 'maintenance' }])
  await t.rejects(connect(simulator.url), /503/)
})
