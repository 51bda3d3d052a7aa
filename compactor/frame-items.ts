import { nestedShape, notification, answer, type Envelope } from './envelope.js'
import type { Reading, Table } from '../exchanges/table.js'

/** Type of each member of a payload, as `from_json` takes it; one element in an array means a list of such. */
export type Shape = string | readonly [Shape] | { readonly [member: string]: Shape }

/** Type of each member of an object. */
export type ObjectShape = Readonly<Record<string, Shape>>

/** Not a complaint: the line belongs into table `frames`. */
export const TO_FRAMES = 'to frames'
/** Starts the reason of a frame that is understood and has no row. */
export const KNOWN = 'known: '

/** As an SQL text literal. */
export const sqlText = (text: string) => `'${text.replaceAll("'", "''")}'`
const name = (member: string) => `"${member.replaceAll('"', '""')}"`

/** Whether a member is an object with members that are known. */
export function isObject(shape: Shape): shape is ObjectShape {
  return typeof shape === 'object' && !Array.isArray(shape)
}

const nested = (shape: ObjectShape) =>
  Object.entries(shape).flatMap(([member, inner]) => (isObject(inner) ? [{ member, inner }] : []))

/** How many members of `value` a line filled, those of nested objects included: an SQL expression. */
export function filled(shape: ObjectShape, value: string): string {
  return Object.entries(shape)
    .map(([member, inner]) => {
      const field = `${value}.${name(member)}`
      if (!isObject(inner)) return `(${field} IS NOT NULL)::INTEGER`
      // The struct of a member that is no object is not NULL; its fields are.
      return `(${filled(inner, field)} > 0)::INTEGER + ${filled(inner, field)}`
    })
    .join(' + ')
}

const isNumber = (inner: Shape) => inner === 'DOUBLE'
const isWhole = (inner: Shape) => inner === 'BIGINT'

/** The sum of all DOUBLE members: finite where each of them is. An SQL expression. */
export function sumOfNumbers(shape: ObjectShape, value: string): string {
  const terms = Object.entries(shape).flatMap(([member, inner]) => {
    const field = `${value}.${name(member)}`
    if (isObject(inner)) return [sumOfNumbers(inner, field)]
    return isNumber(inner) ? [`coalesce(${field}, 0)`] : []
  })
  return terms.length > 0 ? terms.join(' + ') : '0'
}

/** Names of members that are whole numbers, those of nested objects included. */
function wholeNumbers(shape: ObjectShape): string[] {
  return Object.entries(shape).flatMap(([member, inner]) => {
    if (isObject(inner)) return wholeNumbers(inner)
    return isWhole(inner) ? [member] : []
  })
}

/**
 * True for a line in which a member that is to be whole is not, and would be rounded, and for some others: with a number
 * in quotes, and with an escape, since a name may be spelled with one. An SQL condition.
 */
export function hasFraction(shape: ObjectShape): string {
  const names = wholeNumbers(shape)
  if (names.length === 0) return 'false'
  const fraction = `"(?:${names.join('|')})"\\s*:\\s*(?:"|-?\\d*[.eE]|[tf])`
  return `(contains(line, '\\') OR regexp_matches(line, ${sqlText(fraction)}))`
}

/** True where a whole number is what its text says, not rounded: an SQL condition. */
const isExact = (field: string, text: string) => `TRY_CAST(${text} AS DOUBLE) IS NOT DISTINCT FROM ${field}::DOUBLE`

/** The same object with NULL for numbers that are none (NaN, beyond DOUBLE, rounded): an SQL expression. */
function withoutOddNumbers(shape: ObjectShape, value: string, text: string): string {
  const members = Object.entries(shape).map(([member, inner]) => {
    const field = `${value}.${name(member)}`
    const asText = `${text}.${name(member)}`
    const kept = isObject(inner)
      ? withoutOddNumbers(inner, field, asText)
      : isNumber(inner)
        ? `CASE WHEN isfinite(${field}) THEN ${field} END`
        : isWhole(inner)
          ? `CASE WHEN ${isExact(field, asText)} THEN ${field} END`
          : field
    return `${name(member)} := ${kept}`
  })
  return `struct_pack(${members.join(', ')})`
}

/** Members whose number says that an object holds more than its fields, or something else: an SQL condition. */
const isOdd = (shape: ObjectShape, value: string, members: string, fraction = hasFraction(shape)) =>
  `(${members} <> ${filled(shape, value)} OR NOT isfinite(${sumOfNumbers(shape, value)}) OR ${fraction})`

