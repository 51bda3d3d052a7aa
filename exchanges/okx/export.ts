import type { Kind } from '../../formats/partition.js'
import type { ExportRows, Exports } from '../export.js'

const HEAD = 'exchange, kind, currency, "date", recv_ts, exchange_ts, conn, seq, source, instrument_name'
/** What says of several channels is at a moment: the last that came of each. */
const lastOf = (table: string, columns: string, dates: string, alias: string, of = 'instrument_name') =>
  `ASOF LEFT JOIN (SELECT instrument_name, recv_ts, ${columns} FROM okx.${table} WHERE ${dates}) ${alias}
    ON ${of} = ${alias}.instrument_name AND said.recv_ts >= ${alias}.recv_ts`

/** Indices are called by their pair; those of contracts in USDC are in USD. */
const INDEX = `split_part(said.instrument_name, '-', 1) || '-' || regexp_replace(split_part(said.instrument_name, '-', 2), '^USDC$|^USD_UM$', 'USD')`
const quotes: ExportRows = { table: 'quote', family: 'bbo-tbt', columns: ['"askSz"', '"askPx"', '"bidPx"', '"bidSz"'] }

/** Each channel is about one thing. */
const ticker: ExportRows = {
  table: 'ticker',
  family: 'tickers',
  from: dates => `SELECT said.*, i."idxPx" FROM (
      SELECT ${HEAD}, "last" FROM okx.ticker WHERE ${dates}
      UNION ALL BY NAME SELECT ${HEAD}, "markPx" FROM okx.mark_price WHERE ${dates}
      UNION ALL BY NAME SELECT ${HEAD}, oi FROM okx.open_interest WHERE ${dates}
      UNION ALL BY NAME SELECT ${HEAD},
        "fundingTime", "fundingRate", "nextFundingRate" FROM okx.funding_rate WHERE ${dates}
    ) said ${lastOf('price_index', '"idxPx"', dates, 'i', INDEX)}`,
  columns: [
    ...['"fundingTime" * 1000', '"fundingRate"', '"nextFundingRate"', 'nullif(oi, 0)'],
    ...['nullif("last", 0)', '"idxPx"', 'nullif("markPx", 0)'],
  ],
  changesOnly: true,
}

const part = (place: number) => `split_part(instrument_name, '-', ${place})`
const chain: ExportRows = {
  table: 'option_summary',
  family: 'opt-summary',
  from: dates => `SELECT said.*, t.* EXCLUDE (instrument_name, recv_ts), m."markPx", o.oi, i."idxPx"
    FROM (SELECT * FROM okx.option_summary WHERE ${dates}) said
    ${lastOf('ticker', '"last", "bidPx", "bidSz", "askPx", "askSz"', dates, 't', 'said.instrument_name')}
    ${lastOf('mark_price', '"markPx"', dates, 'm', 'said.instrument_name')}
    ${lastOf('open_interest', 'oi', dates, 'o', 'said.instrument_name')}
    ${lastOf('price_index', '"idxPx"', dates, 'i', 'said.uly')}`,
  columns: [
    `CASE ${part(5)} WHEN 'P' THEN 'put' ELSE 'call' END`,
    `TRY_CAST(${part(4)} AS DOUBLE)`,
    // Options end at 08:00 UTC of the day in their name.
    `epoch_us(TRY_STRPTIME(${part(3)}, '%y%m%d')) + 28800000000`,
    ...['oi', '"last"', '"bidPx"', '"bidSz"', '"bidVol"', '"askPx"', '"askSz"', '"askVol"'].map(
      column => `nullif(${column}, 0)`,
    ),
    ...['"markPx"', '"markVol"', 'uly', '"idxPx"', 'delta', 'gamma', 'vega', 'theta', 'NULL::DOUBLE'],
  ],
}

const TARDIS: Readonly<Partial<Record<Kind, string>>> = {
  perpetual: 'okex-swap',
  future: 'okex-futures',
  option: 'okex-options',
}

/** By what Tardis' own code makes of the exchange's frames. Amounts of derivatives are contracts, as there. */
export function exports(kind: Kind): Exports {
  const isDated = kind === 'perpetual' || kind === 'future'
  return {
    tardisName: TARDIS[kind] ?? 'okex',
    nautilusId: name => `${name}.OKX`,
    steps: { price: '"tickSz"', amount: '"lotSz"' },
    book: { table: 'book', family: 'books' },
    rows: {
      trades: {
        table: 'trades',
        family: 'trades',
        numberedBy: '"tradeId"',
        columns: ['"tradeId"', 'side', 'px', 'sz'],
      },
      quotes,
      book_ticker: quotes,
      ...(isDated && {
        derivative_ticker: ticker,
        liquidations: {
          table: 'liquidations',
          family: 'liquidation-orders',
          columns: ['NULL::VARCHAR', 'side', '"bkPx"', 'sz'],
        },
      }),
      ...(kind === 'option' && { options_chain: chain }),
    },
  }
}
