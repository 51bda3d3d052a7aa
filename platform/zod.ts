import type { z as all } from 'zod'
import { loadZod } from './late-schema.js'

/** What everything here checks by; see `loadZod` for what it is without. */
export const z = loadZod()

// eslint-disable-next-line @typescript-eslint/no-namespace -- the one name that has the library's values has its types, too
export declare namespace z {
  type infer<Schema> = all.infer<Schema>
  type input<Schema> = all.input<Schema>
  type RefinementCtx = all.RefinementCtx
  type ZodObject = all.ZodObject
  type ZodType<Output = unknown, Input = unknown> = all.ZodType<Output, Input>
}
