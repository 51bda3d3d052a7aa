import { z } from 'zod'

/** What a schema checks once its default is taken off. */
export function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let inner = schema
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional)
    inner = inner.unwrap()
  return inner
}

/** The members of an object schema; none for anything else. */
export function shapeOf(schema: z.core.$ZodType | undefined): Readonly<Record<string, z.core.$ZodType>> {
  const inner = unwrap(schema)
  return inner instanceof z.ZodObject ? inner.shape : {}
}
