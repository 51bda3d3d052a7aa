import type { Table } from '../../exchanges/table.js'
import type { Shape } from '../../exchanges/envelope.js'
import { envelopeFields, nestedShape } from './envelope.js'
import { HAS_HEAD, HEAD, LINE_HEAD } from './line-head.js'
import { columnName, planOfLines, type LinePlan } from './line-plan.js'
import { isObject } from './shape.js'

/** For lines that hold what their table knows and nothing else: no JSON in SQL. */
export interface FastPath {
  plan: LinePlan
  /**
   * A `WITH` list that ends in `frame_items`, as `frameItems` gives it, of lines that `line_rows` read; `row_no` is 0 where an item
   * is not what its table wants.
   * @param rows the call of `line_rows`
   */
  frameItems: (rows: string) => string
  /**
   * The whole query in place of that list and a table's own: for rows that are looked at several times, where it is known that each item
   * is what its table wants. What is not asked for is not read. They have a `rowid`, which `drop` of kept rows knows.
   */
  keptRows: (rows: string, query: string, constants: ReadonlyMap<number, string>) => string
  /** A query for the numbers of lines with such an item. */
  misfits: (rows: string) => string
}

/**
 * Nearly every line fits: each of its members is known and stands there once, each number is given back exactly.
 * `line_rows` reads such lines, and whatever else there is (an unknown member, an escape in a text, a number of many
 * digits) is left for `frameItems`, which gives lines that fit the same rows.
 * @returns undefined where lines of the table have no usual form, or one that `line_rows` does not know
 */
export function fastPathOf(table: Table, shape: Shape): FastPath | undefined {
  const [{ envelope, each, order }] = table.readings
  if (!envelope?.usual || !isObject(shape)) return undefined
  const { channel, asked, usual, respelled } = envelope
  const whole = { ...LINE_HEAD, frame: nestedShape(envelope, each ? [shape] : shape) }
  const outerMembers = Object.keys(whole).length + usual.members
  const plan = planOfLines({ whole, item: shape, outerMembers, respelled, order })
  if (!plan) return undefined
  const read = `SELECT line_no, row_no, line, ${plan.received} AS received, ${plan.data} AS data`
  const items = `${HEAD}, ${channel} AS channel, ${asked} AS asked, ${envelopeFields(envelope)} AS envelope, data,
    NULL::VARCHAR AS extra`
  const judged = (rows: string) => `WITH read AS (
  ${read} FROM ${rows}
), judged AS (
  SELECT *, coalesce(${usual.condition} AND ${HAS_HEAD} AND verdict(line, data) IS NULL, false) AS fits FROM read
)`
  return {
    plan,
    frameItems: rows => `${judged(rows)}, frame_items AS (
  SELECT ${items}, CASE WHEN fits THEN row_no ELSE 0 END AS row_no FROM judged
)`,
    keptRows: (rows, query, constants) => `WITH read AS (
  ${read}, * EXCLUDE (line_no, row_no, line) FROM ${rows}
), frame_items AS (
  SELECT ${withColumns(items, plan, constants)}, row_no, line_no AS place, * EXCLUDE (line_no, row_no, line, received, data) FROM read
) ${withColumns(query, plan, constants).replace(/^SELECT\b/m, 'SELECT place AS rowid,')}`,
    misfits: rows => `${judged(rows)} SELECT DISTINCT line_no FROM judged WHERE NOT fits`,
  }
}

/** SQL that names columns in place of fields of what was parsed of them: to ask for a field, DuckDB reads the whole. */
const withColumns = (sql: string, { paths }: LinePlan, constants: ReadonlyMap<number, string>) =>
  sql.replace(/\b(?:received|data)(?:\.(?:"[^"]+"|\w+))+/g, path => {
    const column = paths.get(path.replaceAll('"', ''))
    return column === undefined ? path : (constants.get(column) ?? columnName(column))
  })
