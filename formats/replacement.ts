/**
 * Files that others took the place of: `state/compactor/superseded-<date>.jsonl`, appended by the compactor when it has
 * put new ones there: `{"by":["parquet/…/day-….parquet"],"paths":["parquet/…/14-….parquet",…]}`. The old ones are gone
 * here, and must go where they were copied to, or be left out there.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '../platform/zod.js'
import { appendLinesDurable, parseJsonLines, readJsonLines } from '../platform/json-lines.js'
import { compactorState } from './receipt.js'

export const replacementSchema = z.object({
  /** The files that hold their rows now, below dataDir. */
  by: z.array(z.string()),
  /** Files that are gone here. */
  paths: z.array(z.string()),
})

/** Files that others replaced. */
export type Replacement = z.infer<typeof replacementSchema>

/** Files that were replaced, each with all those that hold its rows now. */
export type Replaced = ReadonlyMap<string, readonly string[]>

const replacementsPath = (dataDir: string, date: string) => join(compactorState(dataDir), `superseded-${date}.jsonl`)

/** Writes down what was replaced; afterwards it is durable. */
export function appendReplacements(dataDir: string, date: string, replacements: readonly Replacement[]): void {
  appendLinesDurable(replacementsPath(dataDir, date), replacements)
}

/** What was replaced of a date and has not come back since. */
export function readReplaced(dataDir: string, date: string): Replaced {
  return replacedBy(readJsonLines(replacementsPath(dataDir, date), replacementSchema))
}

/** The same from text. */
export const parseReplaced = (text: string): Replaced => replacedBy(parseJsonLines(text, replacementSchema))

/** Later entries count: what replaces others is itself in use again. */
function replacedBy(replacements: readonly Replacement[]): Replaced {
  const replaced = new Map<string, readonly string[]>()
  for (const { by, paths } of replacements) {
    for (const path of paths) replaced.set(path, by)
    for (const path of by) replaced.delete(path)
  }
  return replaced
}

/** What is about to take the place of what; there until that is done. */
export const switchPath = (dataDir: string) => join(compactorState(dataDir), 'switch.json')

/** True while the compactor puts files in the place of others: what is listed now may be of before and of after. */
export const isSwitching = (dataDir: string) => existsSync(switchPath(dataDir))
