import type { Reading, Table } from '../table.js'
import { BY_CHANGE, BY_FUNDING_HOUR, BY_TRADE, BY_VOLATILITY_BAR } from './identity.js'

const DATA: Reading = { at: 'params.data', each: false }
const DATA_LIST: Reading = { at: 'params.data', each: true }
const RESULT: Reading = { at: 'result', each: false }
const RESULT_LIST: Reading = { at: 'result', each: true }

/** A new table is one line here and one SQL file in `tables/`. */
const rows: readonly Omit<Table, 'folder'>[] = [
  {
    name: 'trades',
    families: ['trades'],
    readings: [DATA_LIST, { at: 'result.trades', each: true }],
    partitionBy: 'instrument',
    identity: BY_TRADE,
  },
  { name: 'quote', families: ['quote'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'book', families: ['book'], readings: [DATA], partitionBy: 'instrument', identity: BY_CHANGE },
  { name: 'book_grouped', families: ['book_grouped'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'ticker', families: ['ticker'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'incremental_ticker', families: ['incremental_ticker'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'perpetual', families: ['perpetual'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'price_index', families: ['deribit_price_index'], readings: [DATA], partitionBy: 'index' },
  { name: 'price_ranking', families: ['deribit_price_ranking'], readings: [DATA_LIST], partitionBy: 'index' },
  { name: 'price_statistics', families: ['deribit_price_statistics'], readings: [DATA], partitionBy: 'index' },
  { name: 'volatility_index', families: ['deribit_volatility_index'], readings: [DATA], partitionBy: 'index' },
  {
    name: 'volatility_candles',
    families: ['volatility_index_history'],
    readings: [RESULT],
    partitionBy: 'index',
    identity: BY_VOLATILITY_BAR,
  },
  { name: 'option_marks', families: ['markprice.options'], readings: [DATA_LIST], partitionBy: 'instrument' },
  { name: 'expiration_estimate', families: ['estimated_expiration_price'], readings: [DATA], partitionBy: 'index' },
  {
    name: 'candles',
    families: ['chart.trades', 'candle_history'],
    readings: [DATA, { ...RESULT, sql: 'candles_history' }],
    partitionBy: 'instrument',
    together: true,
  },
  {
    name: 'instruments',
    families: ['instruments', 'instrument.creation'],
    readings: [RESULT_LIST, DATA],
    partitionBy: 'instrument',
  },
  { name: 'instrument_state', families: ['instrument.state'], readings: [DATA], partitionBy: 'instrument' },
  { name: 'platform_state', families: ['platform_state'], readings: [DATA], partitionBy: 'none' },
  {
    name: 'funding_history',
    families: ['funding_history'],
    readings: [RESULT_LIST],
    partitionBy: 'instrument',
    identity: BY_FUNDING_HOUR,
  },
  { name: 'book_summary', families: ['book_summary'], readings: [RESULT_LIST], partitionBy: 'instrument' },
  { name: 'block_rfq_trades', families: ['block_rfq.trades'], readings: [DATA, DATA_LIST], partitionBy: 'none' },
  { name: 'announcements', families: ['announcements'], readings: [DATA], partitionBy: 'none' },
]

export const tables: readonly Table[] = rows.map(row => ({ ...row, folder: 'exchanges/deribit/tables' }))
