import { parsedObject } from '../../../platform/json-object.js'
import { Faults } from '../../../simulator/faults.js'
import type { Service } from '../../../simulator/protocol.js'
import type { KnownBook, PlayedRecording, ReplayedTrades, ReplayProtocol } from '../../../simulator/replay.js'
import { rowsOf } from '../message.js'
import { argOf } from '../names.js'
import { tradeRowsOf } from '../trade-numbers.js'
import { listed, questionOf } from './recorded-lists.js'
import { OkxService } from './service.js'
import { spelled } from './spelling.js'

/** Trades of an answer are single fills, and do not say so. */
const tradesOf: ReplayedTrades['tradesOf'] = frame =>
  rowsOf(parsedObject(frame)).flatMap(row =>
    tradeRowsOf({ data: [row] }).map(({ instrument, first, last, timestampMs }) => ({
      instrument,
      id: last,
      first,
      executedUs: timestampMs * 1000,
      row: JSON.stringify({ ...row, count: row['count'] ?? '1' }),
    })),
  )

/** Recordings served as OKX itself. */
export const replay: ReplayProtocol = {
  serve,
  questionOf,
  isBook: channel => channel.startsWith('books.'),
  snapshot,
  trades: {
    families: ['trades'],
    tradesOf,
    carries: (channel, instrument) => channel === `trades.${instrument}`,
    frame: (channel, rows) => wrap(channel, rows.join(',')),
  },
}

const wrap = (channel: string, rows: string) => `{"arg":${JSON.stringify(argOf(channel))},"data":[${rows}]}`

function serve(recording: PlayedRecording): Service {
  const { channels, clock } = recording
  return new OkxService({
    channels,
    faults: new Faults(() => undefined, wrap),
    timeScale: 1,
    subscribed: () => undefined,
    accepts: channel => recording.has(channel),
    nowMs: () => performance.now(),
    answer: (path, query) => {
      if (path === 'public/time') return { rows: [{ ts: String(clock.nowMs()) }] }
      // All trades that are known are played in their place.
      return listed(recording, path, query) ?? { rows: [] }
    },
  })
}

function snapshot(channel: string, { bids, asks, changeId, exchangeMs }: KnownBook): string {
  const levels = (side: readonly [number, number][]) =>
    side.map(([price, size]) => [spelled(price), spelled(size), '0', '1'])
  const row = {
    asks: levels(asks),
    bids: levels(bids),
    ts: String(exchangeMs),
    checksum: 0,
    seqId: changeId,
    prevSeqId: -1,
  }
  return JSON.stringify({ arg: argOf(channel), action: 'snapshot', data: [row] })
}
