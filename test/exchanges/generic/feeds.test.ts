/** Feeds of other exchanges by config alone, in the shapes that their public documentation describes. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocketServer, type WebSocket } from '../../../platform/web-socket.js'
import { framesTaken, rawFiles, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'
import { commandHere } from '../../fixtures/command-here.js'

// They mostly wait.
t.jobs = 3

interface Feed {
  url: string
  /** What the recorder said, and pings of the protocol as `(ping)`. */
  heard: string[]
  sockets: WebSocket[]
}

/** A feed that answers each message with these frames. */
async function startFeed(t: Test, answer: (text: string) => string[]): Promise<Feed> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const feed: Feed = { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`, heard: [], sockets: [] }
  server.on('connection', socket => {
    feed.sockets.push(socket)
    socket.on('ping', () => feed.heard.push('(ping)'))
    socket.on('message', (data: Buffer) => {
      feed.heard.push(data.toString('utf8'))
      for (const frame of answer(data.toString('utf8'))) socket.send(frame)
    })
  })
  t.teardown(() => {
    for (const socket of feed.sockets) socket.terminate()
    server.close()
  })
  return feed
}

t.test('combined streams, as Binance sends them', async t => {
  const frames = [
    '{"result":null,"id":1}',
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1795000000123,"s":"BTCUSDT","t":12345,"p":"87000.10","q":"0.001","T":1795000000122,"m":true}}',
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1795000000200,"s":"BTCUSDT","U":157,"u":160,"b":[["87000.00","10"]],"a":[]}}',
    '{"stream":"btcusdt@bookTicker","data":{"u":400900217,"s":"BTCUSDT","b":"87000.00","B":"31.2","a":"87000.10","A":"40.6"}}',
  ]
  const feed = await startFeed(t, text => (text.includes('SUBSCRIBE') ? frames : []))
  const subscribe = {
    method: 'SUBSCRIBE',
    params: ['btcusdt@trade', 'btcusdt@depth@100ms', 'btcusdt@bookTicker'],
    id: 1,
  }
  const recorder = startRecorder(t, t.testdir({}), {
    name: 'binance',
    adapter: 'generic',
    url: feed.url,
    send: [subscribe],
    channelAt: ['/stream'],
    families: { trade: ['*@trade'], book: ['*@depth*'] },
    pingSeconds: 0.2,
  })
  await until('all frames taken', () => framesTaken(recorder, 'frames') === 1)
  await until('pings of the protocol', () => feed.heard.filter(text => text === '(ping)').length > 2)
  feed.sockets[0]?.terminate()
  await until('a second connection', () => framesTaken(recorder, 'frames') === 2)
  recorder.process.kill('SIGTERM')
  t.equal((await recorder.process).exitCode, 0)

  const lines = recordedLines(recorder.dataDir)
  const of = (family: string) => lines.filter(line => line.family === family).map(line => line.frame.toString('utf8'))
  t.same(of('frames.trade'), [frames[1], frames[1]])
  t.same(of('frames.book'), [frames[2], frames[2]])
  t.same(of('frames'), [frames[3], frames[3]])
  t.same(of('other'), [frames[0], frames[0]])
  t.same(of('sent'), [JSON.stringify(subscribe), JSON.stringify(subscribe)])
  const gaps = of('journal').map(text => JSON.parse(text) as { event: string; families?: string[] })
  t.same(gaps.find(({ event }) => event === 'gap')?.families, ['frames', 'frames.book', 'frames.trade'])
  t.ok(rawFiles(recorder.dataDir).every(path => path.startsWith('raw/exchange=binance/')))
  const coverage = await commandHere(['coverage', '--path', recorder.dataDir])
  t.equal(coverage.exitCode, 4)
  t.match(coverage.stdout, /\(all 3\s+channels\)/, 'the lost connection')

  await commandHere(['compact', '--once', '--config', recorder.configFile])
  const { stdout } = await commandHere([
    'query',
    '--path',
    recorder.dataDir,
    '--json',
    `SELECT frame FROM frames WHERE frame LIKE '%btcusdt@%' AND conn = 'd1' ORDER BY seq`,
  ])
  t.same(
    [...stdout.matchAll(/btcusdt@(trade|depth|bookTicker)/g)].map(([, kind]) => kind),
    ['trade', 'depth', 'bookTicker', 'trade', 'depth', 'bookTicker'],
    'all of it stands in table frames',
  )
})

t.test('channels by name with pings as messages, as Kraken has them', async t => {
  const trade =
    '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":87000.1,"qty":0.001,"ord_type":"limit","trade_id":4665906,"timestamp":"2026-11-20T18:00:00.123456Z"}]}'
  const heartbeat = '{"channel":"heartbeat"}'
  const feed = await startFeed(t, text =>
    text.includes('subscribe')
      ? [heartbeat, trade, '{"op":"ping","req":77}', trade, 'not JSON']
      : ['{"method":"pong"}'],
  )
  const recorder = startRecorder(t, t.testdir({}), {
    name: 'kraken',
    adapter: 'generic',
    url: feed.url,
    send: ['{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}}'],
    families: { trade: ['trade'] },
    pingSeconds: 0.2,
    pingText: { method: 'ping' },
    answers: [{ at: '/op', is: 'ping', send: { op: 'pong', req: '{{/req}}' } }],
  })
  await until('pings of ours are answered', () => feed.heard.filter(text => text === '{"method":"ping"}').length > 2)
  await until('frames taken', () => framesTaken(recorder, 'other') > 3)
  t.equal(feed.heard.filter(text => text === '{"op":"pong","req":77}').length, 1, 'its ping was answered once')
  recorder.process.kill('SIGTERM')
  await recorder.process
  const lines = recordedLines(recorder.dataDir)
  const of = (family: string) => lines.filter(line => line.family === family).map(line => line.frame.toString('utf8'))
  t.same(of('frames.trade'), [trade, trade])
  t.same(of('frames'), [heartbeat])
  t.ok(of('other').includes('not JSON'))
})

t.test('a feed that falls silent is connected anew', async t => {
  const feed = await startFeed(t, () => ['{"channel":"a"}'])
  const recorder = startRecorder(t, t.testdir({}), {
    name: 'generic',
    url: feed.url,
    send: ['hello'],
    pingSeconds: 0,
    silenceSeconds: 1,
  })
  await until('the second hello', () => feed.heard.length > 1)
  recorder.process.kill('SIGTERM')
  await recorder.process
  t.match(
    recordedLines(recorder.dataDir)
      .filter(line => line.family === 'journal')
      .map(line => line.frame.toString('utf8'))
      .join('\n'),
    /"disconnected".*nothing received for \d+ s/,
  )
})
