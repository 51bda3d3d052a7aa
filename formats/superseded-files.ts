import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const noticeSchema = z.object({ path: z.string(), by: z.array(z.string()) })

/**
 * Files below `root` (a dataDir, or a copy of one) that readers leave out, since the rows of each are in others that are
 * there, too. Such are left at targets where nothing is deleted; `superseded/` there lists them.
 * @returns full paths
 */
export function supersededFiles(root: string): string[] {
  const folder = join(root, 'superseded')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /(?:^|\/)superseded-[^/]+\.jsonl$/.test(name))
    .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n'))
    .flatMap(line => (line === '' ? [] : [noticeSchema.parse(JSON.parse(line))]))
    .filter(({ path, by }) => [path, ...by].every(one => existsSync(join(root, one))))
    .map(({ path }) => join(root, path))
}
