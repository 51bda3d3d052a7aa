import { z } from '../../platform/zod.js'
import { EdgeError } from '../../platform/edge-error.js'
import { sqlText } from '../../platform/duckdb.js'
import { sampleBook } from '../book/sample-book.js'
import { boundsSql, placeSql, rowsOf, stepSql, withinSql, type Asked } from './asked.js'
import { timeAxis } from './axis.js'
import type { BandPoint, Chart, Layer, Point } from './chart.js'
import { onGrid, type Grid } from './grid.js'
import type { Section } from './section.js'

/** Instruments shown: of each exchange and coin the one with the largest turnover. */
const INSTRUMENTS_MAX = 4
/** Trades that are shown as dots. */
const LARGEST_TRADES = 40
/** How far from the middle a level counts to the depth, as a fraction. */
const DEPTH_WITHIN = 0.001

const instrumentRow = z.object({
  exchange: z.string(),
  kind: z.string(),
  instrument_name: z.string(),
  quote: z.string().nullable(),
  base: z.string().nullable(),
  trades: z.number(),
})
type Instrument = z.infer<typeof instrumentRow>

/** A section for each of the instruments with the largest turnover that are no options. */
export async function marketSections(asked: Asked): Promise<Section[]> {
  const instruments = await rowsOf(
    asked,
    `SELECT * EXCLUDE (turnover) FROM (
      SELECT exchange, kind, instrument_name, any_value(quote) AS quote, any_value(base) AS base,
        count(*)::INTEGER AS trades, sum(notional_quote) AS turnover
      FROM trades_all WHERE ${withinSql(asked, 'exchange_ts')} AND kind IN ('perpetual', 'future', 'spot')
      GROUP BY exchange, kind, instrument_name
    ) QUALIFY row_number() OVER (PARTITION BY exchange, base ORDER BY turnover DESC NULLS LAST, instrument_name) = 1
    ORDER BY turnover DESC NULLS LAST, instrument_name LIMIT ${INSTRUMENTS_MAX}`,
    instrumentRow,
  )
  if (instruments.length === 0)
    return [{ title: 'Prices', charts: [], absent: 'no trades of perpetuals, futures or spot in the tables or in raw' }]
  const sections: Section[] = []
  for (const instrument of instruments) sections.push(await sectionOf(asked, instrument))
  return sections
}

const tradesRow = z.object({
  place: z.number(),
  low: z.number(),
  high: z.number(),
  bought: z.number(),
  sold: z.number(),
})
const largeRow = z.object({ at: z.number(), price: z.number(), side: z.string(), turnover: z.number() })
const quoteRow = z.object({ place: z.number(), bid: z.number().nullable(), ask: z.number().nullable() })

