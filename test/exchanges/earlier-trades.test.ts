/** What a run takes up of earlier ones: from damaged, huge, old and renumbered segments, newest first. */
import pino from 'pino'
import t from 'tap'
import type { EarlierSegment, Recording } from '../../exchanges/adapter.js'
import { rememberTrades, type TradeReader } from '../../exchanges/earlier-trades.js'
import { recordedTrades as ofDeribit } from '../../exchanges/deribit/recorded-trades.js'
import { recordedTrades as ofOkx } from '../../exchanges/okx/trade-numbers.js'
import { TradeSequences } from '../../exchanges/trade-sequences.js'
import { lineHead, type FrameEncoding } from '../../formats/raw-line.js'
import { matchAll } from '../fixtures/match-all.js'

const HOUR_US = 3_600_000_000
const NOW_US = Date.UTC(2027, 0, 1, 0, 0, 10) * 1000

const lineOf = (frame: string, recvUs: number, encoding: FrameEncoding = 'frame') =>
  Buffer.from(`${lineHead(recvUs, 'd1', 1, encoding)}${frame}}`)

/** A trade as Deribit tells of it, and as OKX does, of so many fills. */
const tradeOf = (instrument: string, seq: number, ms = NOW_US / 1000) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.${instrument}.raw","data":[{"trade_seq":${seq},"timestamp":${ms},"instrument_name":"${instrument}"}]}}`
const fillsOf = (instrument: string, last: number, count: number, ms: number) =>
  `{"arg":{"channel":"trades","instId":"${instrument}"},"data":[{"instId":"${instrument}","tradeId":"${last}","count":"${count}","ts":"${ms}"}]}`

interface Written {
  startedUs: number
  lines: readonly Buffer[]
  bytes?: number
}

interface Earlier {
  trades?: readonly Written[]
  journal?: readonly Written[]
  reader?: TradeReader
  signal?: AbortSignal
}

/** What is taken up of these segments, newest first: holes, the newest time, and how many segments were opened. */
async function remembered({ trades = [], journal = [], reader = ofDeribit, signal }: Earlier) {
  const opened = { trades: 0, journal: 0 }
  const told: object[] = []
  const segments = async function* (family: 'trades' | 'journal', list: readonly Written[]) {
    for (const { startedUs, lines, bytes = 1000 } of list) {
      await Promise.resolve()
      opened[family]++
      const pieces = async function* () {
        await Promise.resolve()
        for (const line of lines) yield [line]
      }
      yield { startedUs, bytes, lines: pieces() } satisfies EarlierSegment
    }
  }
  const recording = {
    earlier: (family: string) => (family === 'trades' ? segments('trades', trades) : segments('journal', journal)),
    journal: (event: string, facts: object) => void told.push({ event, ...facts }),
    nowUs: () => NOW_US,
  } as unknown as Recording
  const sequences = new TradeSequences()
  const lastUs = new Map<string, number>()
  const newestMs = await rememberTrades(
    sequences,
    {
      ...{ recording, reader, log: pino({ level: 'silent' }) },
      remembered: (instrument, atUs) => void lastUs.set(instrument, atUs),
    },
    signal ?? new AbortController().signal,
  )
  const holes = () => sequences.takeHoles(Infinity).map(({ instrument, from, to }) => [instrument, from, to])
  return { sequences, holes, newestMs, opened, lastUs, told }
}

t.test('the pause lies between the last trade of before and the first of now, whatever came first on disk', async t => {
  const { sequences, holes, lastUs, newestMs } = await remembered({
    trades: [
      {
        startedUs: NOW_US - HOUR_US,
        lines: [lineOf(tradeOf('A', 12, 7), NOW_US - 5000), lineOf(tradeOf('A', 11, 6), NOW_US - 9000)],
      },
      {
        startedUs: NOW_US - 2 * HOUR_US,
        lines: [lineOf(tradeOf('A', 8), NOW_US - HOUR_US - 5), lineOf(tradeOf('B', 3, 9), NOW_US - HOUR_US)],
      },
    ],
  })
  sequences.see('A', 15, NOW_US)
  t.same(holes(), [
    ['A', 9, 10],
    ['A', 13, 14],
  ])
  t.same(
    lastUs,
    new Map([
      ['A', NOW_US - 5000],
      ['B', NOW_US - HOUR_US],
    ]),
  )
  t.equal(newestMs, 9, 'of the last line of each segment')
})