/** The same members, each as text: any value but null converts. */
function asText(shape: ObjectShape): ObjectShape {
  return Object.fromEntries(
    Object.entries(shape).map(([member, inner]) => [member, isObject(inner) ? asText(inner) : 'VARCHAR']),
  )
}

/** What an SQL expression for `extra` is made of. */
interface Item {
  shape: ObjectShape
  /** The JSON object. */
  json: string
  /** List of its keys. */
  keys: string
  /** The keys of a nested object. */
  nestedKeys: (member: string) => string
}

/** Unknown members, and known ones that did not convert, of one object as `"key":value, …`: an SQL expression. */
function unheld({ shape, json, keys, nestedKeys }: Item, value: string, text: string): string {
  const known = Object.keys(shape)
  const without = JSON.stringify(Object.fromEntries(known.map(member => [member, null])))
  const unknown = `CASE WHEN NOT list_has_all([${known.map(sqlText).join(', ')}], ${keys})
    THEN members_of(json_merge_patch(${json}, ${sqlText(without)})) END`
  const unconverted = Object.entries(shape).map(([member, inner]) => {
    const field = `${value}.${name(member)}`
    const own = `json_extract(${json}, ${sqlText(`$.${member}`)})`
    const asText = `${text}.${name(member)}`
    const lost = isObject(inner)
      ? `WHEN json_type(${own}) NOT IN ('OBJECT', 'NULL') THEN ${sqlText(`"${member}":`)} || ${own}::VARCHAR`
      : `WHEN ${field} IS NULL AND ${asText} IS NOT NULL THEN ${sqlText(`"${member}":`)} || ${own}::VARCHAR`
    // As text, since JSON has no such numbers.
    const none = `WHEN NOT isfinite(${field}) THEN ${sqlText(`"${member}":`)} || to_json(${asText})::VARCHAR`
    const rounded = `WHEN NOT (${isExact(field, asText)}) THEN ${sqlText(`"${member}":`)} || ${own}::VARCHAR`
    return `CASE ${lost} ${isNumber(inner) ? none : isWhole(inner) ? rounded : ''} END`
  })
  const inner = nested(shape).map(({ member, inner }) => {
    const object = `json_extract(${json}, ${sqlText(`$.${member}`)})`
    const item = { shape: inner, json: object, keys: nestedKeys(member), nestedKeys }
    const members = unheld(item, `${value}.${name(member)}`, `${text}.${name(member)}`)
    return `CASE WHEN json_type(${object}) = 'OBJECT' THEN member_of(${sqlText(member)}, ${members}) END`
  })
  return `CASE WHEN len(${keys}) <> len(list_distinct(${keys})) THEN members_of(${json})
    ELSE concat_ws(',', ${[unknown, ...unconverted, ...inner].join(',\n    ')}) END`
}

/**
 * The `WITH` list between `lines` (line_no, line) and a table's own query, which selects from `frame_items`:
 * - `judged`: every line parsed once, and why it cannot be tabled (`verdict`, NULL where it can);
 * - `frame_items`: one row per item of a frame, with `extra` and `row_no` counting from 1; `channel` of a notification,
 *   `asked` (the id that says what was asked) of an answer. A line that cannot be tabled gives one row with `row_no` 0
 *   and no data, so that one pass counts them all.
 *
 * `extra` is worked out only where the number of members in the text differs from the number of fields filled, or a
 * number is none: equal counts mean that every member has its field, since each field is filled by one member.
 * @param place which of the table's readings it is; lines that fit a later one have the verdict `toReading`
 */
export function frameItems(table: Table, place: number, shape: Shape, linesSql: string): string {
  const reading = table.readings[place]
  if (!reading) throw new RangeError(`table ${table.name} has no reading ${place}`)
  const views = reading.at === 'line' ? itemsOfLines(shape) : itemsOfFrames(table, place, reading, shape)
  return `WITH lines AS (${linesSql}), ${views}`
}

/** Verdict on a line that fits a later reading of its table. */
export const toReading = (place: number) => `to reading ${place}`

/** Condition for a receive time that can be one. */
export const RECEIVED_US = 'received.recv_us BETWEEN 0 AND 9007199254740991'
const IS_OTHER_TEXT = `regexp_matches(line, '^\\{"recv_us":\\d+,"conn":"[^"]*","seq":\\d+,"(text|base64)":"')`

/** Head fields of `frame_items`, from `line` and `received`. */
export const HEAD = `line, make_timestamptz(CASE WHEN ${RECEIVED_US} THEN received.recv_us END) AS recv_ts,
  received.conn AS conn, received.seq AS seq, CASE WHEN received.conn = 'backfill' THEN 'backfill' ELSE 'live' END AS source`

