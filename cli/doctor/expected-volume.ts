import type { ExchangeProbe } from '../../recorder/probe-exchange.js'

/** What a day adds to the disk, raw and Parquet together, and how that is known. */
export interface ExpectedVolume {
  bytesPerDay: number
  from: 'recorded' | 'estimated'
}

const DAY_S = 86_400

/**
 * Bytes that a frame takes in a sealed segment. Tickers, books and trades from recorded frames of the exchange, quotes
 * from `npm run bench compactor`; the others by their length. Right within a factor of three.
 */
const BYTES_PER_FRAME: Readonly<Record<string, number>> = {
  trades: 115,
  quote: 35,
  book: 60,
  book_grouped: 80,
  ticker: 75,
  incremental_ticker: 60,
  perpetual: 30,
  'chart.trades': 40,
  // A frame has a row for each option.
  'markprice.options': 4000,
}
const OTHER_BYTES_PER_FRAME = 40
/** Parquet beside raw. */
const WITH_PARQUET = 1.6

/** By what the exchange lists and the config asks for. Pure. */
export function estimateVolume(families: ExchangeProbe['families']): ExpectedVolume {
  let bytesPerSecond = 0
  for (const [family, { framesPerSecond }] of families)
    bytesPerSecond += framesPerSecond * (BYTES_PER_FRAME[family] ?? OTHER_BYTES_PER_FRAME)
  return { bytesPerDay: bytesPerSecond * DAY_S * WITH_PARQUET, from: 'estimated' }
}
