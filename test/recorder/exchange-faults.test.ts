import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTls } from 'node:tls'
import t, { type Test } from 'tap'
import { WebSocketServer, type WebSocket } from '../../platform/web-socket.js'
import { deribitConfig } from '../../exchanges/deribit/config.js'
import { createLogger } from '../../platform/log.js'
import { deribit } from '../../exchanges/deribit/adapter.js'
import { refusalsThat, TOO_MANY_REQUESTS } from '../../exchanges/deribit/refusal-codes.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { ONE_CHANNEL, runPool, type PoolRun } from '../fixtures/pool-run.js'
import { needs } from '../fixtures/needs.js'
import { until } from '../fixtures/recorder-process.js'
import { PERPETUAL, scriptedExchange } from '../fixtures/scripted-exchange.js'
import { matchAll } from '../fixtures/match-all.js'

// Mostly waits.

t.jobs = 20
t.setTimeout(120_000)

/** A tenth of what is so in production, so that the tests are quick. */
const HASTY = { liveness: { probeAfterMs: undefined, deadAfterMs: 2000 } }

const isLive = ({ pool }: PoolRun, sessions = 1) =>
  pool.connections.length > 0 && pool.connections.every(each => each.state === 'live' && each.sessions >= sessions)

const QUOTE = '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"n":1}}}'

/** A server of bare TCP. */
async function tcp(t: Test, onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/api/v2`
}

t.test('silence of two heartbeats is a dead connection', t => {
  const config = deribitConfig.parse({ adapter: 'deribit', name: 'deribit' })
  t.ok(deribit(config, undefined, createLogger('test')).liveness.deadAfterMs <= 20_000)
  t.end()
})

t.test('half-open: found, journalled as a gap, and opened anew', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 8 })
  t.teardown(() => exchange.close())
  const run = runPool(t, exchange.url, HASTY)
  await until('live', () => isLive(run))
  exchange.faults.inject({ type: 'silence' })
  await until('live again', () => isLive(run, 2))
  matchAll(t, run.of('disconnected'), [{ conn: 'd1', cause: /^nothing received for/, code: 1006 }])
  matchAll(t, run.of('gap'), [{ conn: 'd1', cause: /^nothing received/, families: /\bbook,chart\.trades\b/ }])
})

for (const [name, fault, pattern] of [
  ['1000', { code: 1000, reason: 'bye' }, /1000 bye/],
  ['1006', {}, /1006/],
  ['4000', { code: 4000, reason: 'heartbeat' }, /4000/],
] as const) {
  t.test(`closed with ${name}: one line, one gap, and on it goes`, async t => {
    const exchange = await startSimulator({ rate: 100, instruments: 8 })
    t.teardown(() => exchange.close())
    const run = runPool(t, exchange.url)
    await until('live', () => isLive(run))
    exchange.faults.inject({ type: 'close', ...fault })
    await until('live again', () => isLive(run, 2))
    matchAll(t, run.of('disconnected'), [{ cause: pattern }])
    t.equal(run.of('gap').length, 1)
    await run.stop()
    t.equal(run.of('gap').length, 1, 'our own end is no gap')
  })
}

t.test('maintenance that is announced: the new connection is there before the old one ends', async t => {
  let announce: WebSocket | undefined
  const exchange = await scriptedExchange([PERPETUAL], socket => {
    announce ??= socket
    socket.send(QUOTE)
  })
  t.teardown(() => exchange.close())
  const run = runPool(t, exchange.url)
  await until('live', () => isLive(run))
  const notice =
    '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"platform_state","data":{"maintenance":true}}}'
  for (let times = 0; times < 50; times++) announce?.send(notice)
  await until('renewed', () => run.of('disconnected').length === 1)
  t.equal(run.of('maintenance').length, 1, 'said once')
  matchAll(t, run.of('connected'), [{ conn: 'd1' }, { conn: 'd1b' }])
  matchAll(t, run.of('disconnected'), [{ conn: 'd1', cause: 'renewed: maintenance announced' }])
  t.equal(run.of('gap').length, 0)
  t.equal(run.frames.get('d1')?.filter(frame => frame.equals(Buffer.from(notice))).length, 50, 'every frame is kept')
  t.ok(run.frames.get('d1b')?.some(frame => frame.equals(Buffer.from(QUOTE))))
  t.equal(run.pool.connections[0]?.state, 'live')
})

t.test('maintenance with 11051, and nobody there for a while', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 8 })
  t.teardown(() => exchange.close())
  const run = runPool(t, exchange.url)
  await until('live', () => isLive(run))
  exchange.faults.inject({ type: 'maintenance', forMs: 1500 })
  await until('live again', () => isLive(run, 2) && run.of('gap').length > 0)
  t.equal(run.of('error').filter(({ code }) => code === 11051).length, 1)
  t.match(run.of('error')[0], { hint: /maintenance/ })
  t.ok(run.of('connect_failed').length <= 2, 'tries that failed are one line')
})

t.test('10028 and a close: the next connection waits', async t => {
  const exchange = await scriptedExchange([PERPETUAL], socket => {
    socket.send('{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}}')
    socket.close()
  })
  t.teardown(() => exchange.close())
  const run = runPool(t, exchange.url)
  await until('it waits', () => run.pool.connections[0]?.state === 'waiting')
  matchAll(t, run.of('error'), [{ code: 10028, hint: /callsPerSecond/ }])
  await delay(2500)
  t.equal(run.pool.connections[0]?.sessions, 1, 'with usual patience it would have come back at once')
})

const passing = refusalsThat('passes').filter(({ code }) => [10028, 11051, 13028].includes(code))
t.equal(passing.length, 3)
for (const { code, message } of passing) {
  t.test(`${code} ${message}: an outage in which connections are given nothing is told once, as one`, async t => {
    const exchange = await startSimulator({ rate: 100, instruments: 8 })
    t.teardown(() => exchange.close())
    const run = runPool(t, exchange.url)
    await until('live', () => isLive(run))
    exchange.faults.inject({ type: 'reject_subscribe', code, message, times: code === TOO_MANY_REQUESTS ? 1 : 2 })
    exchange.faults.inject({ type: 'close' })
    const tries = () => run.of('disconnected').length + run.of('repeated').length
    await until('tries fail', () => tries() > 1)
    await until('live again', () => isLive(run) && run.of('gap').length > 0)
    t.match(run.of('disconnected')[1], { cause: new RegExp(String(code)), before_live: true })
    const spans = run.of('gap').map(({ from_us: from, to_us: to }) => [Number(from), Number(to)] as const)
    t.equal(new Set(spans.map(String)).size, 1, 'one span', { spans })
    const [from = 0, to = 0] = spans[0] ?? []
    t.ok(to >= (run.of('live').at(-1)?.recv_us ?? Infinity) - 1000, 'to where it lived again')
    t.ok(from <= (run.of('disconnected')[0]?.recv_us ?? 0))
    t.equal(run.of('live').length, 2, 'it was live before and after')
    t.equal(run.of('rejected').length, 0)
  })
}

t.test('429: the exchange says how long to stay away', async t => {
  let calls = 0
  const http = createHttp((_request, response) => response.writeHead(500).end())
  const sockets = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    if (++calls === 1) socket.end('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n')
    else sockets.handleUpgrade(request, socket, head, open => answerAll(open))
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const open of sockets.clients) open.terminate()
    http.close()
  })
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`
  const run = runPool(t, url, ONE_CHANNEL)
  await until('it was told', () => run.of('connect_failed').length > 0)
  matchAll(t, run.of('connect_failed'), [{ message: /HTTP 429/, hint: /connectionsMax/ }])
  const toldMs = performance.now()
  await until('live', () => isLive(run), 60_000)
  t.ok(performance.now() - toldMs > 900, 'not before')
})

