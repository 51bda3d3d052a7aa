import { join } from 'node:path'
import { z } from 'zod'
import { appendLinesDurable } from '../platform/json-lines.js'
import { receiptsFolder } from './receipt.js'

export const supersededSchema = z.object({
  /** The files that hold their rows now, below dataDir. */
  by: z.array(z.string()),
  /** Files that are gone here, and must go where they were copied to. */
  paths: z.array(z.string()),
})

/** Files that another one replaced. */
export type Superseded = z.infer<typeof supersededSchema>

/** Writes down in `superseded-<date>.jsonl` what was replaced; afterwards it is durable. */
export function appendSuperseded(dataDir: string, date: string, entries: readonly Superseded[]): void {
  appendLinesDurable(join(receiptsFolder(dataDir), `superseded-${date}.jsonl`), entries)
}
