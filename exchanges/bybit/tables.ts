import { BY_PAYLOAD, polledWith, type Identity, type Reading, type Table } from '../table.js'
import { answer, bookAnswer, rfqPush, timedAnswer, usually, wholeAnswer, withSides } from './envelopes.js'
import { partitionIn } from './names.js'

/** Frames of a book bring the engine's time, `cts`; those of options have an `id` besides. */
const BOOK: Reading = {
  envelope: usually(5, 'received.frame.cts IS NOT NULL AND received.frame.cs IS NULL AND received.frame.id IS NULL'),
  each: false,
}
const TICKER: Reading = {
  envelope: usually(5, 'received.frame.cs IS NOT NULL AND received.frame.cts IS NULL AND received.frame.id IS NULL'),
  each: false,
}
const EVENTS = usually(
  4,
  'received.frame.cs IS NULL AND received.frame.cts IS NULL AND received.frame.id IS NULL AND received.frame."type" IS NOT NULL',
)
/** Frames of price limits have no type; the documentation has them both as an object and as a list. */
const LIMITS = usually(
  3,
  'received.frame.cs IS NULL AND received.frame.cts IS NULL AND received.frame.id IS NULL AND received.frame."type" IS NULL',
)
const ANSWER: Reading = { envelope: answer, each: true }

/** Ids are of the exchange's own making, unique with the instrument; numbers that rise they are not. */
const BY_TRADE: Identity = {
  key: ['instrument_name', 'trade_id'],
  numbered: 'trade_id IS NOT NULL',
  unit: 'row',
  reach: 'days',
}

/** `u` counts the changes of a topic; it begins anew at 1, so that copies are also of about the same time. */
const BY_CHANGE: Identity = { key: ['channel', 'type', 'update_id', 'cross_seq'], unit: 'frame', reach: 'near' }
const BY_QUOTE: Identity = { key: ['channel', 'type', 'update_id', 'cross_seq'], unit: 'row', reach: 'near' }

/** There is no id, and two equal liquidations are possible: the n-th of one connection is the n-th of the other. */
const BY_LIQUIDATION: Identity = {
  key: ['channel', 'exchange_ts', 'side', 'size', 'price'],
  unit: 'row',
  reach: 'near',
}

/** A new table is one line here and one SQL file in `tables/`. */
const rows: readonly Omit<Table, 'folder' | 'partitionOf'>[] = [
  {
    name: 'trades',
    readings: [
      { envelope: withSides(EVENTS), each: true },
      { ...ANSWER, sql: 'trades_history' },
    ],
    identity: BY_TRADE,
  },
  {
    name: 'book',
    readings: [BOOK, { envelope: bookAnswer, each: false, sql: 'book_answer' }],
    identity: BY_CHANGE,
  },
  { name: 'book_rpi', readings: [BOOK], identity: BY_CHANGE },
  { name: 'quote', readings: [BOOK], identity: BY_QUOTE },
  { name: 'ticker', readings: [TICKER], identity: BY_PAYLOAD },
  { name: 'candles', readings: [{ envelope: EVENTS, each: true }], identity: BY_PAYLOAD },
  { name: 'liquidations', readings: [{ envelope: withSides(EVENTS), each: true }], identity: BY_LIQUIDATION },
  { name: 'instruments', readings: [ANSWER] },
  { name: 'funding_history', readings: [ANSWER], identity: polledWith('funding_rate') },
  { name: 'open_interest', readings: [ANSWER], identity: polledWith('open_interest') },
  ...['mark_price_candles', 'index_candles', 'premium_candles'].map((name): Omit<Table, 'folder' | 'partitionOf'> => ({
    name,
    readings: [{ envelope: wholeAnswer, each: false }],
    identity: polledWith('open', 'high', 'low', 'close'),
  })),
  { name: 'long_short_ratio', readings: [ANSWER], identity: polledWith('buy_ratio') },
  { name: 'deliveries', readings: [ANSWER], identity: polledWith('delivery_price') },
  {
    name: 'price_limit',
    readings: [
      { envelope: LIMITS, each: false },
      { envelope: LIMITS, each: true },
    ],
  },
  {
    name: 'insurance',
    readings: [
      { envelope: EVENTS, each: true },
      { ...ANSWER, sql: 'insurance_list' },
    ],
  },
  { name: 'adl_alerts', readings: [{ envelope: EVENTS, each: true }] },
  {
    name: 'platform_state',
    readings: [
      { envelope: EVENTS, each: true },
      { envelope: timedAnswer, each: true },
    ],
  },
  { name: 'rfq_trades', readings: [{ envelope: rfqPush, each: true }] },
]

export const tables: readonly Table[] = rows.map(row => ({
  ...row,
  folder: 'exchanges/bybit/tables',
  partitionOf: partitionIn,
}))
