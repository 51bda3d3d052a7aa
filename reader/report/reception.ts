import { z } from '../../platform/zod.js'
import { groupBy } from '../../platform/group-by.js'
import { sqlName } from '../../platform/duckdb.js'
import { placeSql, rowsOf, withinSql, type Asked } from './asked.js'
import { timeAxis } from './axis.js'
import type { Chart, Point } from './chart.js'
import { onGrid, type Grid } from './grid.js'
import type { Section } from './section.js'

const rateRow = z.object({ exchange: z.string(), place: z.number(), rows: z.number() })
/** What is made of the recording itself rather than of what came. */
const OWN_TABLES = ['journal', 'coverage', 'coverage_hours']

/** How many rows came in of each table, the busiest first. */
export async function ratesSection(asked: Asked): Promise<Section> {
  const { grid, session } = asked
  const charts: { chart: Chart; sum: number }[] = []
  for (const table of session.tables.filter(table => !OWN_TABLES.includes(table))) {
    const rows = await rowsOf(
      asked,
      `SELECT exchange, ${placeSql(grid, 'recv_ts')} AS place, count(*)::DOUBLE AS "rows" FROM ${sqlName(table)}
      WHERE ${withinSql(asked, 'recv_ts')} AND source = 'live' GROUP BY ALL`,
      rateRow,
    )
    for (const [exchange, own] of groupBy(rows, ({ exchange }) => exchange)) {
      const rates = onGrid(
        grid,
        own,
        ({ place }) => place,
        ({ rows }) => (1000 * rows) / grid.stepMs,
      )
      const sum = own.reduce((sum, { rows }) => sum + rows, 0)
      charts.push({ sum, chart: overTime(grid, `${exchange} ${table}`, 'rows a second', [['rate', rates]]) })
    }
  }
  charts.sort((a, b) => b.sum - a.sum)
  return {
    title: 'Rates by channel',
    note: 'Rows that came live, by table, the busiest first.',
    charts: charts.map(({ chart }) => chart),
    absent: 'no rows in the tables or in raw',
  }
}

/** What is older was sent again, as a state is at each subscription, and was not on its way so long, ms. */
const LATE_MAX_MS = 60_000

const lagRow = z.object({ exchange: z.string(), place: z.number(), half: z.number(), most: z.number() })
const clockRow = z.object({
  exchange: z.string(),
  place: z.number(),
  theirs: z.number().nullable(),
  ours: z.number().nullable(),
})

/** How late things came, and what was known of the clocks. */
export async function clockSection(asked: Asked): Promise<Section> {
  const { grid } = asked
  const charts: Chart[] = []
  for (const [view, what] of [
    ['trades_all', 'trades'],
    ['quotes_all', 'quotes'],
  ] as const) {
    const lags = await rowsOf(
      asked,
      `SELECT exchange, ${placeSql(grid, 'recv_ts')} AS place, quantile_cont(lag, 0.5) AS half, quantile_cont(lag, 0.99) AS most
      FROM (
        SELECT exchange, recv_ts, (epoch_us(recv_ts) - epoch_us(exchange_ts)) / 1000.0 AS lag FROM ${view}
        WHERE ${withinSql(asked, 'recv_ts')} AND source = 'live' AND exchange_ts IS NOT NULL
      ) WHERE lag < ${LATE_MAX_MS} GROUP BY ALL`,
      lagRow,
    )
    for (const [exchange, own] of groupBy(lags, ({ exchange }) => exchange)) {
      const values = (of: 'half' | 'most') =>
        onGrid(
          grid,
          own,
          ({ place }) => place,
          row => row[of],
        )
      const lines = [
        ['the middle one', values('half')],
        ['99 of 100 within', values('most')],
      ] as const
      charts.push(overTime(grid, `${exchange}: ${what} received after`, 'ms', lines))
    }
  }
  const clocks = await rowsOf(
    asked,
    `SELECT exchange, ${placeSql(grid, 'recv_ts')} AS place,
      avg((detail->>'exchange_offset_us')::DOUBLE) / 1000 AS theirs, avg((detail->>'offset_us')::DOUBLE) / 1000 AS ours
    FROM journal WHERE ${withinSql(asked, 'recv_ts')} AND event = 'clock' GROUP BY ALL`,
    clockRow,
  )
  for (const [exchange, own] of groupBy(clocks, ({ exchange }) => exchange)) {
    // The journal has the clocks each minute: a finer step has no blanks that mean anything.
    const values = (of: 'theirs' | 'ours') =>
      onGrid(
        coarse(grid),
        own,
        row => Math.floor(row.place / coarseness(grid)),
        row => row[of],
      )
    const lines = [
      ["the exchange's clock", values('theirs')],
      ['the wall clock', values('ours')],
    ] as const
    charts.push(overTime(coarse(grid), `${exchange}: clocks ahead of the receive clock`, 'ms', lines, false))
  }
  return { title: 'Clock offset and receive lag', charts, absent: 'no rows in the tables or in raw' }
}

const MINUTE_MS = 60_000
const coarseness = ({ stepMs }: Grid) => Math.max(1, MINUTE_MS / stepMs)

/** The same span in steps of a minute at least. */
function coarse(grid: Grid): Grid {
  const every = coarseness(grid)
  return { ...grid, stepMs: grid.stepMs * every, starts: grid.starts.filter((_, index) => index % every === 0) }
}

function overTime(
  grid: Grid,
  title: string,
  unit: string,
  lines: readonly (readonly [name: string, values: readonly (number | null)[]])[],
  fromZero = true,
): Chart {
  const layers = lines.map(([name, values], index) => {
    const points = grid.starts.map((start, place): Point => [start, values[place] ?? null])
    return { shape: 'line' as const, name, tone: index === 0 ? (1 as const) : (2 as const), points }
  })
  return { title, unit, x: timeAxis(grid.fromMs, grid.toMs), fromZero, layers }
}
