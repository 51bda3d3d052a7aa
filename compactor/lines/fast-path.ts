import type { Table } from '../../exchanges/table.js'
import type { Shape } from '../../exchanges/envelope.js'
import { envelopeFields, nestedShape } from './envelope.js'
import { HAS_HEAD, HEAD, LINE_HEAD } from './line-head.js'
import { planOfLines, type LinePlan } from './line-plan.js'
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
  const [{ envelope, each }] = table.readings
  if (!envelope?.usual || !isObject(shape)) return undefined
  const { channel, asked, usual, respelled } = envelope
  const whole = { ...LINE_HEAD, frame: nestedShape(envelope, each ? [shape] : shape) }
  const outerMembers = Object.keys(whole).length + usual.members
  const plan = planOfLines({ whole, item: shape, outerMembers, respelled })
  if (!plan) return undefined
  const judged = (rows: string) => `WITH read AS (
  SELECT line_no, row_no, line, ${plan.received} AS received, ${plan.data} AS data FROM ${rows}
), judged AS (
  SELECT *, coalesce(${usual.condition} AND ${HAS_HEAD} AND verdict(line, data) IS NULL, false) AS fits FROM read
)`
  return {
    plan,
    frameItems: rows => `${judged(rows)}, frame_items AS (
  SELECT ${HEAD}, ${channel} AS channel, ${asked} AS asked, ${envelopeFields(envelope)} AS envelope, data,
    NULL::VARCHAR AS extra, CASE WHEN fits THEN row_no ELSE 0 END AS row_no
  FROM judged
)`,
    misfits: rows => `${judged(rows)} SELECT DISTINCT line_no FROM judged WHERE NOT fits`,
  }
}
