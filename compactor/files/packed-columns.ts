import { countOf, sqlName, sqlText } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { SeenColumn } from './seen-columns.js'

/** How a column of `staged` goes through a sort. */
export interface PackedColumn {
  /** What is carried, in SQL on `staged`; undefined where nothing is. */
  packed: string | undefined
  /** The column again as it was, in SQL on what was carried. */
  unpacked: string
  /** Where its texts have numbers: how many there are, and the number of a row's from 0, in SQL on `staged`. */
  texts?: { count: number; number: string }
}

/** Texts of which there are more are carried as they are. */
const MOST_TEXTS = 20_000
/** Texts that repeat are so many rows for each, or more. */
const ROWS_PER_TEXT = 4

/**
 * A sort holds its rows in memory, and texts in them cost it most: of a ticker's row more than all of its numbers. So
 * texts that repeat are carried as numbers (of an enumeration of those that occur, in their order), and columns with
 * one value, or none, not at all.
 * @param columns of `staged`
 * @param rows of it
 */
export async function packColumns(
  engine: Engine,
  columns: readonly SeenColumn[],
  rows: number,
): Promise<PackedColumn[]> {
  const most = Math.min(MOST_TEXTS, rows / ROWS_PER_TEXT)
  const packed: PackedColumn[] = []
  for (const [index, { name, type, isEmpty, onlyText, different }] of columns.entries()) {
    const column = sqlName(name)
    const own = { packed: column, unpacked: column }
    if (isEmpty) packed.push({ packed: undefined, unpacked: `CAST(NULL AS ${type}) AS ${column}` })
    else if (onlyText !== undefined) packed.push(constant(`${sqlText(onlyText)} AS ${column}`))
    else {
      const repeats = type === 'VARCHAR' && different <= most
      packed.push((repeats && (await packTexts(engine, column, `texts_${index}`))) || own)
    }
  }
  return packed
}

const constant = (unpacked: string): PackedColumn => ({ packed: undefined, unpacked, texts: { count: 1, number: '0' } })

/** Undefined where there are too many, or one that an enumeration does not hold (it ends texts at NUL). */
async function packTexts(engine: Engine, column: string, type: string): Promise<PackedColumn | undefined> {
  await engine.run(`CREATE OR REPLACE TABLE texts AS SELECT DISTINCT ${column} AS text FROM staged WHERE row_no > 0`)
  const [[all, texts, odd] = []] = await engine.rows(
    'SELECT count(*), count(text), count_if(contains(text, chr(0))) FROM texts',
  )
  if (countOf(texts) > MOST_TEXTS || countOf(texts) === 0 || countOf(odd) > 0) return undefined
  await engine.run(`CREATE TYPE ${type} AS ENUM (SELECT text FROM texts WHERE text IS NOT NULL ORDER BY text)`)
  if (countOf(all) === 1) return constant(`enum_first(NULL::${type})::VARCHAR AS ${column}`)
  const number = `staged.${column}::${type}`
  return {
    packed: `${number} AS ${column}`,
    unpacked: `${column}::VARCHAR AS ${column}`,
    texts: { count: countOf(texts), number: `enum_code(${number})` },
  }
}
