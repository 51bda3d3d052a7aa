import type { Vector } from '@duckdb/node-bindings'
import { duckdbBindings } from '../../platform/duckdb.js'
import type { LineMachine, PlacedColumn } from './line-program.js'

/** Texts up to so many bytes stand in the entry itself: `duckdb_string_t`, 16 bytes. */
const INLINE_BYTES = 12
const WORD_BYTES = 8

/** Copies a column, as the program has it, into a vector of DuckDB, which has every entry filled until something else is said. */
export function copyColumn(machine: LineMachine, vector: Vector, column: PlacedColumn, rows: number): void {
  const duckdb = duckdbBindings()
  const filled = machine.program.filledRows(column.number)
  if (filled > 0 || column.elements) copyEntries(machine, vector, column, rows)
  if (filled === rows) return
  duckdb.vector_ensure_validity_writable(vector)
  const bytes = Math.ceil(rows / (8 * WORD_BYTES)) * WORD_BYTES
  duckdb.copy_data_to_vector_validity(vector, 0, machine.program.memory.buffer, column.validity, bytes)
}

function copyEntries(machine: LineMachine, vector: Vector, column: PlacedColumn, entries: number): void {
  const duckdb = duckdbBindings()
  if (column.type === 'VARCHAR') keepTexts(machine, vector, column, entries)
  duckdb.copy_data_to_vector(vector, 0, machine.program.memory.buffer, column.values, entries * column.entryBytes)
  if (!column.elements) return
  const elements = machine.used(column)
  duckdb.list_vector_reserve(vector, elements)
  duckdb.list_vector_set_size(vector, elements)
  if (elements > 0) copyEntries(machine, duckdb.list_vector_get_child(vector), column.elements, elements)
}

/** Puts long texts where DuckDB keeps those of this vector, as one text, whose entry says where that is. */
function keepTexts(machine: LineMachine, vector: Vector, column: PlacedColumn, entries: number): void {
  const { program } = machine
  const bytes = machine.used(column)
  if (bytes <= INLINE_BYTES) return
  const duckdb = duckdbBindings()
  duckdb.vector_assign_string_element_len(vector, 0, new Uint8Array(program.memory.buffer, column.heap, bytes))
  const entry = duckdb.vector_get_data(vector, 16)
  program.point(column.number, entries, new DataView(entry.buffer, entry.byteOffset).getBigUint64(8, true))
}
