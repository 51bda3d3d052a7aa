import type { Shape } from '../../exchanges/envelope.js'
import { sqlName, sqlText } from '../../platform/duckdb.js'

/** Type of each member of an object. */
export type ObjectShape = Readonly<Record<string, Shape>>

/** Whether a member is an object with members that are known. */
export function isObject(shape: Shape): shape is ObjectShape {
  return typeof shape === 'object' && !Array.isArray(shape)
}

/** Its members that are objects. */
export const nested = (shape: ObjectShape) =>
  Object.entries(shape).flatMap(([member, inner]) => (isObject(inner) ? [{ member, inner }] : []))

/** How many members of `value` a line filled, those of nested objects included: an SQL expression. */
export function filled(shape: ObjectShape, value: string): string {
  return Object.entries(shape)
    .map(([member, inner]) => {
      const field = `${value}.${sqlName(member)}`
      if (!isObject(inner)) return `(${field} IS NOT NULL)::INTEGER`
      // The struct of a member that is no object is not NULL; its fields are.
      return `(${filled(inner, field)} > 0)::INTEGER + ${filled(inner, field)}`
    })
    .join(' + ')
}

export const isNumber = (inner: Shape) => inner === 'DOUBLE'
export const isWhole = (inner: Shape) => inner === 'BIGINT'

/** The sum of all DOUBLE members: finite where each of them is. An SQL expression. */
export function sumOfNumbers(shape: ObjectShape, value: string): string {
  const terms = Object.entries(shape).flatMap(([member, inner]) => {
    const field = `${value}.${sqlName(member)}`
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
export const isExact = (field: string, text: string) =>
  `TRY_CAST(${text} AS DOUBLE) IS NOT DISTINCT FROM ${field}::DOUBLE`

/** The same object with NULL for numbers that are none (NaN, beyond DOUBLE, rounded): an SQL expression. */
export function withoutOddNumbers(shape: ObjectShape, value: string, text: string): string {
  const members = Object.entries(shape).map(([member, inner]) => {
    const field = `${value}.${sqlName(member)}`
    const asText = `${text}.${sqlName(member)}`
    const kept = isObject(inner)
      ? withoutOddNumbers(inner, field, asText)
      : isNumber(inner)
        ? `CASE WHEN isfinite(${field}) THEN ${field} END`
        : isWhole(inner)
          ? `CASE WHEN ${isExact(field, asText)} THEN ${field} END`
          : field
    return `${sqlName(member)} := ${kept}`
  })
  return `struct_pack(${members.join(', ')})`
}

/** Members whose number says that an object holds more than its fields, or something else: an SQL condition. */
export const isOdd = (shape: ObjectShape, value: string, members: string, fraction = hasFraction(shape)) =>
  `(${members} <> ${filled(shape, value)} OR NOT isfinite(${sumOfNumbers(shape, value)}) OR ${fraction})`

/** The same members, each as text: any value but null converts. */
export function asText(shape: ObjectShape): ObjectShape {
  return Object.fromEntries(
    Object.entries(shape).map(([member, inner]) => [member, isObject(inner) ? asText(inner) : 'VARCHAR']),
  )
}
