import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseParquetName } from '../../formats/parquet-path.js'
import { hasErrno } from '../../platform/edge-error.js'
import { supersededFiles } from '../../formats/superseded-files.js'

/** The Parquet files of one table, by the folder of their partition below the root. */
export type TableFiles = ReadonlyMap<string, readonly string[]>

const KEYS = ['kind', 'currency', 'date']

/** Names of all tables that have a folder below a root. */
export function tablesBelow(root: string): string[] {
  const folders = childrenOf(join(root, 'parquet')).flatMap(exchange => childrenOf(join(root, 'parquet', exchange)))
  return [...new Set(folders.filter(name => name.startsWith('table=')).map(name => name.slice('table='.length)))].sort()
}

/** The files of a table as they are at this moment; what others replaced is left out where these are there. */
export function filesOfTable(root: string, table: string): TableFiles {
  const superseded = new Set(supersededFiles(root))
  const found = new Map<string, string[]>()
  const walk = (folder: string, depth: number) => {
    const key = KEYS[depth]
    if (key === undefined) {
      const names = childrenOf(join(root, folder)).filter(name => name.endsWith('.parquet'))
      const current = names.filter(name => !superseded.has(join(root, folder, name)))
      if (current.length > 0) found.set(folder, current.sort())
      return
    }
    for (const name of childrenOf(join(root, folder)).sort())
      if (name.startsWith(`${key}=`)) walk(`${folder}/${name}`, depth + 1)
  }
  for (const exchange of childrenOf(join(root, 'parquet')).sort()) walk(`parquet/${exchange}/table=${table}`, 0)
  return found
}

/** Full paths, in the order of partitions. */
export const pathsOf = (root: string, files: TableFiles): string[] =>
  [...files].flatMap(([folder, names]) => names.map(name => join(root, folder, name)))

/** Names of the files that hold whole days; what they replaced is in their metadata. */
export const isDay = (name: string) => name.startsWith('day-') && parseParquetName(name) !== undefined

/** Names in a folder; none for one that is not there, or was exchanged in the meantime. */
function childrenOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}
