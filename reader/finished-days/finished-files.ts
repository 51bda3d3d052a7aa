import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '../../platform/zod.js'
import { parseJsonLines } from '../../platform/json-lines.js'
import { sha256Of } from '../../platform/sha256.js'
import { groupBy } from '../../platform/group-by.js'
import { dateOf } from '../../platform/utc-date.js'
import { plannedFiles, type PlannedFile } from '../../formats/planned-files.js'

const lineSchema = z.object({
  path: z.string(),
  exchange: z.string(),
  table: z.string(),
  kind: z.string(),
  currency: z.string(),
  date: z.string(),
  bytes: z.int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

/** A Parquet file that will not change any more, and what shows whether a copy of it is whole. */
export type FinishedFile = z.infer<typeof lineSchema>

const DAY_MS = 86_400_000

/** Hears how many files were looked at. */
export type OnFile = (done: number, all: number) => void

/**
 * The files of days that are finished: past, and rolled up, so that no partition has several hours of one recorder. In
 * the order of their paths.
 * @param listing an earlier listing: files that it names, or a list of a finished day, are not read again
 */
export async function finishedFiles(
  root: string,
  nowMs: number,
  listing?: string,
  onFile: OnFile = () => undefined,
): Promise<FinishedFile[]> {
  const known = new Map(readListing(listing).map(file => [`${file.path} ${file.bytes}`, file]))
  const files = plannedFiles(root, { dates: { first: '0000-00-00', last: dateOf(nowMs - DAY_MS) } })
  const unfinished = new Set<string>()
  for (const [folder, own] of groupBy(files, ({ folder }) => folder.path))
    for (const ofHost of groupBy(own, ({ name }) => name.host).values()) if (ofHost.length > 1) unfinished.add(folder)
  const unfinishedDates = new Set(
    files.filter(({ folder }) => unfinished.has(folder.path)).map(({ folder }) => `${folder.exchange} ${folder.date}`),
  )
  const finished: FinishedFile[] = []
  for (const [index, file] of files.entries()) {
    onFile(index, files.length)
    if (unfinishedDates.has(`${file.folder.exchange} ${file.folder.date}`)) continue
    finished.push(await described(root, file, known))
  }
  return finished
}

async function described(
  root: string,
  { path, folder, listed }: PlannedFile,
  known: ReadonlyMap<string, FinishedFile>,
): Promise<FinishedFile> {
  const bytes = listed?.bytes ?? statSync(join(root, path)).size
  const { exchange, table, kind = '', currency = '', date } = folder
  const sha256 = listed?.sha256 ?? known.get(`${path} ${bytes}`)?.sha256 ?? (await sha256Of(join(root, path)))
  return { path, exchange, table, kind, currency, date, bytes, sha256 }
}

function readListing(path: string | undefined): FinishedFile[] {
  return path !== undefined && existsSync(path) ? parseJsonLines(readFileSync(path, 'utf8'), lineSchema) : []
}

/** A line a file. */
export const listingText = (files: readonly FinishedFile[]) => files.map(file => `${JSON.stringify(file)}\n`).join('')
