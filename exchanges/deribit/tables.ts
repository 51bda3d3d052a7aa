import type { Reading, Table } from '../table.js'
import { answer, notification } from './envelopes.js'
import { BY_CHANGE, BY_FUNDING_HOUR, BY_TRADE, BY_VOLATILITY_BAR } from './identity.js'
import { partitionOfIndex, partitionOfInstrument } from './names.js'

const DATA: Reading = { envelope: notification, each: false }
const DATA_LIST: Reading = { envelope: notification, each: true }
const RESULT: Reading = { envelope: answer('result'), each: false }
const RESULT_LIST: Reading = { envelope: answer('result'), each: true }

/** A new table is one line here and one SQL file in `tables/`. */
const rows: readonly Omit<Table, 'folder'>[] = [
  {
    name: 'trades',

    readings: [DATA_LIST, { envelope: answer('result.trades'), each: true }],
    partitionOf: partitionOfInstrument,
    identity: BY_TRADE,
  },
  { name: 'quote', readings: [DATA], partitionOf: partitionOfInstrument },
  { name: 'book', readings: [DATA], partitionOf: partitionOfInstrument, identity: BY_CHANGE },
  { name: 'book_grouped', readings: [DATA], partitionOf: partitionOfInstrument },
  { name: 'ticker', readings: [DATA], partitionOf: partitionOfInstrument },
  { name: 'incremental_ticker', readings: [DATA], partitionOf: partitionOfInstrument },
  { name: 'perpetual', readings: [DATA], partitionOf: partitionOfInstrument },
  { name: 'price_index', readings: [DATA], partitionOf: partitionOfIndex },
  { name: 'price_ranking', readings: [DATA_LIST], partitionOf: partitionOfIndex },
  { name: 'price_statistics', readings: [DATA], partitionOf: partitionOfIndex },
  { name: 'volatility_index', readings: [DATA], partitionOf: partitionOfIndex },
  {
    name: 'volatility_candles',

    readings: [RESULT],
    partitionOf: partitionOfIndex,
    identity: BY_VOLATILITY_BAR,
  },
  { name: 'option_marks', readings: [DATA_LIST], partitionOf: partitionOfInstrument },
  { name: 'expiration_estimate', readings: [DATA], partitionOf: partitionOfIndex },
  {
    name: 'candles',

    readings: [DATA, { ...RESULT, sql: 'candles_history' }],
    partitionOf: partitionOfInstrument,
    settled: {
      is_final: 'coalesce(exchange_ts < lead(exchange_ts) OVER (PARTITION BY channel, conn ORDER BY seq), false)',
    },
  },
  {
    name: 'instruments',

    readings: [RESULT_LIST, DATA],
    partitionOf: partitionOfInstrument,
  },
  { name: 'instrument_state', readings: [DATA], partitionOf: partitionOfInstrument },
  { name: 'platform_state', readings: [DATA] },
  {
    name: 'funding_history',

    readings: [RESULT_LIST],
    partitionOf: partitionOfInstrument,
    identity: BY_FUNDING_HOUR,
  },
  { name: 'book_summary', readings: [RESULT_LIST], partitionOf: partitionOfInstrument },
  { name: 'block_rfq_trades', readings: [DATA, DATA_LIST] },
  { name: 'announcements', readings: [DATA] },
]

export const tables: readonly Table[] = rows.map(row => ({ ...row, folder: 'exchanges/deribit/tables' }))
