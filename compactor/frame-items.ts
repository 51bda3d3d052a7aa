import type { Table } from './tables.js'

/** Type of each member of a payload, as `from_json` takes it; one element in an array means a list of such. */
export type Shape = string | readonly [Shape] | { readonly [member: string]: Shape }

type ObjectShape = Readonly<Record<string, Shape>>

/** Not a complaint: the line belongs into table `frames`. */
export const TO_FRAMES = 'to frames'
/** Starts the reason of a frame that is understood and has no row. */
export const KNOWN = 'known: '

const DATA = '$.frame.params.data'

/** As an SQL text literal. */
export const sqlText = (text: string) => `'${text.replaceAll("'", "''")}'`
const name = (member: string) => `"${member.replaceAll('"', '""')}"`

function isObject(shape: Shape): shape is ObjectShape {
  return typeof shape === 'object' && !Array.isArray(shape)
}

const nested = (shape: ObjectShape) =>
  Object.entries(shape).flatMap(([member, inner]) => (isObject(inner) ? [{ member, inner }] : []))

/** How many members of `value` a line filled, those of nested objects included: an SQL expression. */
function filled(shape: ObjectShape, value: string): string {
  return Object.entries(shape)
    .map(([member, inner]) => {
      const field = `${value}.${name(member)}`
      if (!isObject(inner)) return `(${field} IS NOT NULL)::INTEGER`
      // The struct of a member that is no object is not NULL; its fields are.
      return `(${filled(inner, field)} > 0)::INTEGER + ${filled(inner, field)}`
    })
    .join(' + ')
}

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
    const lost = isObject(inner)
      ? `json_type(${own}) NOT IN ('OBJECT', 'NULL')`
      : `${field} IS NULL AND ${text}.${name(member)} IS NOT NULL`
    return `CASE WHEN ${lost} THEN ${sqlText(`"${member}":`)} || ${own}::VARCHAR END`
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
 * - `frame_items`: one row per item of a frame (its data, or each element of it), with `extra` and `row_no` counting
 *   from 1. A line that cannot be tabled gives one row with `row_no` 0 and no data, so that one pass counts them all.
 *
 * `extra` is worked out only where the number of members in the text differs from the number of fields filled: equal
 * numbers mean that every member has its field, since each field is filled by one member.
 */
export function frameItems(table: Table, shape: Shape, linesSql: string): string {
  const views = table.payload === 'line' ? itemsOfLines(shape) : itemsOfNotifications(shape)
  return `WITH lines AS (${linesSql}), ${views}`
}

const RECEIVED_US = 'received.recv_us BETWEEN 0 AND 9007199254740991'
const IS_OTHER_TEXT = `regexp_matches(line, '^\\{"recv_us":\\d+,"conn":"[^"]*","seq":\\d+,"(text|base64)":"')`

/** Head fields of `frame_items`. */
const HEAD = `line, make_timestamptz(CASE WHEN ${RECEIVED_US} THEN received.recv_us END) AS recv_ts,
  received.conn AS conn, received.seq AS seq, 'live' AS source`

const LINE_VERDICTS = `WHEN nullif(line, '') IS NULL THEN 'empty line'
    WHEN received IS NULL THEN 'not JSON'
    WHEN NOT coalesce(${RECEIVED_US} AND received.conn IS NOT NULL AND received.seq IS NOT NULL, false)
      THEN 'no valid recv_us, conn and seq'`

