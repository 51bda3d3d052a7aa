/**
 * The list of a finished day: `lists/date=<date>/list-<recorder>.jsonl`, which the compactor writes once a day is rolled
 * up, and which is shipped like any file. Its first line is `{"format":1,"date":…,"files":…}`, then a line for each
 * Parquet file of that day, in the order of their paths. All tables are in one list, since a day is finished, changed,
 * shipped and deleted as a whole. Before anything in such a day is changed the list is revoked. It can be lost: readers
 * then list the folders, and `compact --rebuild-lists` makes it from the files.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from '../platform/zod.js'
import { createFolderDurable, writeFileDurable } from '../platform/durable-file.js'
import { hasErrno } from '../platform/edge-error.js'
import { parseJsonLines } from '../platform/json-lines.js'
import { listFolder } from './partition-folders.js'

const FORMAT = 1
const headSchema = z.object({
  format: z.literal(FORMAT),
  date: z.string(),
  files: z.int(),
  /** Something came, or changed, since: it is no list now. Marked by a file, since a list that is deleted here stays elsewhere. */
  isRevoked: z.boolean().optional(),
})
type Head = z.infer<typeof headSchema>

/** Least and greatest; `null` where no row has any. */
const times = z.tuple([z.int(), z.int()]).nullable()

export const listedFileSchema = z.object({
  /** Below the root. */
  path: z.string(),
  rows: z.int(),
  bytes: z.int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** µs since the epoch. */
  exchange_us: times,
  recv_us: times,
  /** All of them where they are few; of a table without instruments it says nothing. */
  instruments: z.array(z.string()).optional(),
  /** The least and the greatest where they are many. */
  instruments_between: z.tuple([z.string(), z.string()]).optional(),
  schema_version: z.int(),
  /** Distinguishes one set of columns and their types from another. */
  columns: z.string(),
})

/** What a list says of a file that will not change any more. */
export type ListedFile = z.infer<typeof listedFileSchema>

/** So many instruments are few. */
export const FEW_INSTRUMENTS = 50

/** Tables that are made of other tables, by others and at any later time: lists do not speak of them. */
export const DERIVED_TABLES: ReadonlySet<string> = new Set(['coverage', 'coverage_hours'])

const LIST = /^list-[A-Za-z0-9][A-Za-z0-9_.-]{0,150}\.jsonl$/
const folderOf = (date: string) => `lists/date=${date}`

/** Where the list lies, here and at the target. Each recorder has its own. */
export const finishedListPath = (date: string, recorder: string) => `${folderOf(date)}/list-${recorder}.jsonl`

/** A name for a set of columns. */
export const columnsMark = (columns: readonly { name: string; type: string }[]) =>
  createHash('sha256')
    .update(JSON.stringify(columns.map(({ name, type }) => [name, type])))
    .digest('hex')
    .slice(0, 12)

/** Writes a list durably in the place of an earlier one. */
export function writeFinishedList(root: string, date: string, recorder: string, files: readonly ListedFile[]): void {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  write(root, recorder, { format: FORMAT, date, files: files.length }, sorted)
}

/** To be called before anything is changed in a day that may be listed; afterwards nobody takes its list for one. */
export function revokeFinishedList(root: string, date: string, recorder: string): void {
  const head = headOf(textOf(join(root, finishedListPath(date, recorder))))
  if (head?.isRevoked !== true) write(root, recorder, { format: FORMAT, date, files: 0, isRevoked: true }, [])
}

function write(root: string, recorder: string, head: Head, files: readonly ListedFile[]): void {
  const path = join(root, finishedListPath(head.date, recorder))
  createFolderDurable(dirname(path))
  writeFileDurable(path, [head, ...files].map(line => `${JSON.stringify(line)}\n`).join(''))
}

/** Names of the lists of a date, below the root. */
export const finishedListsOf = (root: string, date: string) =>
  listFolder(root, folderOf(date)).files.flatMap(file => (LIST.test(file) ? [`${folderOf(date)}/${file}`] : []))

/** Dates that have lists, sorted. */
export const listedDates = (root: string) =>
  listFolder(root, 'lists').folders.flatMap(name => /^date=(\d{4}-\d\d-\d\d)$/.exec(name)?.[1] ?? [])

/**
 * What one list says; undefined for one that is gone, revoked, not whole, or of a later format: nobody may take it for
 * all there is.
 * @param isAsked of which paths; all lines of others are passed over unread
 */
export function readFinishedList(
  root: string,
  list: string,
  isAsked: (path: string) => boolean = () => true,
): ListedFile[] | undefined {
  const text = textOf(join(root, list))
  const [, ...lines] = text.split('\n')
  const head = headOf(text)
  if (head?.files !== lines.length - 1 || head.isRevoked === true || folderOf(head.date) !== dirname(list))
    return undefined
  const asked = lines.filter(line => line !== '' && isAsked(/^\{"path":"([^"]*)"/.exec(line)?.[1] ?? ''))
  const files = parseJsonLines(asked.join('\n'), listedFileSchema)
  return files.length === asked.length ? files : undefined
}

const headOf = (text: string): Head | undefined => parseJsonLines(text.split('\n', 1)[0] ?? '', headSchema)[0]

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return ''
    throw error
  }
}

/** Whether a list is as it was written, as far as its own content shows; one that is revoked is. */
export function isListWhole(root: string, list: string): boolean {
  const head = headOf(textOf(join(root, list)))
  return (head?.isRevoked === true && head.files === 0) || readFinishedList(root, list) !== undefined
}
