import { statSync } from 'node:fs'
import { join } from 'node:path'
import {
  datesIn,
  parentsOfDays,
  parquetFilesIn,
  parquetFolders,
  type ParquetFile,
  type ParquetFolder,
} from '../../formats/parquet-tree.js'
import { DERIVED_TABLES } from '../../formats/finished-list.js'
import { clearWaiting, switchFolders, waitingFolder } from './folder-switch.js'
import { linkOthers, planRollUps, receiptsAfter, replacementsOf, writeRollUp, type Rolled } from './roll-up.js'
import { withEngine } from '../engine.js'
import { readReceiptsOf, type Receipt } from '../../formats/receipt.js'
import type { JobOptions } from '../segment/job.js'
import { spillFolderOf } from '../temporary.js'

const DAY_MS = 86_400_000

/** Folders of the partitions' days, of one date or all, below `root`, but for derived tables: no receipt speaks of these, and no rebuild makes them. Sorted. */
export function convertedFolders(root: string, date?: string): ParquetFolder[] {
  return [...parquetFolders(root, { date })].filter(({ table }) => !DERIVED_TABLES.has(table))
}

/** Folders in which the days of such tables lie. */
export const convertedParents = (root: string) => parentsOfDays(root, table => !DERIVED_TABLES.has(table))

/** Dates of which there are such folders, sorted. */
export const convertedDates = (root: string): string[] => datesIn(root, convertedParents(root))

/** Those of one date, as paths. */
export function dateFolders(root: string, date: string): string[] {
  return convertedFolders(root, date).map(({ path }) => path)
}

/** Files of one date in all tables and partitions. */
export function dateFiles(root: string, date: string): ParquetFile[] {
  return convertedFolders(root, date).flatMap(folder => parquetFilesIn(root, folder))
}

/** True once a date's segments are all sealed, as far as can be seen, and it is time to roll it up. */
export function isRollUpDue(date: string, nowMs: number, afterMinutes: number): boolean {
  return Date.parse(`${date}T00:00:00Z`) + DAY_MS + afterMinutes * 60_000 <= nowMs
}

/**
 * Makes one file of a date's files in each partition, and host, where there are several; all of them appear at once.
 * @returns the receipts that changed
 */
export async function rollUpDate(
  options: JobOptions,
  date: string,
): Promise<{ receipts: Receipt[]; rolled: Rolled[] }> {
  const { dataDir, signal } = options
  const files = dateFiles(dataDir, date)
  // Names say whether there is anything to do; receipts are read where there is.
  if (planRollUps(files, () => true).length === 0) return { receipts: [], rolled: [] }
  const receipts = readReceiptsOf(dataDir, date)
  const outputs = new Set([...receipts.values()].flatMap(receipt => receipt.outputs.map(({ path }) => path)))
  const plan = planRollUps(files, path => outputs.has(path))
  if (plan.length === 0) return { receipts: [], rolled: [] }
  clearWaiting(dataDir)
  const rolled: Rolled[] = []
  const folders = [...new Set(plan.map(({ folder }) => folder))]
  for (const rollUp of plan) {
    const waiting = join(waitingFolder(dataDir), String(folders.indexOf(rollUp.folder)))
    const limits = { ...options.limits, spillFolder: spillFolderOf(dataDir) }
    const made = await withEngine(limits, engine => writeRollUp(engine, dataDir, rollUp, waiting), signal)
    await options.disk.fsyncFile(join(waiting, made.name))
    rolled.push(made)
    signal?.throwIfAborted()
  }
  for (const [index, folder] of folders.entries()) {
    const here = rolled.filter(({ rollUp }) => rollUp.folder === folder)
    const gone = new Set(here.flatMap(({ rollUp, name }) => [...rollUp.files, name]))
    linkOthers(dataDir, folder, gone, join(waitingFolder(dataDir), String(index)))
  }
  const changed = receiptsAfter(receipts.values(), rolled)
  switchFolders(dataDir, {
    date,
    folders: folders.map((path, index) => ({ path, inode: inodeOf(join(waitingFolder(dataDir), String(index))) })),
    receipts: changed,
    replacements: replacementsOf(rolled),
  })
  return { receipts: changed, rolled }
}

const inodeOf = (path: string) => statSync(path).ino
