import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '../platform/zod.js'
import { EdgeError } from '../platform/edge-error.js'
import { parsedJson } from '../platform/json-object.js'
import { createFolderDurable, writeFileDurable } from '../platform/durable-file.js'
import type { Replaced } from './replacement.js'
import { listFolder, partitionFolders } from './partition-folders.js'

const LIST = /^superseded-[A-Za-z0-9][A-Za-z0-9_.-]{0,150}\.jsonl$/
const lineSchema = z.object({ path: z.string(), by: z.array(z.string()) })

/**
 * Files below `root` (a dataDir, or a copy of one) that readers leave out, since the rows of each are in others that are
 * there, too. Such are left at targets where nothing is deleted; `superseded/` there lists them.
 * @param dates of which alone it is asked, both included
 * @returns full paths
 * @throws EdgeError REPLACED_LIST_DAMAGED
 */
export function replacedFiles(root: string, dates?: { first: string; last: string }): string[] {
  const top = { path: 'superseded', values: {} }
  const accept = (_key: string, date: string) => !dates || (date >= dates.first && date <= dates.last)
  const lists = [...partitionFolders(root, top, [{ key: 'date' }], { accept, dates })].flatMap(({ path }) =>
    listFolder(root, path).files.flatMap(file => (LIST.test(file) ? [join(root, path, file)] : [])),
  )
  return lists
    .flatMap(linesOf)
    .filter(({ path, by }) => [path, ...by].every(one => existsSync(join(root, one))))
    .map(({ path }) => join(root, path))
}

/** All of a list, for without one of its lines rows would be read twice. */
function linesOf(list: string): z.infer<typeof lineSchema>[] {
  const texts = readFileSync(list, 'utf8').split('\n')
  return texts.flatMap((text, at) => {
    if (text === '' && at === texts.length - 1) return []
    const line = lineSchema.safeParse(parsedJson(text))
    if (line.success) return [line.data]
    throw new EdgeError('REPLACED_LIST_DAMAGED', `${list}: line ${at + 1} is not as it was written`, {
      path: list,
      hint: 'it lists which files were replaced by others: copy it again from the dataDir that has it',
    })
  })
}

/** Where the list for readers of the target lies, here and there. Each recorder has its own. */
export function replacedListPath(date: string, recorder: string): string {
  return `superseded/date=${date}/superseded-${recorder}.jsonl`
}

/**
 * Writes the list of what was replaced for readers of the target, durably, where it is not there as it should be: a line
 * `{"path":…,"by":[…]}` for each file to leave out once all of `by` are there.
 * @returns whether it was written
 */
export function writeReplacedList(dataDir: string, list: string, replaced: Replaced): boolean {
  const sorted = [...replaced].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = sorted.map(([path, by]) => `${JSON.stringify({ path, by })}\n`).join('')
  const full = join(dataDir, list)
  if (existsSync(full) && readFileSync(full, 'utf8') === text) return false
  createFolderDurable(join(full, '..'))
  writeFileDurable(full, text)
  return true
}