async function sectionOf(asked: Asked, instrument: Instrument): Promise<Section> {
  const { grid } = asked
  const { exchange, kind, instrument_name: name, quote, trades: count } = instrument
  const own = `exchange = ${sqlText(exchange)} AND kind = ${sqlText(kind)} AND instrument_name = ${sqlText(name)}`
  const traded = `FROM trades_all WHERE ${own} AND ${withinSql(asked, 'exchange_ts')} AND NOT coalesce(is_block, false)`
  const trades = await rowsOf(
    asked,
    `SELECT ${placeSql(grid, 'exchange_ts')} AS place, min(price) AS low, max(price) AS high,
      coalesce(sum(notional_quote) FILTER (side = 'buy'), 0) AS bought,
      coalesce(sum(notional_quote) FILTER (side = 'sell'), 0) AS sold
    ${traded} AND price IS NOT NULL GROUP BY place`,
    tradesRow,
  )
  const large = await rowsOf(
    asked,
    `SELECT epoch_ms(exchange_ts)::DOUBLE AS at, price, side, notional_quote AS turnover
    ${traded} AND notional_quote > 0 AND side IS NOT NULL
    ORDER BY notional_quote DESC, exchange_ts, trade_id LIMIT ${LARGEST_TRADES}`,
    largeRow,
  )
  const quotes = await rowsOf(
    asked,
    `SELECT ${placeSql(grid, 'at_ts')} AS place, bid_price AS bid, ask_price AS ask
    FROM quotes_at(${stepSql(grid)}, ${boundsSql(grid)}, instrument := ${sqlText(name)}) WHERE ${own}`,
    quoteRow,
  )
  const at = (row: { place: number }) => row.place
  const middles = onGrid(grid, quotes, at, ({ bid, ask }) => (bid === null || ask === null ? null : (bid + ask) / 2))
  const spreads = onGrid(grid, quotes, at, ({ bid, ask }) =>
    bid === null || ask === null || bid + ask <= 0 ? null : (20_000 * (ask - bid)) / (bid + ask),
  )
  const ranges = onGrid(grid, trades, at, ({ low, high }) => [low, high] as const)
  const bought = onGrid(grid, trades, at, row => row.bought)
  const sold = onGrid(grid, trades, at, row => -row.sold)
  const half = grid.stepMs / 2
  const unit = quote ?? ''
  const dots = large.map(
    ({ at, price, side, turnover }) =>
      [
        at,
        price,
        `${new Date(at).toISOString().slice(11, 19)} ${side} ${Math.round(turnover).toLocaleString('en-US')} ${unit} at ${price}`,
      ] as const,
  )
  const x = timeAxis(grid.fromMs, grid.toMs)
  const bars = (name: string, tone: 1 | 2, values: readonly (number | null)[]): Layer => ({
    ...{ shape: 'bars', name, tone, width: grid.stepMs },
    points: pointsOf(grid, values, 0),
  })
  const band: BandPoint[] = grid.starts.map((start, index) => [start + half, ranges[index] ?? null])
  return {
    title: `${exchange} ${name}`,
    note: `${kind}, ${count.toLocaleString('en-US')} trades; a step is ${grid.stepMs / 1000} s. Where nothing is known, nothing is drawn.`,
    charts: [
      {
        ...{ title: 'Price', unit, x },
        layers: [
          { shape: 'band', name: 'traded between', tone: 1, points: band },
          { shape: 'line', name: 'middle of bid and ask', tone: 1, points: pointsOf(grid, middles, 0) },
          { shape: 'dots', name: `the ${dots.length} largest trades`, tone: 2, points: dots },
        ],
      },
      {
        ...{ title: 'Traded', unit: `${unit} a step; sold below 0`, x, fromZero: true },
        layers: [bars('takers bought', 1, bought), bars('takers sold', 2, sold)],
      },
      {
        ...{ title: 'Spread', unit: 'hundredths of a percent of the middle', x, fromZero: true },
        layers: [{ shape: 'line', name: 'spread', tone: 1, points: pointsOf(grid, spreads, 0) }],
      },
      await depthChart(asked, instrument, x),
    ],
  }
}

/** @param offsetMs of a value behind the begin of its step */
const pointsOf = (grid: Grid, values: readonly (number | null)[], offsetMs: number): Point[] =>
  grid.starts.map((start, index) => [start + offsetMs, values[index] ?? null])

async function depthChart({ root, grid }: Asked, instrument: Instrument, x: Chart['x']): Promise<Chart> {
  const { exchange, instrument_name: name } = instrument
  const bids: Point[] = []
  const asks: Point[] = []
  const span = { from: grid.fromMs * 1000, to: grid.toMs * 1000, everyMs: grid.stepMs }
  try {
    for await (const batch of sampleBook({ path: root, instrument: name, exchange, ...span }))
      for (const { atUs, bids: bid, asks: ask } of batch) {
        const middle = ((bid[0]?.[0] ?? NaN) + (ask[0]?.[0] ?? NaN)) / 2
        const near = (levels: [number, number][]) =>
          levels.reduce((sum, [price, amount]) => sum + (Math.abs(price / middle - 1) <= DEPTH_WITHIN ? amount : 0), 0)
        const isKnown = Number.isFinite(middle)
        bids.push([atUs / 1000, isKnown ? near(bid) : null])
        asks.push([atUs / 1000, isKnown ? near(ask) : null])
      }
  } catch (error) {
    // Without a book the chart says that it is not there.
    if (!(error instanceof EdgeError) || !['BOOK_NO_DATA', 'BOOK_NOT_RECORDED'].includes(error.code)) throw error
  }
  return {
    ...{ title: 'Depth', unit: 'amount within 0.1 % of the middle, as the exchange counts it', x, fromZero: true },
    layers: [
      { shape: 'line', name: 'bids', tone: 3, points: bids },
      { shape: 'line', name: 'asks', tone: 2, points: asks },
    ],
  }
}
