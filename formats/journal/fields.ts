import { isJsonObject } from '../../platform/json-object.js'

/**
 * How one field of a journal's event is read: its value, or undefined where it is not what it should be. A journal of
 * another version may lack a field or have more of them, and is read as far as it goes.
 */
export type Field<Value> = (value: unknown) => Value | undefined

export const text: Field<string> = value => (typeof value === 'string' ? value : undefined)
export const flag: Field<boolean> = value => (typeof value === 'boolean' ? value : undefined)
/** A count, a size or a number in a sequence. */
export const number: Field<number> = value => (Number.isFinite(value) ? (value as number) : undefined)
/** A moment by the receive clock, or a length of time; µs, as its name says. */
export const us = number
export const texts: Field<readonly string[]> = value =>
  Array.isArray(value) ? value.filter(one => typeof one === 'string') : undefined
/** An id as the exchange gives it, or a code of its own; null where there is none. */
export const id: Field<number | string | null> = value =>
  typeof value === 'number' || typeof value === 'string' || value === null ? value : undefined
export const counts: Field<Readonly<Record<string, number>>> = value =>
  isJsonObject(value)
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
      )
    : undefined
/** Ranges of numbers, both ends included. */
export const ranges: Field<readonly (readonly [from: number, to: number])[]> = value =>
  Array.isArray(value)
    ? value.flatMap((range: unknown) => {
        const [from, to] = Array.isArray(range) ? (range as unknown[]) : []
        return Number.isSafeInteger(from) && Number.isSafeInteger(to) ? [[from as number, to as number] as const] : []
      })
    : undefined
