import { createHash } from 'node:crypto'
import { copyFile, link, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import type { Dirent } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hasErrno } from '../../platform/edge-error.js'
import { ASIDE, exchangeNamesFar } from '../../platform/exchange-folders.js'
import { copyDurably } from './durable-copy.js'
import { sha256OnMedium } from './medium.js'
import { notOurs } from './not-ours.js'
import { makeFolders, requireRealFolders, syncFolder, unless } from './target-folders.js'
import type { Replacement } from './target.js'

/** At the top of a target: folders that wait to take the place of others. */
export const WAITING = '.edgetape-waiting'

/**
 * Puts files in the place of others in one folder below `root`: a new folder is prepared aside, complete and durable, with
 * all that stays of the old one, and the two are exchanged. Readers find the old files or the new ones. Cut off anywhere, it
 * can be done again. What we did not bring stays.
 * @throws EdgeError SYNC_NOT_OURS another file has the name of one of `files`; SYNC_LINK_AT_TARGET
 */
export async function replaceInFolder(
  root: string,
  { folder, files, gone }: Replacement,
  dataDir: string,
  beat: () => void,
): Promise<void> {
  const place = join(root, folder)
  const waiting = join(root, WAITING, createHash('sha256').update(folder).digest('hex').slice(0, 16))
  await requireRealFolders(root, folder)
  await requireRealFolders(root, WAITING)
  const parents = await makeFolders(root, dirname(folder))
  await mkdir(dirname(waiting), { recursive: true })
  // What is exchanged goes through it: a power cut that forgot it would take along what others keep in the old folder.
  await syncFolder(root)
  if (await isThere(`${waiting}${ASIDE}`)) await recoverAside(waiting, place)
  for (const file of files) {
    const isTheirs = !file.replace && !(await holds(join(place, basename(file.path)), [file.sha256], beat))
    if (isTheirs) throw notOurs(root, file.path)
  }
  const leaving = new Set(files.map(({ path }) => basename(path)))
  for (const [name, contents] of gone) if (await holds(join(place, name), [...contents], beat)) leaving.add(name)
  // An attempt that was cut off left a copy in the making, or what was replaced. What readers see of it may be outdated by now.
  await carryOver(waiting, place, entry => !isVisibleFile(entry))
  await rm(waiting, { recursive: true, force: true })
  await mkdir(waiting)
  for (const file of files) await copyDurably(file, dataDir, join(waiting, basename(file.path)), beat)
  for (const { name } of (await entriesOf(place)).filter(isVisibleFile)) {
    if (!leaving.has(name)) await keep(join(place, name), join(waiting, name))
    beat()
  }
  for (const path of [waiting, dirname(waiting)]) await syncFolder(path)
  await ((await isThere(place)) ? exchangeNamesFar(waiting, place) : rename(waiting, place))
  // Before anything goes from the one to the other: a power cut must not leave it in a folder without a name.
  for (const path of new Set([dirname(place), dirname(waiting), ...parents])) await syncFolder(path)
  await carryOver(waiting, place, ({ name }) => !leaving.has(name))
  await rm(waiting, { recursive: true, force: true })
}

/** True where nothing has that name, or a file with one of these contents. */
async function holds(path: string, sha256s: readonly string[], beat: () => void): Promise<boolean> {
  const found = await lstat(path).catch(unless('ENOENT'))
  if (!found) return true
  return found.isFile() && sha256s.includes(await sha256OnMedium(path, found.size, beat))
}

/** Cut off between the renames of an exchange: the new folder goes on to its place, or away. */
async function recoverAside(waiting: string, place: string): Promise<void> {
  const aside = `${waiting}${ASIDE}`
  if (await isThere(place)) await rm(aside, { recursive: true })
  else await rename(aside, place)
}

/** What someone else brought there meanwhile, or keeps there that readers do not see; durably. */
async function carryOver(replaced: string, place: string, isWanted: (entry: Dirent) => boolean): Promise<void> {
  let isCarried = false
  for (const entry of await entriesOf(replaced)) {
    const [from, to] = [join(replaced, entry.name), join(place, entry.name)]
    if (!isWanted(entry) || entry.name.endsWith('.edgetape-tmp')) continue
    if (isVisibleFile(entry)) await keep(from, to)
    else await rename(from, to)
    isCarried = true
  }
  if (isCarried) await syncFolder(place)
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return (await readdir(folder, { withFileTypes: true }).catch(unless('ENOENT'))) ?? []
}

/** A file that readers see. */
function isVisibleFile(entry: Dirent): boolean {
  return entry.isFile() && !entry.name.startsWith('.')
}

async function isThere(path: string): Promise<boolean> {
  return (await readdir(path).catch(unless('ENOENT'))) !== undefined
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
