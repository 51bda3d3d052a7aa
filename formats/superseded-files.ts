import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { listFolder, partitionFolders } from './partition-folders.js'

const LIST = /^superseded-[A-Za-z0-9][A-Za-z0-9_.-]{0,150}\.jsonl$/
const noticeSchema = z.object({ path: z.string(), by: z.array(z.string()) })

/**
 * Files below `root` (a dataDir, or a copy of one) that readers leave out, since the rows of each are in others that are
 * there, too. Such are left at targets where nothing is deleted; `superseded/` there lists them.
 * @returns full paths
 */
export function supersededFiles(root: string): string[] {
  const top = { path: 'superseded', values: {} }
  const lists = [...partitionFolders(root, top, [{ key: 'date' }], {})].flatMap(({ path }) =>
    listFolder(root, path).files.flatMap(file => (LIST.test(file) ? [join(root, path, file)] : [])),
  )
  return lists
    .flatMap(path => readFileSync(path, 'utf8').split('\n'))
    .flatMap(line => (line === '' ? [] : [noticeSchema.parse(JSON.parse(line))]))
    .filter(({ path, by }) => [path, ...by].every(one => existsSync(join(root, one))))
    .map(({ path }) => join(root, path))
}
