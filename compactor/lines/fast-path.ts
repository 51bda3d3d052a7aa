import type { Shape } from '../../exchanges/envelope.js'
import type { Table } from '../../exchanges/table.js'
import { sqlText } from '../../platform/duckdb.js'
import { envelopeFields, nestedShape, readLine } from './envelope.js'
import { HAS_HEAD, HEAD, LINE_HEAD } from './line-head.js'
import { filled, hasFraction, isObject, sumOfNumbers, type ObjectShape } from './shape.js'

/** The short way for lines that hold what their table knows and nothing else. */
export interface FastPath {
  /** A `WITH` list that ends in `frame_items`, as `frameItems` gives it; each other line has one row with `row_no` 0. */
  frameItems: string
  /** A query for all other lines (line_no, line). */
  others: string
}

/** No number of members: makes a sum differ from any count. */
const UNLIKE_ANY = -1_000_000

/** Names of all members, those of nested objects included. */
const namesIn = (shape: ObjectShape): string[] =>
  Object.entries(shape).flatMap(([member, inner]) => (isObject(inner) ? [member, ...namesIn(inner)] : [member]))

/** How many known members of a line are null, and known objects without any other member: an SQL expression. */
function nullsIn(shape: ObjectShape): string {
  const count = (pattern: string) => `len(regexp_extract_all(line, ${sqlText(pattern)}))`
  const objects = Object.keys(shape).filter(member => isObject(shape[member] ?? ''))
  const nulls = count(`"(?:${namesIn(shape).join('|')})":null`)
  return objects.length === 0 ? nulls : `${nulls} + ${count(`"(?:${objects.join('|')})":\\{(?:"\\w+":null,?)+\\}`)}`
}

/**
 * Nearly every frame fits, and to see that needs no second parse: each member has one colon, so a line with no more
 * colons than its envelope has members and its data have filled fields holds nothing else. Known members that are null
 * fill no field; they are counted where there are any. Whatever else differs (an unknown member, a text with a colon, a
 * number that is none) sends a line to the slow path, which costs time and changes nothing: `frameItems` gives lines that fit the
 * same rows.
 * @param linesSql lines (line_no, line)
 * @returns undefined where frames of the table have no usual form
 */
export function fastPathOf(table: Table, shape: Shape, linesSql: string): FastPath | undefined {
  const [reading] = table.readings
  const { envelope } = reading
  if (!envelope?.usual || !isObject(shape)) return undefined
  const { channel, asked, data, usual } = envelope
  const whole = { ...LINE_HEAD, frame: nestedShape(envelope, reading.each ? [shape] : shape) }
  const outer = Object.keys(whole).length + usual.members
  const fields = (item: string) => `CASE WHEN verdict(line, ${item}) IS NULL
      AND isfinite(${sumOfNumbers(shape, item)}) THEN ${filled(shape, item)} ELSE ${UNLIKE_ANY} END`
  const expected = reading.each ? `list_sum(list_transform(data, item -> ${fields('item')}))` : fields('data')
  const parsed = `lines AS (${linesSql}), parsed AS (
  SELECT line_no, line, TRY(from_json(${readLine(envelope)}, ${sqlText(JSON.stringify(whole))})) AS received,
    len(string_split(line, ':')) - 1 - ${outer} AS colons
  FROM lines
), weighed AS (
  SELECT *, ${data} AS data, coalesce(${usual.condition} AND ${HAS_HEAD}, false) AS usual
  FROM parsed
), counted AS (
  SELECT *, ${expected} AS fields FROM weighed
), judged AS (
  SELECT *, CASE WHEN NOT usual OR coalesce(fields, 0) <= 0 THEN false
    WHEN colons = fields OR contains(line, ':null') AND colons = fields + ${nullsIn(shape)}
      THEN NOT ${hasFraction(shape)}
    ELSE false END AS fits
  FROM counted
)`
  const head = `line, received, ${channel} AS channel, ${asked} AS asked, ${envelopeFields(envelope)} AS envelope`
  const rows = reading.each
    ? `unnest(CASE WHEN fits THEN data ELSE [NULL] END) AS data,
    unnest(CASE WHEN fits THEN range(1, 1 + len(data)) ELSE [0] END) AS row_no`
    : 'CASE WHEN fits THEN data END AS data, fits::INTEGER AS row_no'
  return {
    frameItems: `WITH ${parsed}, rows_of_lines AS (
  SELECT ${head}, ${rows}
  FROM judged
), frame_items AS (
  SELECT ${HEAD}, channel, asked, envelope, data, NULL::VARCHAR AS extra, row_no FROM rows_of_lines
)`,
    others: `WITH ${parsed} SELECT line_no, line FROM judged WHERE NOT fits`,
  }
}
