import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket } from '../../platform/web-socket.js'
import { startReplay } from '../../reader/replay/replay-server.js'
import { writeRecording, type MadeFrame } from '../fixtures/made-recording.js'
import { until } from '../fixtures/recorder-process.js'

const START_MS = Date.UTC(2026, 10, 22, 14)

/** A frame of trades, or with `backfill` an answer that filled a hole, received so many ms after the start. */
const at = (ms: number, frame: object, family = 'trades', conn = 'd1'): MadeFrame => ({
  family,
  conn,
  recvUs: (START_MS + ms) * 1000,
  frame: JSON.stringify(frame),
})

interface Case {
  exchange: string
  frames: MadeFrame[]
  /** What each client asks for, at the path of its own, until a trade. */
  clients: { path: string; request: object; last: string }[]
}

/** The trades that each client of a replay gets, parsed. */
async function replayed(t: Test, { exchange, frames, clients }: Case) {
  const path = t.testdir()
  writeRecording(path, frames, { exchange })
  const onProblem = (_path: string, problem: string) => t.fail(problem)
  const replay = await startReplay({ path, exchange, host: '127.0.0.1', port: 0, speed: 0, loop: false, onProblem })
  t.teardown(() => replay.close())
  const opened = await Promise.all(
    clients.map(async ({ path, ...client }) => {
      const socket = new WebSocket(replay.url.replace(/(linear|public)$/, path))
      t.teardown(() => socket.terminate())
      const texts: string[] = []
      socket.on('message', data => texts.push((data as Buffer).toString('utf8')))
      await once(socket, 'open')
      return { ...client, socket, texts }
    }),
  )
  for (const { socket, request } of opened) socket.send(JSON.stringify(request))
  await replay.finished
  const isDone = () => opened.every(({ texts, last }) => texts.some(text => text.includes(last)))
  await until('each has its last trade', isDone)
  return opened.map(({ texts }) =>
    texts.flatMap(text => (JSON.parse(text) as { data?: Record<string, unknown>[] }).data ?? []),
  )
}

t.test('a replay of OKX left out the trades that were fetched for holes', async t => {
  const row = (last: number, ms: number) => ({
    ...{ instId: 'BTC-USDT-SWAP', tradeId: String(last), px: '90000.1', sz: '2', side: 'buy' },
    ts: String(START_MS + ms),
  })
  const arg = { channel: 'trades', instId: 'BTC-USDT-SWAP' }
  const live = (ms: number, last: number, count: number) =>
    at(ms, { arg, data: [{ ...row(last, ms - 1), count: String(count), seqId: last }] })
  const [rows = []] = await replayed(t, {
    exchange: 'okx',
    // Fills 11 and 12 are one row. 16 came late by itself, after it had been asked for.
    frames: [
      live(0, 10, 1),
      live(10, 12, 2),
      live(40, 17, 1),
      at(50, { code: '0', msg: '', data: [row(16, 38), row(15, 35), row(14, 20), row(13, 15)] }, 'trades', 'backfill'),
      live(60, 16, 2),
      live(70, 18, 1),
    ],
    clients: [{ path: 'public', request: { op: 'subscribe', args: [arg] }, last: '"tradeId":"18"' }],
  })
  t.same(
    rows.map(({ tradeId }) => tradeId),
    ['10', '12', '13', '14', '17', '16', '18'],
  )
  t.match(rows[2], { ...row(13, 15), count: '1' }, 'spelled as the channel does')
})

t.test('a replay of Bybit left out the trades that were fetched for holes', async t => {
  const live = (ms: number, id: string, family = 'trades') =>
    at(
      ms,
      {
        ...{ topic: 'publicTrade.BTCUSDT', type: 'snapshot', ts: START_MS + ms },
        data: [{ T: START_MS + ms - 1, s: 'BTCUSDT', S: 'Buy', v: '1', p: '90000', i: id, BT: false, seq: ms }],
      },
      family,
    )
  const answer = (ms: number, family: string, ...listed: [id: string, ms: number][]) => {
    const list = listed.map(([execId, madeMs]) => ({
      ...{ execId, symbol: 'BTCUSDT', price: '90000', size: '1', side: 'Sell', time: String(START_MS + madeMs) },
      ...{ isBlockTrade: false, isRPITrade: true, seq: '7' },
    }))
    return at(ms, { retCode: 0, retMsg: 'OK', result: { category: 'any', list } }, family, 'backfill')
  }
  const request = { op: 'subscribe', args: ['publicTrade.BTCUSDT'], req_id: '1' }
  const [linear = [], spot = []] = await replayed(t, {
    exchange: 'bybit',
    frames: [
      live(0, 'a'),
      live(5, 'p', 'trades.spot'),
      live(100, 'd'),
      // A list reaches back beyond the hole, and beyond what was recorded.
      answer(200, 'trades', ['d', 99], ['c', 60], ['b', 40], ['a', -1], ['before', -500]),
      answer(210, 'trades.spot', ['q', 150], ['p', 4]),
      live(300, 'e'),
      live(310, 'r', 'trades.spot'),
    ],
    clients: [
      { path: 'linear', request, last: '"i":"e"' },
      { path: 'spot', request, last: '"i":"r"' },
    ],
  })
  t.same(
    linear.map(({ i }) => i),
    ['a', 'b', 'c', 'd', 'e'],
  )
  t.same(
    spot.map(({ i }) => i),
    ['p', 'q', 'r'],
    'not those of the perpetual of that name',
  )
  t.same(
    linear[1],
    { T: START_MS + 40, s: 'BTCUSDT', S: 'Sell', v: '1', p: '90000', i: 'b', BT: false, RPI: true, seq: 7 },
    'in the words of the channel',
  )
})