const LINE_VERDICTS = `WHEN nullif(line, '') IS NULL THEN 'empty line'
    WHEN received IS NULL THEN 'not JSON'
    WHEN NOT coalesce(${RECEIVED_US} AND received.conn IS NOT NULL AND received.seq IS NOT NULL, false)
      THEN 'no valid recv_us, conn and seq'`

/** What stands before the frame in a line. */
export const LINE_HEAD: ObjectShape = { recv_us: 'BIGINT', conn: 'VARCHAR', seq: 'BIGINT' }

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
  FROM judged
)`
}

/** True for a line whose frame has the outer form of a reading: an SQL condition. */
function fits({ at, each }: Reading): string {
  const [outer] = at.split('.')
  if (outer === 'result') return `json_exists(line, '$.frame.result')`
  return `json_type(line, '$.frame.${at}') = '${each ? 'ARRAY' : 'OBJECT'}'`
}

function itemsOfFrames(table: Table, place: number, reading: Reading, shape: Shape): string {
  if (!isObject(shape)) throw new TypeError('an item of a table is an object')
  const envelope = reading.at === 'params.data' ? notification : answer(reading.at)
  const others = table.readings.map((other, index) =>
    index <= place ? '' : `WHEN ${fits(other)} THEN ${sqlText(toReading(index))}`,
  )
  const misfit = (reason: string) => `CASE ${others.join(' ')}
      WHEN json_exists(line, '$.frame.error') THEN '${TO_FRAMES}'
      ELSE ${reason} END`
  return reading.each ? itemsOfLists(envelope, shape, misfit) : itemsOfObjects(envelope, shape, misfit)
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
  SELECT line_no, line, TRY(from_json(line, ${sqlText(JSON.stringify(whole))})) AS received,
    TRY(json_keys(line, [${paths.map(sqlText).join(', ')}])) AS keys${what.furtherKeys}
  FROM lines
), judged AS (
  SELECT *, ${envelope.channel} AS channel, ${envelope.asked} AS asked, ${envelope.data} AS data,
    ${envelope.isOdd} AS odd_envelope,
    CASE ${LINE_VERDICTS}
    WHEN received.frame IS NULL AND ${IS_OTHER_TEXT} THEN '${TO_FRAMES}'
    WHEN ${envelope.isMissing} THEN ${misfit(sqlText(envelope.missing))}
    WHEN ${envelope.data} IS NULL THEN ${misfit(sqlText(`${envelope.at} is not ${what.wanted}`))}
    WHEN (${what.verdict}) IS NOT NULL THEN ${misfit(what.verdict)} END AS verdict
  FROM parsed
)`
}

/** `frame_items` from rows that have `odd` (its members are not the fields filled) and `odd_envelope`. */
function withExtra(envelope: Envelope, item: Item, source: string): string {
  return `frame_items AS (
  SELECT ${HEAD}, channel, asked, CASE WHEN odd THEN ${withoutOddNumbers(item.shape, 'data', 'plain')} ELSE data END AS data,
    CASE WHEN odd OR odd_envelope THEN object_of(concat_ws(',',
      CASE WHEN odd THEN ${unheld(item, 'data', 'plain')} END,
      CASE WHEN odd_envelope THEN envelope(line, ${sqlText(envelope.without)}) END)) END AS extra,
    row_no
  FROM (
    SELECT *, CASE WHEN odd THEN from_json(${item.json}, ${sqlText(JSON.stringify(asText(item.shape)))}) END AS plain
    FROM ${source}
  )
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
    json: `json_extract(line, '${path}')`,
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
    TRY(json_keys(line, '${path}')) AS item_keys`
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
  SELECT line, received, channel, asked, odd_envelope AND verdict IS NULL AS odd_frame, some_odd, fraction,
    unnest(CASE WHEN verdict IS NULL THEN data ELSE [NULL] END) AS data,
    unnest(CASE WHEN verdict IS NULL THEN item_keys ELSE [NULL] END) AS keys_of_item,
    unnest(CASE WHEN some_odd THEN json_extract(line, '${path}') END) AS text,
    unnest(CASE WHEN verdict IS NULL THEN range(1, 1 + len(data)) ELSE [0] END) AS row_no
  FROM weighed
), items AS (
  SELECT *, odd_frame AND row_no = 1 AS odd_envelope,
    some_odd AND ${isOdd(shape, 'data', 'coalesce(len(keys_of_item), 0)', 'fraction')} AS odd
  FROM separate
), ${withExtra(envelope, item, 'items')}`
}
