import { countOf } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'

/** Rows of one instrument in `staged`. */
export interface NameCount {
  /** Place in the order of names, from 1: a number that SQL can hold where a name from the wire should not stand. */
  rank: number
  name: string
  rows: number
}

/** Rows of `staged` that follow each other in a file's order. */
export interface SortedRange {
  /** Places of the wanted names; none: whatever the name. */
  ranks: number[]
  /** An SQL condition on them. */
  where: string
}

const everything = (names: readonly NameCount[]): SortedRange => ({
  ranks: names.map(({ rank }) => rank),
  where: 'true',
})

/** Numbers the names in `staged`, for `rowsOf`. */
export const rankNames = (engine: Engine) =>
  engine.run(`CREATE OR REPLACE TABLE names AS
    SELECT row_number() OVER (ORDER BY instrument_name) AS rank, instrument_name AS ranked_name
    FROM staged WHERE row_no > 0 GROUP BY instrument_name`)

/** The rows of ranges, in SQL. */
export function rowsOf({ ranks, where }: SortedRange, all: boolean): string {
  if (all || ranks.length === 0) return `staged WHERE row_no > 0 AND ${where}`
  // A row may have no instrument, which is a name like others here.
  const named = 'instrument_name IS NOT DISTINCT FROM ranked_name'
  return `staged JOIN names ON ${named} WHERE row_no > 0 AND rank IN (${ranks.join(', ')}) AND ${where}`
}

/**
 * Divides the rows of a file into ranges of about so many at most, in their order: a sort needs memory for each piece of
 * its rows that waits on the disk, so that it may have only so many.
 * @param names what the file holds, in order; none where its rows have no instrument
 */
export async function sortedRanges(
  engine: Engine,
  names: readonly NameCount[],
  rows: number,
  most: number,
): Promise<SortedRange[]> {
  if (rows <= most) return [everything(names)]
  if (names.length === 0) {
    const [[named] = []] = await engine.rows('SELECT count(instrument_name) FROM staged')
    return countOf(named) > 0 ? [everything([])] : byTime(engine, [], rows, most)
  }
  const ranges: SortedRange[] = []
  let together: NameCount[] = []
  let sum = 0
  for (const name of names) {
    if (sum > 0 && sum + name.rows > most) {
      ranges.push(everything(together))
      together = []
      sum = 0
    }
    if (name.rows > most) ranges.push(...(await byTime(engine, [name], name.rows, most)))
    else {
      together.push(name)
      sum += name.rows
    }
  }
  return sum > 0 ? [...ranges, everything(together)] : ranges
}

/** By the time of the exchange, or where there is none, by the number of the frame. */
async function byTime(engine: Engine, names: readonly NameCount[], rows: number, most: number): Promise<SortedRange[]> {
  const all = everything(names)
  const from = rowsOf(all, false)
  const [[timed] = []] = await engine.rows(`SELECT count(exchange_ts) FROM ${from}`)
  const place = countOf(timed) > 0 ? 'epoch_us(exchange_ts)' : 'seq'
  const count = Math.ceil(rows / most)
  const shares = Array.from({ length: count - 1 }, (_, index) => (index + 1) / count)
  const bounds = await engine.rows(
    `SELECT DISTINCT unnest(approx_quantile(${place}, [${shares.join(', ')}])) AS bound FROM ${from} ORDER BY 1`,
  )
  const ends = bounds.map(([bound]) => String(bound))
  const ranges = ends.map((end, index) => {
    const start = ends[index - 1]
    return { ranks: all.ranks, where: `${place} <= ${end}${start === undefined ? '' : ` AND ${place} > ${start}`}` }
  })
  const last = ends.at(-1)
  return last === undefined
    ? [all]
    : [...ranges, { ranks: all.ranks, where: `(${place} > ${last} OR ${place} IS NULL)` }]
}
