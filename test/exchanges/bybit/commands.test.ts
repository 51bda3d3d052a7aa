import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from '../../../platform/web-socket.js'
import { bybitConfig } from '../../../exchanges/bybit/config.js'
import { startSimulator } from '../../../exchanges/bybit/simulator/main.js'
import { lineHead } from '../../../formats/raw-line.js'
import { createLogger } from '../../../platform/log.js'
import { probeExchange } from '../../../recorder/probe-exchange.js'
import { lineFilter } from '../../../reader/dump/line-filter.js'
import { startReplay } from '../../../reader/replay/replay-server.js'
import { sealSegment, START_US } from '../../compactor/fixtures/segments.js'

const line = (seq: number, conn: string, frame: string) =>
  Buffer.from(`${lineHead(START_US + seq * 1000, conn, seq, 'frame')}${frame}}`)

const list = (category: string, ...symbols: string[]) =>
  JSON.stringify({
    retCode: 0,
    retMsg: 'OK',
    result: { category, list: symbols.map(symbol => ({ symbol, status: 'Trading' })) },
  })
const trade = (id: string) =>
  `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{"T":1,"s":"BTCUSDT","S":"Buy","v":"1","p":"1","i":"${id}"}]}`

t.test('a recording is served as the exchange: its lists, and each category on its own socket', async t => {
  const dataDir = t.testdir()
  const seal = (family: string, number: number, lines: Buffer[]) =>
    sealSegment(dataDir, family, lines, {
      exchange: 'bybit',
      number,
      manifest: { first_recv_us: START_US, last_recv_us: START_US + 1_000_000 },
    })
  const subscribed = {
    event: 'subscribed',
    conn: 'd1',
    channels: ['publicTrade.BTCUSDT', 'spot.publicTrade.BTCUSDT'],
  }
  seal('journal', 1, [line(1, 'journal', JSON.stringify(subscribed))])
  seal('instruments', 2, [
    line(2, 'http', list('linear', 'BTCUSDT', 'ETHUSDT')),
    line(3, 'http', list('inverse', 'BTCUSD')),
  ])
  seal('instruments.spot', 3, [line(4, 'http', list('spot', 'BTCUSDT'))])
  seal('trades', 4, [line(5, 'd1', trade('linear'))])
  seal('trades.spot', 5, [line(6, 'd2', trade('spot'))])
  const replay = await startReplay({
    path: dataDir,
    exchange: 'bybit',
    host: '127.0.0.1',
    port: 0,
    speed: 0,
    loop: false,
    onProblem: (_path, problem) => t.fail(problem),
  })
  t.teardown(() => replay.close())

  const symbolsOf = async (category: string) => {
    const answer = await fetch(`${replay.httpUrl}/market/instruments-info?category=${category}`)
    const { result } = (await answer.json()) as { result: { list: { symbol: string }[] } }
    return result.list.map(({ symbol }) => symbol)
  }
  t.same(await symbolsOf('linear'), ['BTCUSDT', 'ETHUSDT'])
  t.same(await symbolsOf('inverse'), ['BTCUSD'])
  t.same(await symbolsOf('spot'), ['BTCUSDT'])

  const received = async (category: string) => {
    const socket = new WebSocket(replay.url.replace(/linear$/, category))
    t.teardown(() => socket.terminate())
    const frames: string[] = []
    socket.on('message', data => frames.push((data as Buffer).toString('utf8')))
    await once(socket, 'open')
    socket.send(JSON.stringify({ op: 'subscribe', args: ['publicTrade.BTCUSDT'], req_id: '1' }))
    return frames
  }
  const [spot, linear] = await Promise.all([received('spot'), received('linear')])
  await replay.finished
  const deadline = performance.now() + 10_000
  const isHere = (frames: string[] | undefined, id: string) =>
    frames?.some(frame => frame.includes(`"i":"${id}"`)) === true
  while (!(isHere(linear, 'linear') && isHere(spot, 'spot')) && performance.now() < deadline)
    await new Promise(resolve => setTimeout(resolve, 20))
  t.ok(isHere(linear, 'linear') && !isHere(linear, 'spot'), 'the perpetual')
  t.ok(isHere(spot, 'spot') && !isHere(spot, 'linear'), 'the pair')
})

t.test('lines are chosen by the channel of their own market', t => {
  const choice = {
    channel: 'spot.publicTrade.BTCUSDT',
    instrument: undefined,
    conn: undefined,
    fromUs: undefined,
    toUs: undefined,
  }
  const segment = { exchange: 'bybit', channel: 'trades.spot', startedMs: 0, host: 'h', run: 'r', number: 1 }
  const text = line(1, 'd1', trade('a')).toString()
  t.ok(lineFilter(choice, segment)(text))
  t.notOk(lineFilter(choice, { ...segment, channel: 'trades' })(text))
  t.ok(lineFilter({ ...choice, channel: 'publicTrade.BTCUSDT' }, { ...segment, channel: 'trades' })(text))
  t.end()
})

t.test('doctor looks at a channel on the socket of its category: it asked linear for what is inverse', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 4 })
  t.teardown(() => exchange.close())
  const config = bybitConfig.parse({ name: 'bybit', url: exchange.url, instruments: ['BTCUSD'] })
  const signal = AbortSignal.timeout(30_000)
  const found = await probeExchange({ exchange: config, credentials: undefined, log: createLogger('test'), signal })
  t.match(found, { channel: 'orderbook.1.BTCUSD', firstFrameMs: Number })
})