t.test('lines that are damaged, of text, or of no trades cost no other', async t => {
  const whole = lineOf(tradeOf('A', 5), 10)
  const damaged = [
    Buffer.alloc(0),
    Buffer.from('not a line'),
    whole.subarray(0, whole.length >> 1),
    lineOf('{"params":{"data":[{"trade_seq":77,"instrument_name"', 10),
    lineOf('"half a text', 10, 'text'),
    lineOf('123', 10, 'base64'),
    lineOf(JSON.stringify(tradeOf('A', 99)), 10, 'text'),
    lineOf(
      '{"jsonrpc":"2.0","id":"trades","result":{"trades":[{"trade_seq":6,"instrument_name":"A","timestamp":1}]}}',
      10,
    ),
    lineOf(
      '{"params":{"data":[null,5,{"trade_seq":"7","instrument_name":"A"},{"trade_seq":7.5,"instrument_name":"A"}]}}',
      10,
    ),
  ]
  const { sequences, holes, told } = await remembered({
    trades: [{ startedUs: NOW_US, lines: [...damaged, whole, ...damaged] }],
  })
  sequences.see('A', 8, NOW_US)
  t.same(holes(), [['A', 7, 7]], '5 came, and 6 by an answer')
  t.same(told, [])
})

t.test('a frame that stands for several fills is all of them', async t => {
  const lines = [lineOf(fillsOf('A', 9, 4, 1000), 10), lineOf(fillsOf('A', 20, 3, 2000), 20)]
  const { sequences, holes, newestMs } = await remembered({ trades: [{ startedUs: NOW_US, lines }], reader: ofOkx })
  sequences.see('A', 21, NOW_US)
  t.same(holes(), [['A', 10, 17]])
  t.equal(newestMs, 2000)
})

t.test('what came before numbers began anew is counted otherwise, and is no hole', async t => {
  const renumbered = (instrument: string, fromUs: unknown) =>
    lineOf(JSON.stringify({ event: 'trades_renumbered', instrument, from_us: fromUs }), NOW_US - 40)
  const { sequences, holes } = await remembered({
    trades: [
      {
        startedUs: NOW_US - HOUR_US,
        lines: [
          lineOf(tradeOf('A', 900_000), NOW_US - 100),
          lineOf(tradeOf('B', 5), NOW_US - 90),
          lineOf(tradeOf('A', 3), NOW_US - 30),
        ],
      },
    ],
    journal: [
      {
        startedUs: NOW_US - HOUR_US,
        lines: [
          renumbered('A', NOW_US - 50),
          renumbered('A', NOW_US - 5000),
          renumbered('B', 'never'),
          lineOf('{"event":"error","message":"trades_renumbered"}', NOW_US),
          lineOf('"trades_renumbered half', NOW_US, 'text'),
        ],
      },
    ],
  })
  sequences.see('A', 5, NOW_US)
  sequences.see('B', 6, NOW_US)
  t.same(holes(), [['A', 4, 4]])
})

t.test('older segments than a day before the newest are not read, nor more than so many bytes', async t => {
  const hourly = Array.from({ length: 80 }, (_, hour) => ({
    startedUs: NOW_US - (hour + 1) * HOUR_US,
    lines: [lineOf(tradeOf('A', 1000 - hour), NOW_US - hour * HOUR_US - 1)],
  }))
  const day = await remembered({ trades: hourly })
  t.ok(day.opened.trades >= 25 && day.opened.trades <= 26, `${day.opened.trades} of 80 segments`)
  const large = await remembered({ trades: hourly.map(one => ({ ...one, bytes: 10 * 1024 * 1024 })) })
  t.equal(large.opened.trades, 4)
  const silent = await remembered({ trades: hourly.map(one => ({ ...one, lines: [] })) })
  t.ok(silent.opened.trades <= 26, 'also where they hold nothing')
  t.same(silent.lastUs.size, 0)
})

t.test('the journal is read no further than trades are', async t => {
  const journal = Array.from({ length: 100 }, (_, hour) => ({ startedUs: NOW_US - (hour + 1) * HOUR_US, lines: [] }))
  const { opened } = await remembered({
    trades: [{ startedUs: NOW_US - HOUR_US, lines: [lineOf(tradeOf('A', 1), NOW_US)] }],
    journal,
  })
  t.ok(opened.journal <= 51, `${opened.journal} of 100 segments`)
  t.equal((await remembered({ journal })).opened.journal, 0, 'and not at all where there are no trades')
})

t.test('a disk that breaks off is told, and the recorder goes on without what was before', async t => {
  const broken = {
    startedUs: NOW_US,
    get lines(): readonly Buffer[] {
      throw new Error('Input/output error')
    },
  }
  const { newestMs, told } = await remembered({ trades: [broken] })
  t.equal(newestMs, 0)
  matchAll(t, told, [{ event: 'error', message: 'earlier trades cannot be read: Input/output error' }])
})

t.test('a recorder that ends while it reads has taken up nothing', async t => {
  const end = new AbortController()
  const lines = [lineOf(tradeOf('A', 1, 5), 10), lineOf(tradeOf('A', 3, 5), 20)]
  const reader: TradeReader = {
    each: (frame, visit) => {
      end.abort()
      ofDeribit.each(frame, visit)
    },
    newestMs: () => 5,
  }
  const { sequences, newestMs } = await remembered({
    trades: [{ startedUs: NOW_US, lines }],
    reader,
    signal: end.signal,
  })
  t.equal(newestMs, 0)
  t.equal(sequences.size, 0)
})
