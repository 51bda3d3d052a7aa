import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { createFolderDurable, writeFileDurable } from '../platform/durable-file.js'
import { hasErrno } from '../platform/edge-error.js'

const entrySchema = z.object({ by: z.array(z.string()), paths: z.array(z.string()) })

/** Files that were replaced, each with all those that hold its rows now. */
export type Superseded = ReadonlyMap<string, readonly string[]>

/** What the compactor wrote down of a date; later entries count: what replaces others is itself in use again. */
export function readSuperseded(dataDir: string, date: string): Superseded {
  try {
    return parseSuperseded(readFileSync(join(compactorState(dataDir), `superseded-${date}.jsonl`), 'utf8'))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return new Map()
    throw error
  }
}

/** The same from text. A torn last line does not count. Pure. */
export function parseSuperseded(text: string): Superseded {
  const superseded = new Map<string, readonly string[]>()
  for (const line of text.split('\n')) {
    const entry = parseEntry(line)
    if (!entry) continue
    for (const path of entry.paths) superseded.set(path, entry.by)
    for (const path of entry.by) superseded.delete(path)
  }
  return superseded
}

function parseEntry(line: string): z.infer<typeof entrySchema> | undefined {
  if (line === '') return undefined
  try {
    return entrySchema.safeParse(JSON.parse(line)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** True while the compactor puts files in the place of others: what is listed now may be of before and of after. */
export function isSwitching(dataDir: string): boolean {
  return existsSync(join(compactorState(dataDir), 'switch.json'))
}

/** Where the list for readers of the target lies, here and there. Each recorder has its own. */
export function noticePath(date: string, recorder: string): string {
  return `superseded/date=${date}/superseded-${recorder}.jsonl`
}

/**
 * Writes the list of what was replaced for readers of the target, durably, where it is not there as it should be: a line
 * `{"path":…,"by":[…]}` for each file to leave out once all of `by` are there.
 * @returns whether it was written
 */
export function writeNotice(dataDir: string, path: string, superseded: Superseded): boolean {
  const sorted = [...superseded].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = sorted.map(([replaced, by]) => `${JSON.stringify({ path: replaced, by })}\n`).join('')
  const full = join(dataDir, path)
  if (existsSync(full) && readFileSync(full, 'utf8') === text) return false
  createFolderDurable(join(full, '..'))
  writeFileDurable(full, text)
  return true
}

const compactorState = (dataDir: string) => join(dataDir, 'state', 'compactor')
