import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import t, { type Test } from 'tap'
import { HttpRpc } from '../../../exchanges/deribit/http-rpc.js'
import { createCreditPools } from '../../../exchanges/deribit/rpc.js'
import { TradeBackfill } from '../../../exchanges/deribit/trade-backfill.js'
import { TradeSequences } from '../../../exchanges/trade-sequences.js'
import { until } from '../../fixtures/recorder-process.js'
import { matchAll } from '../../fixtures/match-all.js'

// They mostly wait.
t.jobs = 3

interface Asked {
  instrument_name: string
  start_seq: number
  end_seq: number
  count: number
  kind?: string
  currency?: string
}

interface Entry {
  event: string
  instrument?: string
  from_seq?: number
  to_seq?: number
  trades?: number
  outcome?: string
}

type Answer = (asked: Asked, nth: number, response: ServerResponse) => object | undefined

const rowsFrom = (name: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ instrument_name: name, trade_seq: from + at, timestamp: 1 }))

/** All rows that were asked for, as far as a page holds them. */
const whole: Answer = ({ instrument_name, start_seq, end_seq, count }) => ({
  result: { trades: rowsFrom(instrument_name, start_seq, Math.min(end_seq, start_seq + count - 1)), has_more: false },
})

/** The code that fills holes, against an HTTP server that answers as it is told. */
async function fill(t: Test, holes: [instrument: string, from: number, to: number][], answer: Answer) {
  const asked: Asked[] = []
  let open = 0
  let openMost = 0
  const server = createServer((request, response) => {
    openMost = Math.max(openMost, ++open)
    response.on('close', () => open--)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { id, params } = JSON.parse(Buffer.concat(chunks).toString()) as { id: string; params: Asked }
      asked.push(params)
      const said = answer(params, asked.length, response)
      if (said) response.end(JSON.stringify({ jsonrpc: '2.0', id, ...said }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ended = new AbortController()
  const journal: Entry[] = []
  const taken: { conn: string; family: string; frame: string }[] = []
  const sequences = new TradeSequences()
  for (const [instrument, from, to] of holes) {
    sequences.see(instrument, from - 1, 1)
    sequences.see(instrument, to + 1, 2)
  }
  const { port } = server.address() as AddressInfo
  const backfill = new TradeBackfill({
    sequences,
    rpc: new HttpRpc(`ws://127.0.0.1:${port}/ws/api/v2`, createCreditPools()),
    recording: {
      take: (conn, family, frame) => void taken.push({ conn, family, frame: frame.toString() }),
      journal: (event, facts) => void journal.push({ event, ...facts }),
      nowUs: () => 10_000_000,
      earlier: async function* () {},
      polled: {
        load: () => Promise.resolve(),
        answeredMs: () => undefined,
        note: () => undefined,
        keepOnly: () => undefined,
        save: () => Promise.resolve(),
      },
    },
    log: pino({ level: 'silent' }),
    tradesPerHoleMax: 5000,
  })
  const running = backfill.run(ended.signal)
  t.teardown(async () => {
    ended.abort()
    await running
    server.closeAllConnections()
    server.close()
  })
  const fills = () => journal.filter(({ event }) => event === 'backfill')
  return { asked, journal, taken, fills, backfill, mostAtOnce: () => openMost }
}

t.test('a hole of several pages, of which each answer gives less than asked for', async t => {
  const { asked, fills, taken } = await fill(
    t,
    [['BTC-PERPETUAL', 100, 2599]],
    ({ instrument_name, start_seq, end_seq }) => ({
      result: { trades: rowsFrom(instrument_name, start_seq, Math.min(end_seq, start_seq + 699)), has_more: true },
    }),
  )
  await until('filled', () => fills().length === 1)
  matchAll(t, fills(), [{ instrument: 'BTC-PERPETUAL', from_seq: 100, to_seq: 2599, trades: 2500, outcome: 'filled' }])
  t.same(
    asked.map(({ start_seq, end_seq }) => [start_seq, end_seq]),
    [
      [100, 1099],
      [800, 1799],
      [1500, 2499],
      [2200, 2599],
    ],
  )
  t.ok(taken.every(({ conn, family }) => conn === 'backfill' && family === 'trades'))
  t.ok(taken[0]?.frame.includes('"id":"trades BTC-PERPETUAL 100 1099"'), 'the answer as it came')
})

t.test('trades of combos were asked for where they are not served; sequence numbers of sixteen digits', async t => {
  const from = 9_007_199_254_740_000
  const holes: [string, number, number][] = [
    ['BTC-CS-27NOV26-80000_90000', 5, 6],
    ['BTC-PERPETUAL', from, from + 3],
  ]
  const combo = 'BTC-CS-27NOV26-80000_90000'
  const { fills, asked } = await fill(t, holes, (params, nth, response) =>
    // Of a combo the exchange gives no trades by its name.
    params.kind === 'option_combo' && params.currency === 'BTC'
      ? { result: { trades: [...rowsFrom('BTC-CS-X', 5, 6), ...rowsFrom(combo, 4, 9)], has_more: false } }
      : params.instrument_name === combo
        ? { error: { code: 10020, message: 'instrument_not_found' } }
        : whole(params, nth, response),
  )
  await until('filled', () => fills().length === 2)
  t.notOk(asked.some(({ instrument_name }) => instrument_name === combo))
  matchAll(t, fills(), [
    { instrument: 'BTC-CS-27NOV26-80000_90000', trades: 2, outcome: 'filled' },
    { instrument: 'BTC-PERPETUAL', from_seq: from, to_seq: from + 3, trades: 4, outcome: 'filled' },
  ])
})

t.test('limits, cut connections and answers that are none are tried again; each answer is kept', async t => {
  const { asked, fills, taken } = await fill(t, [['A', 2, 3]], (params, nth, response) => {
    if (nth === 1) return { error: { code: 10028, message: 'too_many_requests' } }
    if (nth === 2) {
      response.destroy()
      return undefined
    }
    return whole(params, nth, response)
  })
  await until('filled', () => fills().length === 1)
  matchAll(t, fills(), [{ instrument: 'A', trades: 2, outcome: 'filled' }])
  t.equal(asked.length, 3)
  t.same(
    taken.map(({ conn, family }) => [conn, family]),
    [
      ['backfill', 'rpc'],
      ['backfill', 'trades'],
    ],
  )
})

t.test('a silent exchange holds up one call, not the memory, and the end is not held up', async t => {
  const holes = Array.from({ length: 2000 }, (_, at): [string, number, number] => [`A-${at}`, 2, 3])
  const { asked, journal, backfill } = await fill(t, holes, () => undefined)
  await until('one is asked for', () => asked.length === 1)
  t.equal(backfill.waiting, 2000)
  t.equal(journal.filter(({ event }) => event === 'trade_hole').length, 2000)
  t.equal(asked.length, 1)
})

t.test('holes in many instruments: one call at a time, one for each, within the credits', async t => {
  const count = 120
  const holes = Array.from({ length: count }, (_, at): [string, number, number] => [`A-${at}`, 10, 12])
  const startedMs = performance.now()
  const { asked, fills, backfill, mostAtOnce } = await fill(t, holes, whole)
  await until('all are filled', () => fills().length === count)
  t.equal(asked.length, count)
  t.equal(mostAtOnce(), 1)
  t.equal(backfill.waiting, 0)
  // Eighty at once, then 16 a second.
  t.ok(performance.now() - startedMs > 1500, 'paced')
})

t.test(
  'of a hole larger than configured the newest trades are asked for, and the rest is said to be left out',
  async t => {
    const { fills, asked } = await fill(t, [['A', 1001, 8000]], whole)
    await until('filled', () => fills().length === 2)
    matchAll(t, fills(), [
      { from_seq: 1001, to_seq: 3000, trades: 0, outcome: 'unavailable', message: /5000/ },
      { from_seq: 3001, to_seq: 8000, trades: 5000, outcome: 'filled' },
    ])
    t.equal(asked[0]?.start_seq, 3001)
  },
)

t.test('an answer without end filled the memory before it was found too long', async t => {
  const mebibyte = Buffer.alloc(1024 * 1024, ' ')
  let sent = 0
  const server = createServer((_request, response) => {
    const more = () => {
      while (!response.destroyed && sent < 200) {
        sent++
        if (!response.write(mebibyte)) return void response.once('drain', more)
      }
      if (!response.destroyed) response.end()
    }
    more()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const rpc = new HttpRpc(`ws://127.0.0.1:${port}/ws/api/v2`, createCreditPools())
  const call = { id: 'x', method: 'public/test', params: {} }
  await t.rejects(
    rpc.call('rpc', call, () => undefined, new AbortController().signal),
    { code: 'HTTP_CALL_FAILED', message: /more than 67108864 bytes/ },
  )
  t.ok(sent < 100, `${sent} MiB were sent of 200`)
})
