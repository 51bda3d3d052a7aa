import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { createFolderDurable, fsyncFolder } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { SealedSegment } from '../backlog.js'
import type { Conversion } from '../segment/convert.js'
import { dateFiles, dateFolders, rollUpDate } from './date-job.js'
import { leaveTombstones } from './tombstones.js'
import { clearWaiting, switchFolders, waitingFolder, type FolderSwitch } from './folder-switch.js'
import { hourlyName } from '../../formats/parquet-path.js'
import { quarantinePath } from '../../formats/quarantine-tree.js'
import { readReceiptsOf, type Receipt } from '../../formats/receipt.js'
import { linkOthers, readReplaced } from './roll-up.js'
import { compactSegment, readManifest, type JobOptions } from '../segment/job.js'
import { temporaryFolder } from '../temporary.js'

/**
 * Converts all segments of a date anew, aside, and puts the result in the place of what is there, partition by
 * partition. A reader sees the old files or the new ones. Where one segment fails, all stays as it is.
 * @param segments all of the date, in the order in which they are to be converted
 * @throws EdgeError REBUILD_INCOMPLETE raw data of files that are here is gone; those of `compactSegment`
 */
export async function rebuildDate(
  options: JobOptions,
  date: string,
  segments: readonly SealedSegment[],
  rollUp: boolean,
  converted: (receipt: Receipt, conversion: Conversion) => void,
): Promise<Receipt[]> {
  const { dataDir } = options
  await requireRaw(options, date, segments)
  const side = join(temporaryFolder(dataDir), `rebuild-${date}`)
  rmSync(side, { recursive: true, force: true })
  mkdirSync(side, { recursive: true })
  for (const segment of segments) {
    const manifest = readManifest(dataDir, segment)
    const { receipt, conversion } = await compactSegment({ ...options, publishTo: side }, segment, manifest, undefined)
    converted(receipt, conversion)
  }
  if (rollUp) await rollUpDate({ ...options, dataDir: side }, date)
  await leaveTombstones(options, side, date, [...readReceiptsOf(side, date).values()])
  moveQuarantine(dataDir, side, segments)
  const receipts = [...readReceiptsOf(side, date).values()]
  switchFolders(dataDir, planSwitch(dataDir, side, date, receipts))
  rmSync(side, { recursive: true, force: true })
  return receipts
}

/** Rows must not be lost for want of their raw lines: every file that is here must come of a segment that is here. */
async function requireRaw({ dataDir, limits }: JobOptions, date: string, segments: readonly SealedSegment[]) {
  const here = new Set(segments.map(({ name }) => hourlyName(name)))
  const wanted = new Set<string>()
  for (const receipt of readReceiptsOf(dataDir, date).values()) {
    const name = parseSegmentPath(receipt.segment)?.name
    if (name && receipt.outputs.length > 0 && !here.has(hourlyName(name))) wanted.add(hourlyName(name))
  }
  const files = dateFiles(dataDir, date)
  for (const { file, name } of files) if (name.hour !== undefined && !here.has(file)) wanted.add(file)
  const days = files.filter(({ name }) => name.hour === undefined).map(({ path }) => join(dataDir, path))
  for (const file of await readReplaced(limits, days)) if (!here.has(file)) wanted.add(file)
  if (wanted.size === 0) return
  const [first = ''] = wanted
  throw new EdgeError('REBUILD_INCOMPLETE', `${date}: raw data of ${wanted.size} files is not here, ${first} first`, {
    path: dataDir,
    hint: 'bring the segments of that date and their manifests back from the target first',
  })
}

function moveQuarantine(dataDir: string, side: string, segments: readonly SealedSegment[]): void {
  for (const { path, name } of segments) {
    const quarantine = quarantinePath(path, name)
    if (existsSync(join(side, quarantine))) {
      createFolderDurable(dirname(join(dataDir, quarantine)))
      renameSync(join(side, quarantine), join(dataDir, quarantine))
      fsyncFolder(dirname(join(dataDir, quarantine)))
    } else rmSync(join(dataDir, quarantine), { force: true })
  }
}

/** Names of our files of a date, by their folder below a root. */
function namesByFolder(root: string, date: string): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const { folder, file } of dateFiles(root, date))
    names.set(folder.path, [...(names.get(folder.path) ?? []), file])
  return names
}

function planSwitch(dataDir: string, side: string, date: string, receipts: Receipt[]): FolderSwitch {
  clearWaiting(dataDir)
  const old = dateFolders(dataDir, date)
  const made = new Set(dateFolders(side, date))
  const paths = [...new Set([...old, ...made])].sort()
  const [namesBefore, namesAfter] = [namesByFolder(dataDir, date), namesByFolder(side, date)]
  const plan: FolderSwitch = { date, folders: [], receipts, replacements: [] }
  for (const [index, path] of paths.entries()) {
    const waiting = join(waitingFolder(dataDir), String(index))
    const after = namesAfter.get(path) ?? []
    const before = namesBefore.get(path) ?? []
    const gone = before.filter(file => !after.includes(file))
    if (made.has(path)) {
      renameSync(join(side, path), waiting)
      // What others put there stays there.
      if (old.includes(path)) linkOthers(dataDir, path, new Set([...before, ...after]), waiting)
      else fsyncFolder(waiting)
    }
    plan.folders.push({ path, inode: made.has(path) ? statSync(waiting).ino : 0 })
    if (gone.length > 0) {
      const below = (file: string) => `${path}/${file}`
      plan.replacements.push({ by: after.map(below), paths: gone.map(below) })
    }
  }
  return plan
}