function itemsOfLines(shape: Shape): string {
  const whole = { recv_us: 'BIGINT', conn: 'VARCHAR', seq: 'BIGINT', ...(isObject(shape) ? shape : {}) }
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

function itemsOfNotifications(shape: Shape): string {
  const [element] = Array.isArray(shape) ? (shape as readonly [Shape]) : []
  const item = element ?? shape
  if (!isObject(item)) throw new TypeError('the data of a table is an object or a list of objects')
  return element === undefined ? itemsOfObjects(item) : itemsOfLists(item)
}

/** `judged` for notifications whose data have a shape, with `keys`: those of frame, params, and further objects. */
function judged(data: Shape, paths: readonly string[], furtherKeys: string, verdict: string, wanted: string): string {
  const whole = {
    recv_us: 'BIGINT',
    conn: 'VARCHAR',
    seq: 'BIGINT',
    frame: { jsonrpc: 'VARCHAR', method: 'VARCHAR', params: { channel: 'VARCHAR', data } },
  }
  return `parsed AS (
  SELECT line_no, line, TRY(from_json(line, ${sqlText(JSON.stringify(whole))})) AS received,
    TRY(json_keys(line, [${['$.frame', '$.frame.params', ...paths].map(sqlText).join(', ')}])) AS keys${furtherKeys}
  FROM lines
), judged AS (
  SELECT *, received.frame.params.channel AS channel, received.frame.params.data AS data,
    NOT coalesce(received.frame.jsonrpc = '2.0' AND received.frame.method = 'subscription'
      AND len(keys[1]) = 3 AND len(keys[2]) = 2, false) AS odd_envelope,
    CASE ${LINE_VERDICTS}
    WHEN received.frame IS NULL AND ${IS_OTHER_TEXT} THEN '${TO_FRAMES}'
    WHEN received.frame.params.channel IS NULL THEN 'no params.channel'
    WHEN received.frame.params.data IS NULL THEN 'params.data is not ${wanted}'
    ELSE ${verdict} END AS verdict
  FROM parsed
)`
}

/** `frame_items` from rows that have `odd` (its members are not the fields filled) and `odd_envelope`. */
function withExtra(item: Item, source: string): string {
  return `frame_items AS (
  SELECT ${HEAD}, channel, data,
    CASE WHEN odd OR odd_envelope THEN object_of(concat_ws(',',
      CASE WHEN odd THEN ${unheld(item, 'data', 'plain')} END,
      CASE WHEN odd_envelope THEN envelope(line) END)) END AS extra,
    row_no
  FROM (
    SELECT *, CASE WHEN odd THEN from_json(${item.json}, ${sqlText(JSON.stringify(asText(item.shape)))}) END AS plain
    FROM ${source}
  )
)`
}

function itemsOfObjects(shape: ObjectShape): string {
  const inner = nested(shape).map(({ member }) => member)
  const paths = [DATA, ...inner.map(member => `${DATA}.${member}`)]
  const members = paths.map((_, index) => `coalesce(len(keys[${index + 3}]), 0)`).join(' + ')
  const item: Item = {
    shape,
    json: `json_extract(line, '${DATA}')`,
    keys: 'keys[3]',
    nestedKeys: member => `keys[${inner.indexOf(member) + 4}]`,
  }
  return `${judged(shape, paths, '', 'verdict(line, received.frame.params.data)', 'an object')},
items AS (
  SELECT * REPLACE (odd_envelope AND verdict IS NULL AS odd_envelope), (verdict IS NULL)::INTEGER AS row_no,
    verdict IS NULL AND ${members} <> ${filled(shape, 'data')} AS odd
  FROM judged
), ${withExtra(item, 'items')}`
}

function itemsOfLists(shape: ObjectShape): string {
  const firstVerdict = `CASE WHEN len(received.frame.params.data) = 0 THEN '${KNOWN}no items'
      ELSE list_filter(list_transform(received.frame.params.data, item -> verdict(line, item)), v -> v IS NOT NULL)[1] END`
  const itemKeys = `,
    TRY(json_keys(line, '${DATA}[*]')) AS item_keys`
  const item: Item = {
    shape,
    json: `json_extract(line, '${DATA}[' || (row_no - 1) || ']')`,
    keys: 'keys_of_item',
    nestedKeys: () => {
      throw new TypeError('elements of a list have no nested objects')
    },
  }
  return `${judged([shape], [], itemKeys, firstVerdict, 'a list')},
separate AS (
  SELECT line, received, channel, odd_envelope AND verdict IS NULL AS odd_frame,
    unnest(CASE WHEN verdict IS NULL THEN data ELSE [NULL] END) AS data,
    unnest(CASE WHEN verdict IS NULL THEN item_keys ELSE [NULL] END) AS keys_of_item,
    unnest(CASE WHEN verdict IS NULL THEN range(1, 1 + len(data)) ELSE [0] END) AS row_no
  FROM judged
), items AS (
  SELECT *, odd_frame AND row_no = 1 AS odd_envelope,
    row_no > 0 AND len(keys_of_item) <> ${filled(shape, 'data')} AS odd
  FROM separate
), ${withExtra(item, 'items')}`
}
