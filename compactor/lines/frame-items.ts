import type { Envelope, Shape } from '../../exchanges/envelope.js'
import type { Reading, Table } from '../../exchanges/table.js'
import { sqlText } from '../../platform/duckdb.js'
import { envelopeFields, nestedShape, readLine } from './envelope.js'
import { withExtra, type Item } from './extra.js'
import { HEAD, LINE_HEAD } from './line-head.js'
import { hasFraction, isObject, isOdd, nested, type ObjectShape } from './shape.js'
import { IS_OTHER_TEXT, KNOWN, LINE_VERDICTS, TO_FRAMES, toReading } from './verdict.js'

/**
 * The `WITH` list between `lines` (line_no, line) and a table's own query, which selects from `frame_items`:
 * - `judged`: every line parsed once, and why it cannot be a row (`verdict`, NULL where it can);
 * - `frame_items`: one row per item of a frame, with `extra` and `row_no` counting from 1; `channel` of a notification,
 *   `asked` (the id that says what was asked) of an answer, `envelope` with what stands beside the data. A line that cannot be a row gives one row with `row_no` 0
 *   and no data, so that one pass counts them all.
 *
 * `extra` is worked out only where the number of members in the text differs from the number of fields filled, or a
 * number is none: equal counts mean that every member has its field, since each field is filled by one member.
 * @param place which of the table's readings it is; lines that fit a later one have the verdict `toReading`
 */
export function frameItems(table: Table, place: number, shape: Shape, linesSql: string): string {
  const reading = table.readings[place]
  if (!reading) throw new RangeError(`table ${table.name} has no reading ${place}`)
  const views = reading.envelope ? itemsOfFrames(table, place, reading.envelope, shape) : itemsOfLines(shape)
  return `WITH lines AS (${linesSql}), ${views}`
}

function itemsOfLines(shape: Shape): string {
  const whole = { ...LINE_HEAD, ...(isObject(shape) ? shape : {}) }
  return `parsed AS (
  SELECT line_no, line, TRY(from_json(line, ${sqlText(JSON.stringify(whole))})) AS received FROM lines
), judged AS (
  SELECT *, CASE ${LINE_VERDICTS}
    ELSE verdict(line, received) END AS verdict
  FROM parsed
), frame_items AS (
  SELECT ${HEAD}, received AS data, (verdict IS NULL)::INTEGER AS row_no
  FROM (SELECT * REPLACE (CASE WHEN verdict IS NULL THEN line END AS line) FROM judged)
)`
}

/** True for a line whose frame has the outer form of a reading: an SQL condition. */
function fits({ envelope, each }: Reading): string {
  if (!envelope) return 'true'
  return envelope.isThere ?? `json_type(line, '$.frame.${envelope.at}') = '${each ? 'ARRAY' : 'OBJECT'}'`
}

function itemsOfFrames(table: Table, place: number, envelope: Envelope, shape: Shape): string {
  if (!isObject(shape)) throw new TypeError('an item of a table is an object')
  const others = table.readings.map((other, index) =>
    index <= place ? '' : `WHEN ${fits(other)} THEN ${sqlText(toReading(index))}`,
  )
  const misfit = (reason: string) => `CASE ${others.join(' ')}
      WHEN ${envelope.isRefusal} THEN '${TO_FRAMES}'
      ELSE ${reason} END`
  return table.readings[place]?.each ? itemsOfLists(envelope, shape, misfit) : itemsOfObjects(envelope, shape, misfit)
}

