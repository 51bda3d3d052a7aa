import { sqlName } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { Column } from '../lines/columns.js'

/** A column of `staged`, and what its rows were seen to hold. */
export interface SeenColumn extends Column {
  isEmpty: boolean
  /** About how many different values there are. */
  different: number
  /** The text that every row holds, where it is short and plain and known to be the only one. */
  onlyText: string | undefined
}

/** Of a text DuckDB notes so many bytes. */
const NOTED_BYTES = 8

/**
 * What DuckDB noted while rows were added: to ask costs nothing, and to look through the rows a hundredth of converting them. Rows that
 * were deleted since count as if they were there, so that a column may seem fuller than it is, never emptier.
 */
export async function lookAtColumns(engine: Engine, columns: readonly Column[]): Promise<SeenColumn[]> {
  const asked = columns.map(({ name }) => `stats(${sqlName(name)})`)
  const [notes = []] = await engine.rows(`SELECT ${asked.join(', ')} FROM staged LIMIT 1`)
  return columns.map((column, index) => ({ ...column, ...readNote(String(notes[index]), column.type) }))
}

function readNote(note: string, type: string): Omit<SeenColumn, keyof Column> {
  return {
    isEmpty: note.includes('[Has Null: true, Has No Null: false]'),
    different: Number(/\[Approx Unique: (\d+)\]$/.exec(note)?.[1] ?? Infinity),
    onlyText: type === 'VARCHAR' ? onlyTextOf(note) : undefined,
  }
}

/** Least and greatest are the same, none is longer, and there is no row without. */
function onlyTextOf(note: string): string | undefined {
  const [, text = '', longest] =
    /^\[Min: ([\w./-]+), Max: \1, Has Unicode: false, Max String Length: (\d+)\]\[Has Null: false, /.exec(note) ?? []
  return text.length === Number(longest) && text.length <= NOTED_BYTES ? text : undefined
}
