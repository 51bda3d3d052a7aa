import type { core } from 'zod'
import { z } from '../platform/zod.js'

/** What a schema checks once its default is taken off. */
export function unwrap(schema: core.$ZodType | undefined): core.$ZodType | undefined {
  const inner = withoutDefault(schema)
  return inner instanceof z.ZodPipe ? unwrap(inner.out) : inner
}

function withoutDefault(schema: core.$ZodType | undefined): core.$ZodType | undefined {
  const mayBeMissing =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
  return mayBeMissing ? withoutDefault(schema.unwrap()) : schema
}

/** The object schemas that a value may be checked by: one, or the options of a union, or none. */
export function optionsOf(schema: core.$ZodType | undefined): readonly z.ZodObject[] {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodDiscriminatedUnion) return inner.options.flatMap(optionsOf)
  return inner instanceof z.ZodObject ? [inner] : []
}

/** The members of an object schema; of a union, those of the option that `value` is checked by. */
export function shapeOf(schema: core.$ZodType | undefined, value: unknown): Readonly<Record<string, core.$ZodType>> {
  const inner = unwrap(schema)
  const options = optionsOf(schema)
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return options[0]?.shape ?? {}
  const { discriminator } = inner.def
  const outer = withoutDefault(schema)
  const given = memberOf(outer instanceof z.ZodPipe ? z.safeParse(outer.in, value).data : value, discriminator)
  const chosen = options.find(option => {
    const shape: Readonly<Record<string, core.$ZodType>> = option.shape
    const kind = unwrap(shape[discriminator])
    return kind instanceof z.ZodLiteral && kind.values.has(given as string)
  })
  return (chosen ?? options[0])?.shape ?? {}
}

export function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
}
