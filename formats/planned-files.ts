/**
 * Which Parquet files a question needs. Of days whose lists speak for everyone who recorded, the lists decide, and folders
 * of all others are listed. A copy without lists is listed as a whole.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { datesBetween } from '../platform/utc-date.js'
import { DERIVED_TABLES, finishedListsOf, listedDates, readFinishedList, type ListedFile } from './finished-list.js'
import { listFolder } from './partition-folders.js'
import { parquetFileAt, parquetFiles, type ParquetFile, type ParquetQuery } from './parquet-tree.js'
import { replacedFiles } from './replaced-files.js'

export interface PlannedFile extends ParquetFile {
  /** What a list says of it. */
  listed?: ListedFile
}

export interface FileQuestion extends Pick<ParquetQuery, 'below'> {
  /** All that recorders wrote, if it does not say. */
  table?: string | undefined
  exchange?: string | undefined
  /** Both included. */
  dates?: { first: string; last: string } | undefined
  /** Rows of these alone are asked for; files of others may be left out. */
  instruments?: readonly string[] | undefined
}

/** Every recorder writes a journal: where its day's folder holds no file but those listed, nobody else recorded, and nothing came late. */
const JOURNAL = 'journal'
const journalFolder = (exchange: string, date: string) =>
  `parquet/exchange=${exchange}/table=${JOURNAL}/kind=none/currency=none/date=${date}`

export interface FilePlan {
  /** Sorted by path; what others replaced is left out where these are there. */
  files: PlannedFile[]
  /** Whether each day that is asked for has its lists: nothing more will come. */
  isFinished: boolean
}

export const plannedFiles = (root: string, question: FileQuestion): PlannedFile[] => planFiles(root, question).files

export function planFiles(root: string, question: FileQuestion): FilePlan {
  const { table, dates } = question
  const replaced = new Set(replacedFiles(root, dates))
  const byList = new Map<string, readonly PlannedFile[]>()
  // Below a folder there is little to list.
  const isListable = question.below === undefined && (table === undefined || !DERIVED_TABLES.has(table))
  const asked = isListable ? datesWithLists(root, dates) : []
  const exchanges = asked.length === 0 ? [] : exchangesOf(root, question)
  for (const date of asked)
    for (const [exchange, files] of listedOf(root, date, exchanges, replaced, question))
      byList.set(`${exchange} ${date}`, files)
  const listed = [...byList.values()].flat()
  const isFinished =
    exchanges.length > 0 && daysIn(dates).every(date => exchanges.every(exchange => byList.has(`${exchange} ${date}`)))
  if (isFinished && table !== undefined) return { files: sorted(listed), isFinished }
  const isDone = ({ exchange, date, table }: { exchange: string; date: string; table: string }) =>
    byList.has(`${exchange} ${date}`) && !DERIVED_TABLES.has(table)
  const walked = [...parquetFiles(root, { ...question, isDone })].filter(({ path }) => !replaced.has(join(root, path)))
  return { files: sorted([...listed, ...walked]), isFinished }
}

const sorted = (files: PlannedFile[]) => files.sort((a, b) => (a.path < b.path ? -1 : 1))

/** Lists of so few dates are looked for one by one: names of years of them would cost more than what they say. */
const FEW_DATES = 12

/** Dates that are asked for and may have lists. */
const datesWithLists = (root: string, dates: FileQuestion['dates']) =>
  (dates && datesBetween(dates.first, dates.last, FEW_DATES)) ??
  listedDates(root).filter(date => !dates || (date >= dates.first && date <= dates.last))

function exchangesOf(root: string, { exchange }: FileQuestion): string[] {
  if (exchange !== undefined) return [exchange]
  return listFolder(root, 'parquet').folders.flatMap(name => /^exchange=(.+)$/.exec(name)?.[1] ?? [])
}

const DAYS_MAX = 10_000

/** Each of them; of a time without end, one that has no list. */
const daysIn = (dates: FileQuestion['dates']) => (dates && datesBetween(dates.first, dates.last, DAYS_MAX)) ?? ['']

/** By exchange, where the lists of a date are all there is of it; the files that may hold rows asked for. */
function listedOf(
  root: string,
  date: string,
  exchanges: readonly string[],
  replaced: ReadonlySet<string>,
  question: FileQuestion,
): Map<string, PlannedFile[]> {
  const found = new Map<string, PlannedFile[]>()
  const isAsked = (path: string) =>
    question.table === undefined || path.includes(`/table=${question.table}/`) || path.includes(`/table=${JOURNAL}/`)
  const lists = finishedListsOf(root, date).map(list => readFinishedList(root, list, isAsked))
  if (lists.length === 0 || lists.includes(undefined)) return found
  const lines = lists.flatMap(list => list ?? [])
  const files = new Map<string, PlannedFile>()
  for (const listed of lines) {
    const file = parquetFileAt(listed.path)
    const other = files.get(listed.path)?.listed
    // Two that contradict each other: one of them is old.
    if (!file || (other && other.sha256 !== listed.sha256)) return found
    files.set(listed.path, { ...file, listed })
  }
  for (const exchange of exchanges) {
    const own = [...files.values()].filter(({ folder }) => folder.exchange === exchange)
    const tables = own.filter(({ folder: { table } }) => question.table === undefined || table === question.table)
    const wanted = tables.filter(({ listed }) => listed && mayHold(listed, question.instruments))
    const isNow = (file: PlannedFile) => isAsListed(root, file) && !replaced.has(join(root, file.path))
    if (wanted.every(isNow) && holdJournal(root, exchange, date, replaced, files)) found.set(exchange, wanted)
  }
  return found
}

/** Whether all that is there of a day's journal is listed. */
function holdJournal(
  root: string,
  exchange: string,
  date: string,
  replaced: ReadonlySet<string>,
  listed: ReadonlyMap<string, PlannedFile>,
): boolean {
  const folder = journalFolder(exchange, date)
  const here = listFolder(root, folder)
    .files.map(file => `${folder}/${file}`)
    .filter(path => parquetFileAt(path) && !replaced.has(join(root, path)))
  return here.length > 0 && here.every(path => listed.has(path))
}

function isAsListed(root: string, { path, listed }: PlannedFile): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false })?.size === listed?.bytes
}

function mayHold({ instruments: all, instruments_between: between }: ListedFile, wanted: FileQuestion['instruments']) {
  if (!wanted) return true
  if (all) return wanted.some(name => all.includes(name))
  const [least, greatest] = between ?? []
  return least === undefined || greatest === undefined || wanted.some(name => name >= least && name <= greatest)
}