/** Says yes to everything. */
function answerAll(socket: WebSocket): void {
  socket.on('message', (data: Buffer) => {
    const { id, params } = JSON.parse(data.toString('utf8')) as { id: number; params: { channels?: string[] } }
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: params.channels ?? 'ok' }))
  })
}

t.test('no TLS there, a name that does not exist, nobody listens: one line each, with what to do', async t => {
  const plain = await tcp(t, socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const cases = [
    [plain.replace('ws:', 'wss:'), /TLS/],
    ['ws://no-such-host.invalid/', /DNS/],
    ['ws://127.0.0.1:1/', /nobody listens/],
  ] as const
  await Promise.all(
    cases.map(async ([url, hint]) => {
      const run = runPool(t, url, ONE_CHANNEL)
      await until('several tries', () => (run.pool.connections[0]?.sessions ?? 0) > 3)
      matchAll(t, run.of('connect_failed'), [{ conn: 'd1', hint }], url)
      await run.stop()
      matchAll(t, run.of('repeated'), [{ of: 'connect_failed', count: Number }])
      t.equal(run.of('gap').length, 0, 'nothing was recorded yet')
    }),
  )
})

t.test('a certificate that nobody vouches for is refused, once and for all tries', async t => {
  if (!needs(t, 'openssl')) return
  const folder = t.testdir({})
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  let reached = 0
  const server = createTls({ key: readFileSync(key), cert: readFileSync(cert) }, socket => {
    socket.once('data', () => reached++)
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const run = runPool(t, `wss://localhost:${(server.address() as AddressInfo).port}/`, ONE_CHANNEL)
  await until('several tries', () => (run.pool.connections[0]?.sessions ?? 0) > 2)
  matchAll(t, run.of('connect_failed'), [{ conn: 'd1', message: /self-signed/, hint: /certificate is not trusted/ }])
  t.equal(reached, 0, 'nothing is said to a stranger')
})

t.test('a server that accepts and says nothing, and one that answers a byte a second', async t => {
  const mute = await tcp(t, () => undefined)
  const slow = await tcp(t, socket => {
    const answer = 'HTTP/1.1 101 Switching Protocols\r\n'
    let sent = 0
    const timer = setInterval(() => socket.write(answer.charAt(sent++ % answer.length)), 1000)
    socket.on('close', () => clearInterval(timer))
  })
  await Promise.all(
    [mute, slow].map(async url => {
      const run = runPool(t, url, ONE_CHANNEL)
      await until('given up', () => run.of('connect_failed').length > 0, 30_000)
      matchAll(t, run.of('connect_failed'), [{ message: /no WebSocket within 10 s/, hint: /says nothing/ }])
    }),
  )
})

t.test('a frame that comes a byte a second is no sign of life', async t => {
  const exchange = await scriptedExchange([PERPETUAL], socket => {
    socket.send(QUOTE)
    // The head of a frame of 1,000 bytes, and then hardly anything.
    const { _socket: raw } = socket as unknown as { _socket: Socket }
    raw.write(Buffer.from([0x81, 126, 0x03, 0xe8]))
    const timer = setInterval(() => raw.write('x'), 500)
    socket.on('close', () => clearInterval(timer))
  })
  t.teardown(() => exchange.close())
  const run = runPool(t, exchange.url, HASTY)
  await until('found', () => run.of('disconnected').length > 0)
  t.match(run.of('disconnected')[0], { cause: /^nothing received/ })
  t.ok(
    run.frames.get('d1')?.some(frame => frame.equals(Buffer.from(QUOTE))),
    'what came before is kept',
  )
})

t.test('acks that never come', async t => {
  const http = createHttp()
  const sockets = new WebSocketServer({ server: http })
  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      const { id, method } = JSON.parse(data.toString('utf8')) as { id: number; method: string }
      if (method !== 'public/subscribe') socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: 'ok' }))
    })
    const timer = setInterval(() => socket.send(QUOTE), 300)
    socket.on('close', () => clearInterval(timer))
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const open of sockets.clients) open.terminate()
    http.close()
  })
  const run = runPool(t, `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`, ONE_CHANNEL)
  await until('given up', () => run.of('disconnected').length > 0, 40_000)
  t.match(run.of('disconnected')[0], { message: /no answer to public\/subscribe within 20 s/ })
  t.ok((run.frames.get('d1')?.length ?? 0) > 10, 'what came meanwhile is kept')
})

