import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsedJson } from '../../platform/json-object.js'
import { z } from '../../platform/zod.js'
import { createFolderDurable, writeFileDurable } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'

const memorySchema = z.object({
  /** The address, as `Target.label`. */
  target: z.string(),
  /** Of the dataDir that this was written in; a copy of it must not go on with its mark. */
  birth: z.object({ folder: z.string(), machine: z.string() }),
  /** Name of our mark there. */
  mark: z.string().regex(/^\.edgetape-target-[0-9a-f]{12}$/),
  /** Which target it is; the ledger belongs to it. */
  identity: z.string().min(1),
  /** The number in the mark that the target is known to have kept. */
  number: z.int().positive(),
  /** A later number: since `atMs` it was about to be written, and, if so, `written`; a power cut there may still undo it. */
  next: z.object({ number: z.int().positive(), atMs: z.number(), written: z.boolean() }).optional(),
})

/** What this dataDir knows of the target at one address. It lies beside the data, not in `state/`, which may be lost. */
export type PlaceMemory = z.infer<typeof memorySchema>

/** Where it is kept; one file for each address that was ever used. */
export function memoryPath(dataDir: string, label: string): string {
  return join(dataDir, 'targets', `${createHash('sha256').update(label).digest('hex').slice(0, 12)}.json`)
}

/**
 * What is known of the target at this address; undefined where it was never used.
 * @throws EdgeError SYNC_PLACE_UNREADABLE a target was used, and which one is no longer known
 */
export function readMemory(dataDir: string, label: string): PlaceMemory | undefined {
  const path = memoryPath(dataDir, label)
  if (!existsSync(path)) return undefined
  const found = memorySchema.safeParse(parsedJson(readFileSync(path, 'utf8')))
  if (found.success) return found.data
  throw new EdgeError('SYNC_PLACE_UNREADABLE', `${path} does not say which target was used`, {
    path,
    hint: `bring it back from a backup; or, once you have made sure that ${label} is the right place, remove it: then the target counts as new`,
  })
}

/** Durable once it returns. */
export function writeMemory(dataDir: string, memory: PlaceMemory): void {
  createFolderDurable(join(dataDir, 'targets'))
  writeFileDurable(memoryPath(dataDir, memory.target), `${JSON.stringify(memory)}\n`)
}
