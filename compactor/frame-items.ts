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
      const own = `(${field} IS NOT NULL)::INTEGER`
      return isObject(inner) ? `${own} + ${filled(inner, field)}` : own
    })
    .join(' + ')
}

/** What the object at `json` says beyond `value`, as `"key":value` texts: an SQL expression. */
function unheld(shape: ObjectShape, json: string, value: string): string {
  const inner = nested(shape).map(({ member, inner }) => {
    const below = unheld(inner, `json_extract(${json}, ${sqlText(`$.${member}`)})`, `${value}.${name(member)}`)
    return `CASE WHEN ${value}.${name(member)} IS NOT NULL THEN unheld_within(${sqlText(member)}, ${below}) ELSE [] END`
  })
  return [`unheld(${json}, ${value})`, ...inner].reduce((left, right) => `list_concat(${left}, ${right})`)
}

/**
 * The views between `lines` (line_no, line) and a table's own SQL, which selects from `frame_items`:
 * - `judged`: every line parsed once, and why it cannot be tabled (`verdict`, NULL where it can);
 * - `frame_items`: one row per item of a frame (its data, or each element of it), with `extra` and `row_no` counting
 *   from 1. A line that cannot be tabled gives one row with `row_no` 0 and no data, so that one pass counts them all.
 *
 * `extra` is worked out only where the number of members in the text differs from the number of fields filled: equal
 * numbers mean that every member has its field, since each field is filled by one member.
 */
export function frameItemViews(table: Table, shape: Shape): string {
  return table.payload === 'line' ? viewsOfLines(shape) : viewsOfNotifications(shape)
}

const RECEIVED_US = 'received.recv_us BETWEEN 0 AND 9007199254740991'
const IS_OTHER_TEXT = `regexp_matches(line, '^\\{"recv_us":\\d+,"conn":"[^"]*","seq":\\d+,"(text|base64)":"')`

/** Head fields of `frame_items`. */
const HEAD = `line, make_timestamptz(CASE WHEN ${RECEIVED_US} THEN received.recv_us END) AS recv_ts,
  received.conn AS conn, received.seq AS seq, 'live' AS source`

const COMMON_VERDICTS = `WHEN line IS NULL THEN 'empty line'
    WHEN received IS NULL THEN 'not JSON'
    WHEN NOT coalesce(${RECEIVED_US} AND received.conn IS NOT NULL AND received.seq IS NOT NULL, false)
      THEN 'no valid recv_us, conn and seq'`

function viewsOfLines(shape: Shape): string {
  const whole = { recv_us: 'BIGINT', conn: 'VARCHAR', seq: 'BIGINT', ...(isObject(shape) ? shape : {}) }
  return `
CREATE VIEW judged AS
SELECT *, CASE ${COMMON_VERDICTS}
    ELSE verdict(line, received) END AS verdict
FROM (SELECT line_no, line, TRY(from_json(line, ${sqlText(JSON.stringify(whole))})) AS received FROM lines);

CREATE VIEW frame_items AS
SELECT ${HEAD}, received AS data, (verdict IS NULL)::INTEGER AS row_no
FROM judged;`
}

function viewsOfNotifications(shape: Shape): string {
  const whole = {
    recv_us: 'BIGINT',
    conn: 'VARCHAR',
    seq: 'BIGINT',
    frame: { jsonrpc: 'VARCHAR', method: 'VARCHAR', params: { channel: 'VARCHAR', data: shape } },
  }
  const [element] = Array.isArray(shape) ? (shape as readonly [Shape]) : []
  const item = element ?? shape
  if (!isObject(item)) throw new TypeError('the data of a table is an object or a list of objects')
  return element === undefined ? viewsOfObjects(whole, item) : viewsOfLists(whole, item)
}

function judgedNotifications(whole: Shape, keys: string, emptyOrVerdict: string, wanted: string): string {
  return `
CREATE VIEW judged AS
SELECT *, CASE ${COMMON_VERDICTS}
    WHEN received.frame IS NULL AND ${IS_OTHER_TEXT} THEN '${TO_FRAMES}'
    WHEN received.frame.params.channel IS NULL THEN 'no params.channel'
    WHEN received.frame.params.data IS NULL THEN 'params.data is not ${wanted}'
    ELSE ${emptyOrVerdict} END AS verdict
FROM (SELECT line_no, line, TRY(from_json(line, ${sqlText(JSON.stringify(whole))})) AS received, ${keys} FROM lines);
`
}

/** True where a notification has more, or other, members around channel and data than it ever had. */
const oddEnvelope = (keys: string) => `NOT coalesce(received.frame.jsonrpc = '2.0'
      AND received.frame.method = 'subscription' AND len(${keys}[1]) = 3 AND len(${keys}[2]) = 2, false)`

function viewsOfObjects(whole: Shape, shape: ObjectShape): string {
  const paths = ['$.frame', '$.frame.params', DATA, ...nested(shape).map(({ member }) => `${DATA}.${member}`)]
  const keys = `TRY(json_keys(line, [${paths.map(sqlText).join(', ')}])) AS keys`
  const members = paths
    .slice(2)
    .map((_, index) => `coalesce(len(keys[${index + 3}]), 0)`)
    .join(' + ')
  return `${judgedNotifications(whole, keys, 'verdict(line, received.frame.params.data)', 'an object')}
CREATE VIEW frame_items AS
SELECT ${HEAD},
  received.frame.params.channel AS channel, received.frame.params.data AS data,
  CASE WHEN verdict IS NULL AND (${members} <> ${filled(shape, 'received.frame.params.data')} OR ${oddEnvelope('keys')})
    THEN object_of(list_concat(
      ${unheld(shape, `json_extract(line, '${DATA}')`, 'received.frame.params.data')},
      CASE WHEN ${oddEnvelope('keys')} THEN envelope(line) ELSE [] END)) END AS extra,
  (verdict IS NULL)::INTEGER AS row_no
FROM judged;`
}

function viewsOfLists(whole: Shape, shape: ObjectShape): string {
  const keys = `TRY(json_keys(line, ['$.frame', '$.frame.params'])) AS keys,
  TRY(json_keys(line, '${DATA}[*]')) AS item_keys`
  const firstVerdict = `CASE WHEN len(received.frame.params.data) = 0 THEN '${KNOWN}no items'
      ELSE list_filter(list_transform(received.frame.params.data, item -> verdict(line, item)), v -> v IS NOT NULL)[1] END`
  return `${judgedNotifications(whole, keys, firstVerdict, 'a list')}
CREATE VIEW separate_items AS
SELECT line, received, keys, verdict,
  unnest(CASE WHEN verdict IS NULL THEN received.frame.params.data ELSE [NULL] END) AS data,
  unnest(CASE WHEN verdict IS NULL THEN item_keys ELSE [NULL] END) AS data_keys,
  unnest(CASE WHEN verdict IS NULL THEN range(1, 1 + len(received.frame.params.data)) ELSE [0] END) AS row_no
FROM judged;

CREATE VIEW frame_items AS
SELECT ${HEAD},
  received.frame.params.channel AS channel, data,
  CASE WHEN verdict IS NULL AND (len(data_keys) <> ${filled(shape, 'data')} OR (row_no = 1 AND ${oddEnvelope('keys')}))
    THEN object_of(list_concat(
      ${unheld(shape, `json_extract(line, '${DATA}[' || (row_no - 1) || ']')`, 'data')},
      CASE WHEN row_no = 1 AND ${oddEnvelope('keys')} THEN envelope(line) ELSE [] END)) END AS extra,
  row_no
FROM separate_items;`
}
