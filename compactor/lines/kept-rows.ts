import { setImmediate } from 'node:timers/promises'
import { sqlText } from '../../platform/duckdb.js'
import type { Stretch } from '../files/stretches.js'
import type { PlannedOrder } from './line-plan.js'
import type { LineMachine, PlacedColumn } from './line-program.js'

/** As in `deploy/rows-wasm`: texts of a column that have numbers. */
const TEXTS = 8192
const SLOT_BYTES = 2 * TEXTS * 2
const ENTRY_BYTES = 16
const INLINE_BYTES = 12
/** Size of `Kept`. */
const KEPT_BYTES = 28
/** Where a text is, or its number. */
const REFERENCE_BYTES = 4
/** So many times rows are taken before others have their turn, some 10 ms. */
const TIMES_AT_ONCE = 16

/** A look at kept rows. */
export interface Scan {
  wanted: readonly PlacedColumn[]
  /** In the order of a file; without them all rows as they came, which is faster. */
  stretches: readonly Stretch[] | undefined
  /** Of which stretch which row comes next, or which of those that came together. */
  stretch: number
  next: number
}

/** All rows of a segment in memory, in the order of a file. */
export interface KeptRows {
  /** Lines that have rows. */
  lines: number
  count(): number
  /** The names in their order, with the rows that each has. */
  names: () => { name: string; rows: number }[]
  /** Takes rows out, by what is given as the number of their lines. */
  drop(places: Iterable<number>): void
  /** Connections that brought them. */
  connections: number
  /** What stands in every row of a column, in SQL, by its number: NULL, or a text. */
  constants: ReadonlyMap<number, string>
  /** Makes the next rows of a scan, none at its end. */
  give(scan: Scan): void
}

/**
 * Keeps all rows of a segment.
 * @param columns that are kept
 * @param mostBytes that they may take: rows of 128 MB of lines take 30 to 55 MB
 * @param take makes the next rows
 * @returns undefined where a line is left, or rows have no room or no order
 */
export async function keepRows(
  machine: LineMachine,
  order: PlannedOrder,
  columns: readonly PlacedColumn[],
  mostBytes: number,
  take: () => void,
): Promise<KeptRows | undefined> {
  const { program } = machine
  placeColumns(machine, columns)
  for (const [place, column] of [
    [program.nameColumn, order.name],
    [program.timeColumn, order.time],
    [program.seqColumn, order.seq],
    [program.connColumn, order.conn],
  ] as const)
    machine.set(place, column)
  // At once: it is taken as it is written to, and whenever there is more of it, V8 looks for what it can free.
  program.beginKept(machine.reserve(mostBytes), mostBytes)
  machine.set(program.hasLeft, 0)
  for (let times = 1; ; times++) {
    program.begin()
    take()
    if (machine.get(program.hasLeft) === 1) return undefined
    if (machine.get(program.rows) === 0) break
    if (program.keep() === 0) return undefined
    if (times % TIMES_AT_ONCE === 0) await setImmediate()
  }
  const names = rankNames(machine, order.name)
  if (program.arrange() === 0 || machine.get(program.isInOrder) === 0) return undefined
  return {
    lines: machine.get(program.lines),
    count: () => machine.get(program.keptRows),
    names: () => countNames(machine, names),
    drop(places) {
      for (const place of places) program.drop(place)
      program.dropped()
    },
    connections: textsOf(machine, order.conn).length,
    constants: constantsOf(machine, columns),
    give: scan => giveRows(machine, scan),
  }
}

const placeOf = ({ program }: LineMachine, column: number) => program.kept.value + KEPT_BYTES * column

/** Says where a record has each column. */
function placeColumns(machine: LineMachine, columns: readonly PlacedColumn[]): void {
  const { program } = machine
  const places = columns.map(({ type }) => {
    const isText = type === 'VARCHAR'
    return [isText ? machine.reserve(SLOT_BYTES) : 0, isText ? machine.reserve(ENTRY_BYTES * TEXTS) : 0] as const
  })
  const all = placeOf(machine, 0)
  new Uint8Array(program.memory.buffer).fill(0, all, placeOf(machine, machine.get(program.columnCount)))
  const view = new DataView(program.memory.buffer)
  let at = Math.ceil(columns.length / 8)
  for (const [bit, { number, type, entryBytes }] of columns.entries()) {
    const to = placeOf(machine, number)
    const [slots, entries] = places[bit] ?? [0, 0]
    for (const [index, value] of [at, bit, 1].entries()) view.setUint16(to + 2 * index, value, true)
    view.setUint32(to + 8, slots, true)
    view.setUint32(to + 12, entries, true)
    at += type === 'VARCHAR' ? REFERENCE_BYTES : entryBytes
  }
  machine.set(program.recordBytes, at)
}

/** The texts of a column that have numbers, in their order. */
function textsOf(machine: LineMachine, column: number): Buffer[] {
  const memory = Buffer.from(machine.program.memory.buffer)
  const one = placeOf(machine, column)
  const entries = memory.readUInt32LE(one + 12)
  return Array.from({ length: memory.readUInt32LE(one + 16) }, (_, number) => {
    const entry = entries + ENTRY_BYTES * number
    const bytes = memory.readUInt32LE(entry)
    const from = bytes <= INLINE_BYTES ? entry + 4 : memory.readUInt32LE(entry + 8)
    return memory.subarray(from, from + bytes)
  })
}

function constantsOf(machine: LineMachine, columns: readonly PlacedColumn[]): Map<number, string> {
  const { program } = machine
  const rows = machine.get(program.keptRows)
  const constants = new Map<number, string>()
  for (const { number, type } of columns) {
    const filled = new DataView(program.memory.buffer).getUint32(placeOf(machine, number) + 24, true)
    const texts = type === 'VARCHAR' && filled === rows ? textsOf(machine, number) : []
    if (filled === 0) constants.set(number, `NULL::${type}`)
    else if (texts.length === 1) constants.set(number, `${sqlText(String(texts[0]))}::VARCHAR`)
  }
  return constants
}

/** Tells the places of names in their order, which is that of their bytes. */
function rankNames(machine: LineMachine, column: number) {
  const names = textsOf(machine, column).map((text, number) => ({ text, number }))
  names.sort((a, b) => a.text.compare(b.text))
  const view = new DataView(machine.program.memory.buffer)
  for (const [rank, { number }] of names.entries()) view.setUint32(machine.program.ranks.value + 4 * number, rank, true)
  return names.map(({ text, number }) => ({ name: String(text), number }))
}

function countNames({ program }: LineMachine, names: readonly { name: string; number: number }[]) {
  const counts = new DataView(program.memory.buffer, program.counts.value)
  return names.flatMap(({ name, number }) => {
    const rows = counts.getUint32(4 * number, true)
    return rows === 0 ? [] : [{ name, rows }]
  })
}

function giveRows(machine: LineMachine, scan: Scan): void {
  const { program } = machine
  const view = new DataView(program.memory.buffer)
  for (let column = machine.get(program.columnCount) - 1; column >= 0; column--)
    view.setUint8(placeOf(machine, column) + 5, 0)
  for (const { number } of scan.wanted) view.setUint8(placeOf(machine, number) + 5, 1)
  const stretch = scan.stretches?.[scan.stretch]
  if (!scan.stretches) scan.next = program.giveAsCame(scan.next)
  else if (!stretch) machine.set(program.rows, 0)
  if (!stretch) return
  const from = Math.max(scan.next, stretch.from)
  scan.next = program.give(from, stretch.to)
  if (scan.next === from) throw new Error('a row has no room')
  if (scan.next === stretch.to) scan.stretch++
}