t.test('answers out of order, twice, and to questions that nobody asked', async t => {
  const held: (() => void)[] = []
  const http = createHttp()
  const sockets = new WebSocketServer({ server: http })
  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      const { id, method, params } = JSON.parse(data.toString('utf8')) as {
        id: number
        method: string
        params: { channels?: string[] }
      }
      const answer = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: params.channels ?? 'ok' }))
      if (method === 'public/subscribe') {
        held.push(answer)
        socket.send('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}')
        return
      }
      answer()
      answer()
      socket.send('{"jsonrpc":"2.0","id":4711,"result":["quote.X"]}')
      // The later question was answered first.
      if (method === 'public/test') for (const late of held.splice(0)) late()
    })
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const open of sockets.clients) open.terminate()
    http.close()
  })
  const run = runPool(t, `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`, ONE_CHANNEL)
  await until('live', () => isLive(run))
  t.same([...(run.pool.connections[0]?.channels ?? [])], ['quote.BTC-PERPETUAL'])
  t.equal(run.of('disconnected').length, 0)
})

t.test('redundancy 2: while one copy is gone the other covers, and the second never begins with the first', async t => {
  const open: WebSocket[] = []
  const exchange = await scriptedExchange([PERPETUAL], socket => {
    open.push(socket)
    const timer = setInterval(() => socket.send(QUOTE), 50)
    socket.on('close', () => clearInterval(timer))
  })
  t.teardown(() => exchange.close())
  const run = runPool(t, exchange.url, {}, 2)
  await until('live', () => isLive(run) && run.pool.connections.length === 2)
  const [first, second] = run.of('connected')
  matchAll(t, [first, second], [{ conn: 'd1' }, { conn: 'd2' }])
  const heard = (conn: string) => run.frames.get(conn)?.length ?? 0
  const before = heard('d1')
  // The cover begins with what the second hears.
  await until('both are heard', () => heard('d1') > before + 2 && heard('d2') > 2)
  open[0]?.terminate()
  await until('covered', () => run.of('covered').length > 0)
  matchAll(t, run.of('covered'), [{ conn: 'd1', by: 'd2', from_us: Number, to_us: Number, families: Array }])
  t.equal(run.of('gap').length, 0)
  for (const socket of open) socket.terminate()
  await until('both gone', () => run.of('gap').length > 0)
  t.ok(run.of('gap').length >= 1, 'when both are gone it is a gap')
})