/** `judged` for frames whose data have a shape, with `keys`: those of the envelope, of data, and further objects. */
function judged(
  envelope: Envelope,
  data: Shape,
  what: { paths: readonly string[]; furtherKeys: string; verdict: string; wanted: string },
  misfit: (reason: string) => string,
): string {
  const whole = { ...LINE_HEAD, frame: nestedShape(envelope, data) }
  const paths = [...envelope.keyPaths, ...what.paths]
  return `parsed AS (
  SELECT line_no, line, TRY(from_json(${readLine(envelope)}, ${sqlText(JSON.stringify(whole))})) AS received,
    TRY(json_keys(${readLine(envelope)}, [${paths.map(sqlText).join(', ')}])) AS keys${what.furtherKeys}
  FROM lines
), judged AS (
  SELECT *, ${envelope.channel} AS channel, ${envelope.asked} AS asked, ${envelopeFields(envelope)} AS envelope, ${envelope.data} AS data,
    ${envelope.isOdd} AS odd_envelope,
    CASE ${LINE_VERDICTS}
    WHEN received.frame IS NULL AND ${IS_OTHER_TEXT} THEN '${TO_FRAMES}'
    WHEN ${envelope.isMissing} THEN ${misfit(sqlText(envelope.missing))}
    WHEN ${envelope.data} IS NULL THEN ${misfit(sqlText(`${envelope.at} is not ${what.wanted}`))}
    WHEN (${what.verdict}) IS NOT NULL THEN ${misfit(what.verdict)} END AS verdict
  FROM parsed
)`
}

function itemsOfObjects(envelope: Envelope, shape: ObjectShape, misfit: (reason: string) => string): string {
  const path = `$.frame.${envelope.at}`
  const inner = nested(shape).map(({ member }) => member)
  const paths = [path, ...inner.map(member => `${path}.${member}`)]
  const first = envelope.keyPaths.length + 1
  const members = paths.map((_, index) => `coalesce(len(keys[${index + first}]), 0)`).join(' + ')
  const item: Item = {
    shape,
    json: `json_extract(${readLine(envelope)}, '${path}')`,
    keys: `keys[${first}]`,
    nestedKeys: member => `keys[${inner.indexOf(member) + first + 1}]`,
  }
  const what = { paths, furtherKeys: '', verdict: `verdict(line, ${envelope.data})`, wanted: 'an object' }
  return `${judged(envelope, shape, what, misfit)},
items AS (
  SELECT * REPLACE (odd_envelope AND verdict IS NULL AS odd_envelope), (verdict IS NULL)::INTEGER AS row_no,
    verdict IS NULL AND ${isOdd(shape, 'data', members)} AS odd
  FROM judged
), ${withExtra(envelope, item, 'items')}`
}

function itemsOfLists(envelope: Envelope, shape: ObjectShape, misfit: (reason: string) => string): string {
  const { data } = envelope
  const path = `$.frame.${envelope.at}[*]`
  const verdict = `CASE WHEN len(${data}) = 0 THEN '${KNOWN}no items'
      ELSE list_filter(list_transform(${data}, item -> verdict(line, item)), v -> v IS NOT NULL)[1] END`
  const furtherKeys = `,
    TRY(json_keys(${readLine(envelope)}, '${path}')) AS item_keys`
  const item: Item = {
    shape,
    json: 'text',
    keys: 'keys_of_item',
    nestedKeys: () => {
      throw new TypeError('elements of a list have no nested objects')
    },
  }
  // The text is looked up once per frame: for a list of thousands, once per element would take minutes.
  return `${judged(envelope, [shape], { paths: [], furtherKeys, verdict, wanted: 'a list' }, misfit)},
weighed AS (
  SELECT *, verdict IS NULL AND (fraction OR list_bool_or(list_transform(data, (item, place) ->
    ${isOdd(shape, 'item', 'coalesce(len(item_keys[place]), 0)', 'false')}))) AS some_odd
  FROM (SELECT *, ${hasFraction(shape)} AS fraction FROM judged)
), separate AS (
  SELECT line, received, channel, asked, envelope, odd_envelope AND verdict IS NULL AS odd_frame, some_odd, fraction,
    unnest(CASE WHEN verdict IS NULL THEN data ELSE [NULL] END) AS data,
    unnest(CASE WHEN verdict IS NULL THEN item_keys ELSE [NULL] END) AS keys_of_item,
    unnest(CASE WHEN some_odd THEN json_extract(${readLine(envelope)}, '${path}') END) AS text,
    unnest(CASE WHEN verdict IS NULL THEN range(1, 1 + len(data)) ELSE [0] END) AS row_no
  FROM weighed
), items AS (
  SELECT *, odd_frame AND row_no = 1 AS odd_envelope,
    some_odd AND ${isOdd(shape, 'data', 'coalesce(len(keys_of_item), 0)', 'fraction')} AS odd
  FROM separate
), ${withExtra(envelope, item, 'items')}`
}
