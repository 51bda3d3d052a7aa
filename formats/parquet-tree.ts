/**
 * The one walk over `parquet/`: partitions with or without the levels of kind and currency, and in them the files whose
 * names are ours, whole.
 */
import {
  foldersWithin,
  listFolder,
  namesOf,
  partitionFolders,
  partitionValues,
  type FolderQuery,
  type Level,
} from './partition-folders.js'
import { parseParquetName, type ParquetName } from './parquet-path.js'
import { isDate } from '../platform/utc-date.js'

/** A day's folder of a table; what its path does not say is undefined. */
export interface ParquetFolder {
  /** Below the root, with forward slashes. */
  path: string
  exchange: string
  table: string
  kind: string | undefined
  currency: string | undefined
  date: string
}

export interface ParquetFile {
  /** Below the root, with forward slashes. */
  path: string
  /** The last part of it. */
  file: string
  name: ParquetName
  folder: ParquetFolder
}

export interface ParquetQuery extends Pick<FolderQuery, 'below' | 'onStranger'> {
  exchange?: string | undefined
  table?: string | undefined
  kind?: string | undefined
  currency?: string | undefined
  date?: string | undefined
  /** Of folders, both included. */
  dates?: { first: string; last: string } | undefined
  /** Says of a folder that it need not be listed. */
  isDone?: ((folder: ParquetFolder) => boolean) | undefined
}

const LEVELS: readonly Level[] = [
  { key: 'exchange' },
  { key: 'table' },
  { key: 'kind', isOptional: true },
  { key: 'currency', isOptional: true },
  { key: 'date' },
]

/** The folders of days that are asked for, sorted by path, none of them listed. */
export function* parquetFolders(root: string, query: ParquetQuery = {}): Generator<ParquetFolder, void> {
  const { dates, below, onStranger } = query
  const wanted: Readonly<Record<string, string | undefined>> = {
    exchange: query.exchange,
    table: query.table,
    kind: query.kind,
    currency: query.currency,
    date: query.date,
  }
  const accept = (key: string, value: string) =>
    (wanted[key] === undefined || wanted[key] === value) &&
    (key !== 'date' || !dates || (value >= dates.first && value <= dates.last))
  const top = { path: 'parquet', values: {} }
  for (const { parent, values } of foldersWithin(root, top, LEVELS, {
    accept,
    below,
    onStranger,
    dates: bounded(query),
  })) {
    const { exchange = '', table = '', kind, currency } = parent.values
    for (const date of values) yield { path: `${parent.path}/date=${date}`, exchange, table, kind, currency, date }
  }
}

/** The dates that are asked for, where they are bounded on both sides. */
function bounded({ date, dates }: ParquetQuery) {
  return date === undefined ? dates : { first: date, last: date }
}

/**
 * Folders in which the days of tables lie, sorted. Whoever asks for single dates looks there for each: listing the dates
 * of years would cost more than all that is asked.
 */
export function parentsOfDays(root: string, isWanted: (table: string) => boolean): string[] {
  const above = LEVELS.slice(0, -1)
  const atDepth = (depth: number) =>
    [...partitionFolders(root, { path: 'parquet', values: {} }, above.slice(0, depth), {})]
      .filter(({ values }) => isWanted(values['table'] ?? ''))
      .map(({ path }) => path)
  const early = [2, 3].flatMap(atDepth).filter(path => datesIn(root, [path]).length > 0)
  return [...early, ...atDepth(above.length)].sort()
}

/** Dates that have a folder in any of these, by names alone, as they are spelled; sorted. */
export function datesIn(root: string, parents: readonly string[]): string[] {
  // Each table has most of them: a name is looked at once.
  const names = new Set(parents.flatMap(parent => namesOf(root, parent)))
  return [...names]
    .flatMap(name => {
      const date = name.startsWith('date=') ? name.slice(5) : ''
      return isDate(date) ? [date] : []
    })
    .sort()
}

/** The files of one folder, sorted by name. */
export function parquetFilesIn(
  root: string,
  folder: ParquetFolder,
  onStranger?: (path: string) => void,
): ParquetFile[] {
  const { folders, files } = listFolder(root, folder.path)
  for (const name of folders) onStranger?.(`${folder.path}/${name}/`)
  return files.flatMap(file => {
    const path = `${folder.path}/${file}`
    const name = parseParquetName(file)
    if (!name) onStranger?.(path)
    return name ? [{ path, file, name, folder }] : []
  })
}

/** All files that are asked for, sorted by path, folder by folder. */
export function* parquetFiles(root: string, query: ParquetQuery = {}): Generator<ParquetFile, void> {
  for (const folder of parquetFolders(root, query))
    if (query.isDone?.(folder) !== true) yield* parquetFilesIn(root, folder, query.onStranger)
}

/** What a path below the root says; undefined where it is not spelled as we spell it. */
export function parquetFileAt(path: string): ParquetFile | undefined {
  const [top, ...parts] = path.split('/')
  const file = parts.pop() ?? ''
  const name = parseParquetName(file)
  const values = partitionValues(parts, LEVELS)
  if (top !== 'parquet' || !name || !values) return undefined
  const { exchange = '', table = '', kind, currency, date = '' } = values
  return { path, file, name, folder: { path: path.slice(0, -file.length - 1), exchange, table, kind, currency, date } }
}

/** Names of all tables that have a folder below a root, with the exchanges that have them. */
export function parquetTables(root: string): Map<string, string[]> {
  const tables = new Map<string, string[]>()
  const top = { path: 'parquet', values: {} }
  for (const { values } of partitionFolders(root, top, LEVELS.slice(0, 2), {})) {
    const { exchange = '', table = '' } = values
    tables.set(table, [...(tables.get(table) ?? []), exchange])
  }
  return new Map([...tables].sort(([a], [b]) => (a < b ? -1 : 1)))
}
