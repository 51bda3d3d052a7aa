import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EdgeError } from '../../platform/edge-error.js'
import { checksumsOf } from '../checksum.js'
import type { ExpectedFile, FileProblem, Target, Verdict, VerifyResult, Work } from '../targets/target.js'
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
 * Puts an empty file of a new name into each of `folders`. What lies at the target's top does not vouch for folders
 * below that are mounts of our own, or of mounts of the target's among ours. Empty, so that a full disk has room for it.
 */
export function putTokens(dataDir: string, folders: Iterable<string>): Tokens {
  const name = `${TOKEN_PREFIX}${randomBytes(6).toString('hex')}`
  const files: ExpectedFile[] = []
  const problems: FileProblem[] = []
  for (const folder of new Set(folders)) {
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

/** What the target says of files, and of the folders that it was asked for with them. */
interface Answer extends VerifyResult {
  /** Folders with a token that it was asked for. */
  asked: string[]
  /** Those of them that it has, too. */
  same: string[]
  /** Those that it has shown to be others than ours. */
  elsewhere: ReadonlySet<string>
  /** Folders of which that could not be found out, and why. */
  unknown: FileProblem[]
}

/**
 * Has the target compare files and, in the same call, look for tokens in folders here: one of ours that is at the target under
 * the same path, by a mount of one in the other, would have any file of ours, and be its only copy.
 * @throws EdgeError SYNC_TARGET_NOT_ELSEWHERE
 */
export async function verifyElsewhere(
  target: Pick<Target, 'label' | 'verify'>,
  files: readonly ExpectedFile[],
  folders: Iterable<string>,
  work: Work,
): Promise<Answer> {
  const answer = await ask(target, files, folders, work)
  if (answer.same[0] !== undefined) throw sameFolder(target.label, answer.same[0])
  return answer
}

/**
 * Requires that no folder here is at the target under the same path. A folder that lies in such a one is found, too.
 * @returns those that it has shown to be others than ours
 * @throws EdgeError SYNC_TARGET_NOT_ELSEWHERE; and what comes when the target does not answer
 */
export async function requireFoldersElsewhere(
  dataDir: string,
  target: Pick<Target, 'label' | 'verify'>,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { asked, same, elsewhere, error } = await ask(target, [], folders, { dataDir, signal, onFile: () => undefined })
  if (same.length > 1 && same.length === asked.length) throw notElsewhere(target.label, 'is', dataDir)
  if (same[0] !== undefined) throw sameFolder(target.label, same[0])
  if (error) throw error
  return elsewhere
}

async function ask(
  target: Pick<Target, 'verify'>,
  files: readonly ExpectedFile[],
  folders: Iterable<string>,
  work: Work,
): Promise<Answer> {
  const tokens = putTokens(work.dataDir, folders)
  try {
    const all = [...files, ...tokens.files]
    const onFile = withoutEmpty(tokens.files.length, work.onFile)
    const nothing: VerifyResult = { verdicts: new Map(), problems: [] }
    const { problems, ...found } = all.length === 0 ? nothing : await target.verify(all, { ...work, onFile })
    const own = new Set(tokens.files.map(({ path }) => path))
    const having = (verdict: Verdict) => [...own].filter(path => found.verdicts.get(path) === verdict).map(dirname)
    return {
      ...found,
      problems: problems.filter(({ path }) => !own.has(path)),
      asked: [...own].map(dirname),
      same: having('same'),
      elsewhere: new Set(having('missing')),
      unknown: [...tokens.problems, ...problems.filter(({ path }) => own.has(path))],
    }
  } finally {
    tokens.remove()
  }
}

/** Tokens are no work that a progress bar counts. */
function withoutEmpty(count: number, onFile: Work['onFile']): Work['onFile'] {
  let left = count
  return bytes => {
    if (bytes > 0 || left-- <= 0) onFile(bytes)
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
