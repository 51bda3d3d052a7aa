import type { z } from 'zod'
import { timeText } from '../../platform/moment.js'
import { sqlText } from '../../platform/duckdb.js'
import { dateOf } from '../../platform/utc-date.js'
import type { QuerySession } from '../query/session.js'
import type { Grid } from './grid.js'

/** What the sections of a report are asked of. */
export interface Asked {
  session: QuerySession
  /** The folder that the session reads. */
  root: string
  grid: Grid
  /** The one whose data are shown; without it, all. */
  exchange?: string | undefined
}

/** All rows of an answer, each of them checked. */
export async function rowsOf<Row>({ session }: Asked, sql: string, row: z.ZodType<Row>): Promise<Row[]> {
  const rows = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRowObjectsJson())
  return rows.map(values => row.parse(values))
}

const moment = (ms: number) => sqlText(timeText(ms * 1000))

/** The grid's begin and end as SQL. */
export const boundsSql = ({ fromMs, toMs }: Grid) => `${moment(fromMs)}, ${moment(toMs)}`

/** Rows of the exchanges that are shown. */
export const shownSql = ({ exchange }: Pick<Asked, 'exchange'>) =>
  exchange === undefined ? 'true' : `exchange = ${sqlText(exchange)}`

/** Those of the grid's time by a column; `date` is of the segment, which may have begun on the day before. */
export function withinSql({ grid, exchange }: Pick<Asked, 'grid' | 'exchange'>, column: string): string {
  const { fromMs, toMs } = grid
  const [first, last] = [dateOf(fromMs - 86_400_000), dateOf(toMs - 1)]
  return `date BETWEEN DATE '${first}' AND DATE '${last}'
    AND ${column} >= TIMESTAMPTZ ${moment(fromMs)} AND ${column} < TIMESTAMPTZ ${moment(toMs)}
    AND ${shownSql({ exchange })}`
}

/** Into which step of the grid a moment falls. */
export const placeSql = ({ fromMs, stepMs }: Grid, column: string) =>
  `((epoch_us(${column}) - ${fromMs * 1000}) // ${stepMs * 1000})::INTEGER`

export const stepSql = ({ stepMs }: Grid) => `INTERVAL '${stepMs / 1000} seconds'`
