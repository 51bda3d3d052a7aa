import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../platform/package-info.js'
import { wasmProgram } from '../../platform/web-assembly.js'
import { LINE, type ColumnType, type LinePlan } from './line-plan.js'

/** A place in the program's memory. */
interface Place {
  readonly value: number
}

/** What `deploy/rows-wasm/build.sh` makes; numbers are places in its memory, or counts. */
export interface LineProgram {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  begin(): void
  take(from: number, to: number): number
  point(column: number, entries: number, base: bigint): void
  filledRows(column: number): number
  readonly members: Place
  readonly objects: Place
  readonly columns: Place
  readonly columnCount: Place
  readonly outerMembers: Place
  readonly left: Place
  readonly linesMax: Place
  readonly wantsLine: Place
  readonly rows: Place
  readonly lines: Place
  readonly __heap_base: Place
}

/** DuckDB's vectors hold so many rows. */
const CAPACITY = 2048
/** Sizes of `Member`, `Object` and `Column`. */
const MEMBER_BYTES = 44
const OBJECT_BYTES = 8
const COLUMN_BYTES = 28
const PAGE_BYTES = 64 * 1024
/** Texts of a column that are longer than an entry, and elements of its lists: of all rows together. */
const TEXT_BYTES = 160 * 1024
const LINE_BYTES = 1280 * 1024
const ELEMENTS = 16 * 1024
/** Of elements that are lists: levels of a book have an action, a price and an amount. */
const ELEMENTS_OF_ELEMENTS = 3 * ELEMENTS

const TYPES = { DOUBLE: 0, BIGINT: 1, VARCHAR: 2, BOOLEAN: 3, 'VARCHAR[]': 8, 'VARCHAR[][]': 8 } as const
const MEMBER_TYPES = { unread: 4, object: 5, item: 6, items: 7 } as const
const ENTRY_BYTES = { DOUBLE: 8, BIGINT: 8, VARCHAR: 16, BOOLEAN: 1, 'VARCHAR[]': 16, 'VARCHAR[][]': 16 } as const
const ELEMENT_TYPES = { 'VARCHAR[]': 'VARCHAR', 'VARCHAR[][]': 'VARCHAR[]' } as const

/** A column in the program's memory: a vector of DuckDB as it is there. */
export interface PlacedColumn {
  number: number
  type: ColumnType
  entryBytes: number
  values: number
  /** A bit for each row; 0 where every entry is filled. */
  validity: number
  /** Where texts are that are longer than an entry. */
  heap: number
  /** Of a list. */
  elements?: PlacedColumn
}

/** The program, ready for lines of one plan. */
export interface LineMachine {
  program: LineProgram
  /** Of the plan. */
  columns: readonly PlacedColumn[]
  /** Memory for whoever asks, from here on. */
  reserve(bytes: number): number
  get(place: Place): number
  set(place: Place, value: number): void
  /** How much of a column's heap is used, or how many elements its lists have. */
  used(column: PlacedColumn): number
}

let compiled: (() => unknown) | undefined

/** @throws Error where there is no WebAssembly that can do so */
export function startProgram(): LineProgram {
  compiled ??= wasmProgram(readFileSync(join(packageRoot, 'compactor/lines/line-rows.wasm')))
  return compiled() as LineProgram
}

/** Gives a program a plan; what it knew of another one is gone. */
export function configureProgram(program: LineProgram, plan: LinePlan): LineMachine {
  let end = program.__heap_base.value
  const reserve = (bytes: number): number => {
    const at = end
    end = (end + bytes + 15) & ~15
    const missing = end - program.memory.buffer.byteLength
    if (missing > 0) program.memory.grow(Math.ceil(missing / PAGE_BYTES))
    return at
  }
  const all: (PlacedColumn & { room: number })[] = []
  const place = (number: number, type: ColumnType, entries: number, isOfRows: boolean): PlacedColumn => {
    const elementType = type === 'VARCHAR[]' || type === 'VARCHAR[][]' ? ELEMENT_TYPES[type] : undefined
    const elements = isOfRows ? ELEMENTS : ELEMENTS_OF_ELEMENTS
    const texts = number === LINE ? LINE_BYTES : TEXT_BYTES
    const room = elementType ? elements : type === 'VARCHAR' ? texts : 0
    const column = (all[number] = {
      ...{ number, type, room, entryBytes: ENTRY_BYTES[type] },
      values: reserve(entries * ENTRY_BYTES[type]),
      validity: isOfRows ? reserve(CAPACITY / 8) : 0,
      heap: type === 'VARCHAR' ? reserve(room) : 0,
    })
    if (!elementType) return column
    const next = Math.max(all.length, plan.columns.length)
    return Object.assign(column, { elements: place(next, elementType, elements, false) })
  }
  const columns = plan.columns.map(({ type }, number) => place(number, type, CAPACITY, true))

  const view = new DataView(program.memory.buffer)
  const bytes = new Uint8Array(program.memory.buffer)
  writeObjects(program, view, bytes, plan)
  for (const { number, type, values, validity, heap, room, elements } of all) {
    const at = program.columns.value + number * COLUMN_BYTES
    for (const [index, value] of [values, validity, heap, room].entries()) view.setUint32(at + 4 * index, value, true)
    view.setUint16(at + 24, elements?.number ?? 0, true)
    view.setUint8(at + 26, TYPES[type])
    view.setUint8(at + 27, Number(plan.columns[number]?.isOfLine ?? false))
  }
  view.setUint32(program.columnCount.value, all.length, true)
  view.setUint32(program.outerMembers.value, plan.outerMembers, true)
  const viewNow = () => new DataView(program.memory.buffer)
  return {
    ...{ program, columns, reserve },
    get: ({ value }) => viewNow().getUint32(value, true),
    set: ({ value: at }, value) => viewNow().setUint32(at, value, true),
    used: ({ number }) => viewNow().getUint32(program.columns.value + number * COLUMN_BYTES + 16, true),
  }
}

function writeObjects(program: LineProgram, view: DataView, bytes: Uint8Array, { objects }: LinePlan): void {
  let first = 0
  for (const [number, { members, isItem }] of objects.entries()) {
    const at = program.objects.value + number * OBJECT_BYTES
    for (const [index, value] of [first, members.length, first, Number(isItem)].entries())
      view.setUint16(at + 2 * index, value, true)
    for (const [bit, { name, isQuoted, value }] of members.entries()) {
      const to = program.members.value + (first + bit) * MEMBER_BYTES
      const key = Buffer.from(`${name}"`, 'latin1')
      bytes.set(key, to)
      const type = 'column' in value ? TYPES[value.type] : MEMBER_TYPES[value.as]
      for (const [index, number] of [key.length, type, bit, Number(isQuoted)].entries())
        view.setUint8(to + 32 + index, number)
      // Members are expected in the order of the shape, and then in that of the line before.
      const next = first + ((bit + 1) % members.length)
      const [column, object] = ['column' in value ? value.column : 0, 'object' in value ? value.object : 0]
      for (const [index, number] of [column, object, next].entries()) view.setUint16(to + 36 + 2 * index, number, true)
    }
    first += members.length
  }
}
