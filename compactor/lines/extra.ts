import type { Envelope } from '../../exchanges/envelope.js'
import { sqlName, sqlText } from '../../platform/duckdb.js'
import { HEAD } from './line-head.js'
import { asText, isExact, isNumber, isObject, isWhole, nested, withoutOddNumbers, type ObjectShape } from './shape.js'

/** What an SQL expression for `extra` is made of. */
export interface Item {
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
    const field = `${value}.${sqlName(member)}`
    const own = `json_extract(${json}, ${sqlText(`$.${member}`)})`
    const asText = `${text}.${sqlName(member)}`
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
    const members = unheld(item, `${value}.${sqlName(member)}`, `${text}.${sqlName(member)}`)
    return `CASE WHEN json_type(${object}) = 'OBJECT' THEN member_of(${sqlText(member)}, ${members}) END`
  })
  return `CASE WHEN len(${keys}) <> len(list_distinct(${keys})) THEN members_of(${json})
    ELSE concat_ws(',', ${[unknown, ...unconverted, ...inner].join(',\n    ')}) END`
}

/** `frame_items` from rows that have `odd` (its members are not the fields filled) and `odd_envelope`. */
export function withExtra(envelope: Envelope, item: Item, source: string): string {
  return `frame_items AS (
  SELECT ${HEAD}, channel, asked, envelope, CASE WHEN odd THEN ${withoutOddNumbers(item.shape, 'data', 'plain')} ELSE data END AS data,
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
