import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from '../../platform/zod.js'
import { createFolderDurable, fsyncFolder, writeFileDurable } from '../../platform/durable-file.js'
import { hasErrno } from '../../platform/edge-error.js'
import { ASIDE, exchangeNames } from '../../platform/exchange-folders.js'
import { appendReceipts, receiptSchema, compactorState } from '../../formats/receipt.js'
import { appendReplacements, replacementSchema, switchPath } from '../../formats/replacement.js'

const fields = z.object({
  date: z.string(),
  /**
   * Folders of partitions below dataDir, with the inode of what takes their place; 0 where nothing does. What is new
   * waits under the place's number in the list.
   */
  folders: z.array(z.object({ path: z.string(), inode: z.number() })),
  receipts: z.array(receiptSchema()),
  replacements: z.array(replacementSchema),
})
/** 0.1.0 says `superseded`, and may have been cut off in the middle. */
const switchSchema = z.preprocess(
  plan =>
    typeof plan === 'object' && plan !== null && 'superseded' in plan
      ? { replacements: plan.superseded, ...plan }
      : plan,
  fields,
)

/** Folders of one date that take the place of others, all or none of them after a crash, and what is then true. */
export type FolderSwitch = z.infer<typeof switchSchema>

/** Where new folders wait: `0`, `1`, …; what they replaced is there afterwards. */
export const waitingFolder = (dataDir: string) => join(compactorState(dataDir), 'switch')

/** An empty waiting folder. */
export function clearWaiting(dataDir: string): void {
  rmSync(waitingFolder(dataDir), { recursive: true, force: true })
  mkdirSync(waitingFolder(dataDir), { recursive: true })
}

/**
 * Puts folders, which wait complete and durable, in the place of what is there. From here on it happens, even if not in
 * this process: whoever comes next finishes it. A reader of a partition sees the old files or the new ones.
 */
export function switchFolders(dataDir: string, plan: FolderSwitch): void {
  fsyncFolder(waitingFolder(dataDir))
  writeFileDurable(switchPath(dataDir), JSON.stringify(plan))
  finish(dataDir, plan)
}

/** Finishes what a compactor that died had begun to switch. To be called before anything else is looked at. */
export function finishSwitch(dataDir: string): void {
  const plan = readIntent(dataDir)
  if (plan) finish(dataDir, plan)
  rmSync(waitingFolder(dataDir), { recursive: true, force: true })
}

function readIntent(dataDir: string): FolderSwitch | undefined {
  try {
    return switchSchema.parse(JSON.parse(readFileSync(switchPath(dataDir), 'utf8')))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function finish(dataDir: string, { date, folders, receipts, replacements }: FolderSwitch): void {
  for (const [index, { path, inode }] of folders.entries()) {
    switchOne(join(waitingFolder(dataDir), String(index)), join(dataDir, path), inode)
  }
  appendReplacements(dataDir, date, replacements)
  appendReceipts(dataDir, date, receipts)
  rmSync(switchPath(dataDir), { force: true })
  fsyncFolder(compactorState(dataDir))
  clearWaiting(dataDir)
}

/** The inode shows whether it happened already. */
function switchOne(waiting: string, place: string, inode: number): void {
  const aside = `${waiting}${ASIDE}`
  // Cut off between renames: what is new goes on to its place, or back to where it waited.
  if (existsSync(aside)) renameSync(aside, existsSync(place) ? waiting : place)
  const here = statSync(place, { throwIfNoEntry: false })?.ino
  if (here === inode || (inode === 0 && here === undefined)) return
  if (inode === 0) renameSync(place, `${waiting}.removed`)
  else if (here !== undefined) exchangeNames(waiting, place)
  else {
    createFolderDurable(dirname(place))
    renameSync(waiting, place)
  }
  fsyncFolder(dirname(place))
}
