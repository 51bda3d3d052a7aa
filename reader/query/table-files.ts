import { join } from 'node:path'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { supersededFiles } from '../../formats/superseded-files.js'

/** The Parquet files of one table, by the folder of their partition below the root. */
export type TableFiles = ReadonlyMap<string, readonly string[]>

/** The files of a table, of one exchange or all, as they are at this moment; what others replaced is left out where these are there. */
export function filesOfTable(root: string, table: string, exchange?: string): TableFiles {
  const superseded = new Set(supersededFiles(root))
  const found = new Map<string, string[]>()
  for (const { path, file, folder } of parquetFiles(root, { table })) {
    if (superseded.has(join(root, path)) || (exchange !== undefined && folder.exchange !== exchange)) continue
    const names = found.get(folder.path)
    if (names) names.push(file)
    else found.set(folder.path, [file])
  }
  return found
}

/** Full paths, in the order of partitions. */
export const pathsOf = (root: string, files: TableFiles): string[] =>
  [...files].flatMap(([folder, names]) => names.map(name => join(root, folder, name)))
