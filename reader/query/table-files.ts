import { join } from 'node:path'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { supersededFiles } from '../../formats/superseded-files.js'
import { ALL_DAYS, type Days } from './dates-asked.js'

/** The Parquet files of one table, by the folder of their partition below the root. */
export type TableFiles = ReadonlyMap<string, readonly string[]>

/**
 * The files of a table, of one exchange or all, as they are at this moment; what others replaced is left out where these
 * are there. Only the folders of these days are looked into.
 */
export function filesOfTable(root: string, table: string, exchange?: string, dates: Days = ALL_DAYS): TableFiles {
  const superseded = new Set(supersededFiles(root, dates))
  const found = new Map<string, string[]>()
  for (const { path, file, folder } of parquetFiles(root, { table, exchange, dates })) {
    if (superseded.has(join(root, path))) continue
    const names = found.get(folder.path)
    if (names) names.push(file)
    else found.set(folder.path, [file])
  }
  return found
}

/** Full paths, in the order of partitions. */
export const pathsOf = (root: string, files: TableFiles): string[] =>
  [...files].flatMap(([folder, names]) => names.map(name => join(root, folder, name)))
