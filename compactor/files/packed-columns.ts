import { countOf, sqlName } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { Column } from '../lines/columns.js'

/** How a column of `staged` goes through a sort. */
export interface PackedColumn {
  /** What is carried, in SQL on `staged`; undefined where nothing is. */
  packed: string | undefined
  /** The column again as it was, in SQL on what was carried. */
  unpacked: string
  /** Where its texts have numbers: how many there are, and the number of a row's from 0, in SQL on `staged`. */
  texts?: { count: number; number: string }
}

/** What rows show of their columns. */
export interface SeenColumns {
  /** Those that hold nothing. */
  empty: ReadonlySet<string>
  /** Texts that repeat. */
  repeating: ReadonlySet<string>
}

/** Texts of which there are more are carried as they are. */
const MOST_TEXTS = 20_000
/** Rows that show which texts repeat: of those that do, fewer than half are different. */
const SAMPLE_ROWS = 4096

/**
 * A sort holds its rows in memory, and texts in them cost it most: of a ticker's row more than all of its numbers. So
 * texts that repeat are carried as numbers (of an enumeration of those that occur, in their order), and columns with
 * one value, or none, not at all.
 * @param columns of `staged`
 */
export async function packColumns(
  engine: Engine,
  columns: readonly Column[],
  { empty, repeating }: SeenColumns,
): Promise<PackedColumn[]> {
  const packed: PackedColumn[] = []
  for (const [index, { name, type }] of columns.entries()) {
    const column = sqlName(name)
    const own = { packed: column, unpacked: column }
    if (empty.has(name)) packed.push({ packed: undefined, unpacked: `CAST(NULL AS ${type}) AS ${column}` })
    else packed.push((repeating.has(name) && (await packTexts(engine, column, `texts_${index}`))) || own)
  }
  return packed
}

/** What the first rows show: in which columns there is nothing, which texts repeat. All rows are asked only where there may be nothing. */
export async function lookAtColumns(engine: Engine, columns: readonly Column[]): Promise<SeenColumns> {
  const texts = columns.filter(({ type }) => type === 'VARCHAR').map(({ name }) => name)
  const asked = [
    ...columns.map(({ name }) => `count(${sqlName(name)})`),
    ...texts.map(name => `approx_count_distinct(${sqlName(name)})`),
  ]
  const [counts = []] = await engine.rows(`SELECT ${asked.join(', ')} FROM (FROM staged LIMIT ${SAMPLE_ROWS})`)
  const seen = (index: number) => countOf(counts[index])
  const maybe = columns.flatMap(({ name }, index) => (seen(index) === 0 ? [name] : []))
  const [all = []] =
    maybe.length === 0
      ? []
      : await engine.rows(`SELECT ${maybe.map(name => `count(${sqlName(name)})`).join(', ')} FROM staged`)
  const empty = new Set(maybe.filter((_, index) => countOf(all[index]) === 0))
  const few = texts.filter((name, index) => !empty.has(name) && seen(columns.length + index) <= SAMPLE_ROWS / 2)
  return { empty, repeating: new Set(few) }
}

/** Undefined where there are too many, or one that an enumeration does not hold (it ends texts at NUL). */
async function packTexts(engine: Engine, column: string, type: string): Promise<PackedColumn | undefined> {
  await engine.run(`CREATE OR REPLACE TABLE texts AS SELECT DISTINCT ${column} AS text FROM staged WHERE row_no > 0`)
  const [[all, texts, odd] = []] = await engine.rows(
    'SELECT count(*), count(text), count_if(contains(text, chr(0))) FROM texts',
  )
  if (countOf(texts) > MOST_TEXTS || countOf(texts) === 0 || countOf(odd) > 0) return undefined
  await engine.run(`CREATE TYPE ${type} AS ENUM (SELECT text FROM texts WHERE text IS NOT NULL ORDER BY text)`)
  if (countOf(all) === 1)
    return {
      packed: undefined,
      unpacked: `enum_first(NULL::${type})::VARCHAR AS ${column}`,
      texts: { count: 1, number: '0' },
    }
  const number = `staged.${column}::${type}`
  return {
    packed: `${number} AS ${column}`,
    unpacked: `${column}::VARCHAR AS ${column}`,
    texts: { count: countOf(texts), number: `enum_code(${number})` },
  }
}
