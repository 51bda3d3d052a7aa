import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { z } from '../platform/zod.js'
import { writeFileDurable } from '../platform/durable-file.js'
import type { LocalDate } from './local-tree.js'

const settledSchema = z.object({
  bytes: z.number(),
  files: z.number(),
  newestHourEndMs: z.number(),
  /** Folder → its modification time, ms since the epoch. */
  folders: z.record(z.string(), z.number()),
})

/** A date of which everything here was verified at the target, and the folders as they were then. */
export type SettledDate = z.infer<typeof settledSchema>

/** A folder that changed within this time might change again without its time showing it. */
const QUIET_MS = 60_000
const HOUR_MS = 3_600_000

/**
 * What to remember of a date whose files are all verified; undefined where something else lies there, too, or a folder
 * was touched since shortly before `readAtMs`, when the date was read.
 */
export function settle(dataDir: string, local: LocalDate, readAtMs: number): SettledDate | undefined {
  const explained = local.files.reduce((sum, file) => sum + file.bytes, 0)
  if (explained !== local.bytes) return undefined
  const folders: Record<string, number> = {}
  for (const folder of local.folders) {
    const changedMs = changedMsOf(dataDir, folder)
    if (changedMs === undefined || changedMs > readAtMs - QUIET_MS) return undefined
    folders[folder] = changedMs
  }
  const newestHourEndMs = local.files.reduce((newest, file) => Math.max(newest, file.hourMs + HOUR_MS), 0)
  return { bytes: local.bytes, files: local.files.length, newestHourEndMs, folders }
}

/**
 * True where nothing was added, renamed or removed since: files under final names never change otherwise, so a folder's
 * time stands for its files. `tops` are the date's folders of now.
 */
export function isStillSettled(dataDir: string, { folders }: SettledDate, tops: readonly string[]): boolean {
  return (
    tops.every(top => top in folders) &&
    Object.entries(folders).every(([folder, changedMs]) => changedMsOf(dataDir, folder) === changedMs)
  )
}

function changedMsOf(dataDir: string, folder: string): number | undefined {
  return lstatSync(`${dataDir}/${folder}`, { throwIfNoEntry: false })?.mtimeMs
}

/** Reads what was remembered; undefined where nothing was, or nothing that can be read: then the date is read anew. */
export function readSettled(path: string): SettledDate | undefined {
  if (!existsSync(path)) return undefined
  try {
    return settledSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export function writeSettled(path: string, settled: SettledDate): void {
  writeFileDurable(path, JSON.stringify(settled))
}
