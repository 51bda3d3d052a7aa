import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseParquetName } from '../../../formats/parquet-path.js'

/** The Parquet files in folders below `root` that are spelled as we spell them, with their sizes, ordered by path. */
export function listParquet(root: string, folders: readonly string[]): { path: string; bytes: number }[] {
  return folders.flatMap(folder =>
    readdirSync(join(root, folder))
      .filter(file => parseParquetName(file))
      .sort()
      .map(file => ({ path: `${folder}/${file}`, bytes: statSync(join(root, folder, file)).size })),
  )
}
