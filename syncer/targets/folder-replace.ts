import { createHash } from 'node:crypto'
import { copyFile, link, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasErrno } from '../../platform/edge-error.js'
import { ASIDE, exchangeNamesFar } from '../../platform/exchange-folders.js'
import { copyDurably } from './durable-copy.js'
import { makeFolders, syncFolder } from './target-folders.js'
import type { Replacement } from './target.js'

/** At the top of a target: folders that wait to take the place of others. */
export const WAITING = '.edgetape-waiting'

/**
 * Puts files in the place of others in one folder below `root`: a new folder is prepared aside, complete and durable, with
 * all that stays of the old one, and the two are exchanged. Readers find the old files or the new ones. Cut off anywhere, it
 * can be done again.
 */
export async function replaceInFolder(
  root: string,
  { folder, files, gone }: Replacement,
  dataDir: string,
  beat: () => void,
): Promise<void> {
  const place = join(root, folder)
  const waiting = join(root, WAITING, createHash('sha256').update(folder).digest('hex').slice(0, 16))
  const parents = await makeFolders(root, dirname(folder))
  await mkdir(dirname(waiting), { recursive: true })
  await recover(waiting, place)
  await mkdir(waiting)
  const incoming = new Set(files.map(({ path }) => basename(path)))
  for (const file of files) await copyDurably(file, dataDir, join(waiting, basename(file.path)), beat)
  const leaving = new Set([...incoming, ...gone])
  for (const name of await finalNames(place)) {
    if (!leaving.has(name)) await keep(join(place, name), join(waiting, name))
    beat()
  }
  await syncFolder(waiting)
  await ((await isThere(place)) ? exchangeNamesFar(waiting, place) : rename(waiting, place))
  // What someone else brought there meanwhile.
  for (const name of await finalNames(waiting)) {
    if (!leaving.has(name)) await keep(join(waiting, name), join(place, name))
  }
  for (const path of new Set([place, dirname(place), dirname(waiting), ...parents])) await syncFolder(path)
  await rm(waiting, { recursive: true, force: true })
}

/** What an attempt that was cut off left: between renames the folder itself, else a copy in the making or what was replaced. */
async function recover(waiting: string, place: string): Promise<void> {
  const aside = `${waiting}${ASIDE}`
  if (await isThere(aside)) {
    if (await isThere(place)) await rm(aside, { recursive: true })
    else await rename(aside, place)
  }
  await rm(waiting, { recursive: true, force: true })
}

/** Files that readers see. */
async function finalNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(unlessMissing)
  return (entries ?? []).filter(entry => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name)
}

async function isThere(path: string): Promise<boolean> {
  return (await readdir(path).catch(unlessMissing)) !== undefined
}

function unlessMissing(error: unknown): undefined {
  if (!hasErrno(error, 'ENOENT')) throw error
}

/** Another name for a file; a copy where the file system has no such thing. */
async function keep(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return
    if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error
    await copyFile(from, to)
    const handle = await open(to, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}
