import type { Shape } from '../../exchanges/envelope.js'
import { sqlName } from '../../platform/duckdb.js'
import { isObject } from './shape.js'

/** What stands in the columns of `line_rows`. A list holds texts, or lists of texts. */
export type ColumnType = 'DOUBLE' | 'BIGINT' | 'VARCHAR' | 'BOOLEAN' | 'VARCHAR[]' | 'VARCHAR[][]'

/** A member of an object of a line. */
export interface PlannedMember {
  name: string
  /** Only a text, right behind its name: SQL finds it by both. */
  isQuoted: boolean
  /**
   * Its column; or its object, which is the item that a row is made of, or one in a list of those, or neither; nothing
   * where it may only be null.
   */
  value: { column: number; type: ColumnType } | { object: number; as: 'object' | 'item' | 'items' } | { as: 'unread' }
}

export interface PlannedObject {
  members: PlannedMember[]
  /** Whether it is the item that a row is made of, or stands in it. */
  isItem: boolean
}

/** Of which objects the lines of a table consist, the whole line first, and where their values go. */
export interface LinePlan {
  objects: PlannedObject[]
  columns: { type: ColumnType; isOfLine: boolean }[]
  /** How many members a line has beside those of items. */
  outerMembers: number
  /** What was parsed of a line and of an item, as SQL expressions over the columns. */
  received: string
  data: string
}

/** The first columns of every plan: the line's number, the row's number in it, both from 1, and the line. */
const OWN_COLUMNS = ['line_no', 'row_no', 'line'] as const
export const LINE = 2

export const columnName = (column: number) => OWN_COLUMNS[column] ?? `c${column}`

/** As much as `deploy/rows-wasm` has room for: of a name, an object, and a line. */
const LONGEST_NAME = 31
const MOST_MEMBERS = 64
const MOST_COLUMNS = 120
const MOST_OBJECTS = 32
const MOST_MEMBERS_OF_ALL = 256

function typeOf(shape: Shape): ColumnType | undefined {
  const type = typeof shape === 'string' ? shape : JSON.stringify(shape)
  switch (type) {
    case 'DOUBLE':
    case 'BIGINT':
    case 'VARCHAR':
    case 'BOOLEAN':
      return type
    case '["VARCHAR"]':
      return 'VARCHAR[]'
    case '[["VARCHAR"]]':
      return 'VARCHAR[][]'
  }
  return undefined
}

/** What a line of a table looks like. */
export interface LinesOfTable {
  whole: Shape
  /** The shape of an item in it: the same object. */
  item: Shape
  /** How many members it has beside those of items. */
  outerMembers: number
  /** How members of an item are spelled in lines, by their names. */
  respelled?: Readonly<Record<string, string>> | undefined
}

/**
 * Any value of type JSON is left to DuckDB.
 * @returns undefined where lines hold what cannot be read in this way
 */
export function planOfLines({ whole, item, outerMembers, respelled = {} }: LinesOfTable): LinePlan | undefined {
  const objects: PlannedObject[] = []
  const columns: LinePlan['columns'] = OWN_COLUMNS.map((_, index) => ({
    type: index < 2 ? 'BIGINT' : 'VARCHAR',
    isOfLine: index === LINE,
  }))
  let data = ''
  /** What cannot be read in this way. */
  let unknown = 0

  function addObject(shape: Shape, isItem: boolean): { object: number; sql: string } {
    const planned: PlannedObject = { members: [], isItem }
    const object = objects.push(planned) - 1
    const fields: string[] = []
    const entries = isObject(shape) ? Object.entries(shape) : []
    if (entries.length === 0 || entries.length > MOST_MEMBERS) unknown++
    for (const [name, inner] of entries) {
      if (!/^[\x20-\x7e]+$/.test(name) || /["\\]/.test(name) || name.length > LONGEST_NAME) unknown++
      const { value, sql } = addMember(inner, isItem)
      const spelling = isItem ? respelled[name] : undefined
      planned.members.push({ name: spelling ?? name, isQuoted: spelling !== undefined, value })
      if (sql !== '') fields.push(`${sqlName(name)} := ${sql}`)
    }
    return { object, sql: fields.length === 0 ? '' : `struct_pack(${fields.join(', ')})` }
  }

  function addMember(inner: Shape, isItem: boolean): { value: PlannedMember['value']; sql: string } {
    const isList = Array.isArray(inner) && inner[0] === item
    if (inner === item || isList) {
      const added = addObject(item, true)
      data = added.sql
      return { value: { object: added.object, as: isList ? 'items' : 'item' }, sql: '' }
    }
    if (isObject(inner)) {
      const { object, sql } = addObject(inner, isItem)
      return { value: { object, as: 'object' }, sql }
    }
    if (inner === 'JSON') return { value: { as: 'unread' }, sql: 'NULL::JSON' }
    const type = typeOf(inner)
    if (type === undefined) unknown++
    const column = columns.push({ type: type ?? 'VARCHAR', isOfLine: !isItem }) - 1
    return { value: { column, type: type ?? 'VARCHAR' }, sql: columnName(column) }
  }

  const { sql: received } = addObject(whole, false)
  const members = objects.reduce((sum, object) => sum + object.members.length, 0)
  const isTooMuch = columns.length > MOST_COLUMNS || objects.length > MOST_OBJECTS || members > MOST_MEMBERS_OF_ALL
  if (unknown > 0 || isTooMuch || data === '') return undefined
  return { objects, columns, outerMembers, received, data }
}
