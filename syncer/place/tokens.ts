import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EdgeError } from '../../platform/edge-error.js'
import { checksumsOf } from '../checksum.js'
import type { ExpectedFile, FileProblem, Target } from '../targets/target.js'
import { notElsewhere } from './own-place.js'

/** Readers and the syncer see no such name. */
const TOKEN_PREFIX = '.edgetape-here-'

/** Empty files that stand here for a moment; a target that has them is the same folder. */
export interface Tokens {
  files: readonly ExpectedFile[]
  /** Folders in which none could be put. */
  problems: FileProblem[]
  remove: () => void
}

/**
 * Puts an empty file of a new name into the folder of each of `paths`. What lies at the target's top does not vouch for folders
 * below that are mounts of our own, or of mounts of the target's among ours. Empty, so that a full disk has room for it.
 */
export function putTokens(dataDir: string, paths: readonly string[]): Tokens {
  const name = `${TOKEN_PREFIX}${randomBytes(6).toString('hex')}`
  const files: ExpectedFile[] = []
  const problems: FileProblem[] = []
  for (const folder of new Set(paths.map(path => dirname(path)))) {
    const path = `${folder}/${name}`
    try {
      removeOld(join(dataDir, folder))
      closeSync(openSync(join(dataDir, path), 'wx'))
      files.push({ path, bytes: 0, ...checksumsOf('') })
    } catch (error) {
      if (!(error instanceof Error)) throw error
      problems.push({ path: folder, reason: `cannot check whether the target is another folder: ${error.message}` })
    }
  }
  const remove = () => {
    for (const { path } of files) rmSync(join(dataDir, path), { force: true })
  }
  return { files, problems, remove }
}

/** Those of a syncer that was killed. */
function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith(TOKEN_PREFIX)) rmSync(join(folder, name), { force: true })
}

/**
 * Requires that no folder here is at the target under the same path, by a mount of one in the other. A folder that lies in
 * such a one is found, too.
 * @throws EdgeError SYNC_TARGET_NOT_ELSEWHERE; and what comes when the target does not answer
 */
export async function requireFoldersElsewhere(
  dataDir: string,
  target: Pick<Target, 'label' | 'verify'>,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const tokens = putTokens(
    dataDir,
    folders.map(folder => `${folder}/${TOKEN_PREFIX}`),
  )
  try {
    if (tokens.files.length === 0) return
    const { verdicts, error } = await target.verify(tokens.files, { dataDir, signal, onFile: () => undefined })
    const same = tokens.files.filter(({ path }) => verdicts.get(path) === 'same')
    if (same.length > 1 && same.length === tokens.files.length) throw notElsewhere(target.label, 'is', dataDir)
    if (same[0]) throw sameFolder(target.label, dirname(same[0].path))
    if (error) throw error
  } finally {
    tokens.remove()
  }
}

/** The error for a folder at the target that is the one here. */
export function sameFolder(label: string, folder: string): EdgeError {
  return new EdgeError('SYNC_TARGET_NOT_ELSEWHERE', `${folder} at ${label} is the folder of that name in dataDir`, {
    path: folder,
    hint:
      'a copy in the same place is no copy: name a folder outside of dataDir, or look for a mount of one in the other; ' +
      'nothing is deleted here',
  })
}
