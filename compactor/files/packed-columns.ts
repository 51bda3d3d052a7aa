import { countOf, sqlName } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { Column } from '../lines/columns.js'

/** How a column of `staged` goes through a sort. */
export interface PackedColumn {
  /** What is carried, in SQL on `staged`; undefined where nothing is. */
  packed: string | undefined
  /** The column again as it was, in SQL on what was carried. */
  unpacked: string
}

/** Fewer rows are carried as they are: their sort is small, and to look at their texts takes longer. */
const LEAST_ROWS = 20_000
/** Texts of which there are more are carried as they are. */
const MOST_TEXTS = 20_000
/** Rows that show which texts repeat: of those that do, fewer than half are different. */
const SAMPLE_ROWS = 20_000

/**
 * A sort holds its rows in memory, and texts in them cost it most: of a ticker's row more than all of its numbers. So
 * texts that repeat are carried as numbers (of an enumeration of those that occur, in their order), and columns with
 * one value, or none, not at all.
 * @param all columns of `staged`
 * @param rows how many `staged` has
 */
export async function packColumns(engine: Engine, all: readonly Column[], rows: number): Promise<PackedColumn[]> {
  const columns = all.filter(({ name }) => name !== 'row_no').map(({ name, type }) => ({ name: sqlName(name), type }))
  if (rows < LEAST_ROWS) return columns.map(({ name }) => ({ packed: name, unpacked: name }))
  const empty = await withoutValues(engine, columns)
  const repeating = await repeatingTexts(
    engine,
    columns.filter(({ name }) => !empty.has(name)),
  )
  const packed: PackedColumn[] = []
  for (const [index, { name, type }] of columns.entries()) {
    const own = { packed: name, unpacked: name }
    if (empty.has(name)) packed.push({ packed: undefined, unpacked: `CAST(NULL AS ${type}) AS ${name}` })
    else packed.push((repeating.has(name) && (await packTexts(engine, name, `texts_${index}`))) || own)
  }
  return packed
}

/** Columns with a value in the first rows, which are most, need no count. */
async function withoutValues(engine: Engine, columns: readonly Column[]): Promise<Set<string>> {
  let empty = columns.map(({ name }) => name)
  for (const rows of [`(FROM staged LIMIT ${SAMPLE_ROWS})`, 'staged']) {
    if (empty.length === 0) break
    const [counts = []] = await engine.rows(`SELECT ${empty.map(name => `count(${name})`).join(', ')} FROM ${rows}`)
    empty = empty.filter((_, index) => countOf(counts[index]) === 0)
  }
  return new Set(empty)
}

/** Columns of text that may have few different ones. */
async function repeatingTexts(engine: Engine, columns: readonly Column[]): Promise<Set<string>> {
  const texts = columns.filter(({ type }) => type === 'VARCHAR')
  if (texts.length === 0) return new Set()
  const counts = texts.map(({ name }) => `approx_count_distinct(${name})`).join(', ')
  const [few = []] = await engine.rows(`SELECT ${counts} FROM (FROM staged LIMIT ${SAMPLE_ROWS})`)
  return new Set(texts.filter((_, index) => countOf(few[index]) <= SAMPLE_ROWS / 2).map(({ name }) => name))
}

/** Undefined where there are too many, or one that an enumeration does not hold (it ends texts at NUL). */
async function packTexts(engine: Engine, column: string, type: string): Promise<PackedColumn | undefined> {
  await engine.run(`CREATE OR REPLACE TABLE texts AS SELECT DISTINCT ${column} AS text FROM staged WHERE row_no > 0`)
  const [[all, texts, odd] = []] = await engine.rows(
    'SELECT count(*), count(text), count_if(contains(text, chr(0))) FROM texts',
  )
  if (countOf(texts) > MOST_TEXTS || countOf(texts) === 0 || countOf(odd) > 0) return undefined
  await engine.run(`CREATE TYPE ${type} AS ENUM (SELECT text FROM texts WHERE text IS NOT NULL ORDER BY text)`)
  if (countOf(all) === 1) return { packed: undefined, unpacked: `enum_first(NULL::${type})::VARCHAR AS ${column}` }
  return { packed: `staged.${column}::${type} AS ${column}`, unpacked: `${column}::VARCHAR AS ${column}` }
}
