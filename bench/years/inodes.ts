import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Of ext4, as it is made by default: an inode, and a block, of which a folder takes one, and so does a manifest. */
const INODE_BYTES = 256
const BLOCK_BYTES = 4096
const DAYS = 365

/** What of a day lies in a tree, by kind: how many files and folders. */
export function inodesOfDay(root: string, date: string): Map<string, number> {
  const counts = new Map<string, number>()
  const count = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const walk = (path: string, isOfDay: boolean) => {
    for (const name of readdirSync(join(root, path))) {
      const below = `${path}/${name}`
      const isDate = name.startsWith('date=')
      if (isDate && name !== `date=${date}`) continue
      const isFolder = lstatSync(join(root, below)).isDirectory()
      if (isOfDay || isDate) count(kindOf(below, name, isFolder))
      if (isFolder) walk(below, isOfDay || isDate)
    }
  }
  for (const tree of ['raw', 'parquet', 'lists']) walk(tree, false)
  return counts
}

function kindOf(path: string, name: string, isFolder: boolean): string {
  if (isFolder) return `folders of the date in ${path.split('/')[0]}`
  if (!path.startsWith('raw/')) return `files in ${path.split('/')[0]}`
  return name.endsWith('.json') ? 'manifests' : 'segments'
}

/** What such days make in a year. */
export function yearOf(counts: ReadonlyMap<string, number>) {
  const all = [...counts].reduce((sum, [, count]) => sum + count, 0)
  const folders = [...counts].reduce((sum, [kind, count]) => sum + (kind.startsWith('folders') ? count : 0), 0)
  const megabytes = (bytes: number) => (bytes * DAYS) / 1e6
  return {
    inodes: all * DAYS,
    megabytes: megabytes(all * INODE_BYTES + folders * BLOCK_BYTES),
    ofManifests: megabytes((counts.get('manifests') ?? 0) * BLOCK_BYTES),
  }
}
