import type { Reading, Table } from '../table.js'
import { answer, push } from './envelopes.js'
import {
  BY_BAR,
  BY_CHANGE,
  BY_DELIVERY,
  BY_FUNDING,
  BY_PRICE_BAR,
  BY_RPI_CHANGE,
  BY_STATE,
  BY_TRADE,
} from './identity.js'
import { partitionOfRow } from './names.js'

const DATA: Reading = { envelope: push(), each: true }
const BOOK_DATA: Reading = { envelope: push({ hasAction: true }), each: true }
const ANSWER: Reading = { envelope: answer, each: true }
/** Bars are lists, and what they are of is only said beside them. */
const LINE: Reading = { each: false }

/** A new table is one line here and one SQL file in `tables/`. */
const rows: readonly Omit<Table, 'folder' | 'partitionOf'>[] = [
  { name: 'trades', readings: [DATA, ANSWER], identity: BY_TRADE },
  { name: 'trade_fills', readings: [DATA, ANSWER], identity: BY_TRADE },
  { name: 'option_trades', readings: [DATA], identity: BY_TRADE },
  { name: 'quote', readings: [DATA], identity: BY_STATE },
  { name: 'book', readings: [BOOK_DATA], identity: BY_CHANGE },
  { name: 'book_top', readings: [DATA], identity: BY_STATE },
  { name: 'book_rpi', readings: [BOOK_DATA], identity: BY_RPI_CHANGE },
  { name: 'ticker', readings: [DATA] },
  { name: 'option_summary', readings: [DATA] },
  { name: 'mark_price', readings: [DATA] },
  { name: 'price_index', readings: [DATA] },
  { name: 'funding_rate', readings: [DATA] },
  { name: 'funding_history', readings: [ANSWER], identity: BY_FUNDING },
  { name: 'open_interest', readings: [DATA] },
  { name: 'price_limit', readings: [DATA] },
  { name: 'expiration_estimate', readings: [DATA] },
  { name: 'candles', readings: [LINE], identity: BY_BAR },
  { name: 'mark_price_candles', readings: [LINE], identity: BY_PRICE_BAR },
  { name: 'index_candles', readings: [LINE], identity: BY_PRICE_BAR },
  { name: 'liquidations', readings: [DATA] },
  { name: 'adl_warnings', readings: [DATA] },
  { name: 'call_auctions', readings: [DATA] },
  { name: 'block_trade_legs', readings: [DATA], identity: BY_TRADE },
  { name: 'block_tickers', readings: [DATA] },
  { name: 'structured_block_trades', readings: [DATA] },
  { name: 'deliveries', readings: [ANSWER], identity: BY_DELIVERY },
  { name: 'instruments', readings: [DATA, ANSWER] },
  { name: 'platform_state', readings: [DATA] },
]

export const tables: readonly Table[] = rows.map(row => ({
  ...row,
  folder: 'exchanges/okx/tables',
  partitionOf: partitionOfRow,
}))
