import { copyFile, lstat, mkdir, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EdgeError, hasErrno, messageOf } from '../../platform/edge-error.js'
import type { Mark } from '../place/mark.js'
import { copyDurably } from './durable-copy.js'
import { sha256OnMedium } from './medium.js'
import { compareMark, orMissing, requireFolder, writeMark } from './folder-mark.js'
import { replaceInFolder } from './folder-replace.js'
import { makeFolders, markFile, requireRealFolders, syncFolder, unmarked } from './target-folders.js'
import { notOurs } from './not-ours.js'
import type {
  ExpectedFile,
  OutgoingFile,
  Replacement,
  ShipResult,
  Target,
  Verdict,
  VerifyResult,
  Work,
} from './target.js'
import { Watchdog } from './watchdog.js'

/** Copies at work at once: enough to overlap their fsyncs, few enough for libuv's four threads. */
const LANES = 4

/** Folders of one batch: those known to be there, relative, and those with new names to be synced, full paths. */
interface TouchedFolders {
  made: Set<string>
  changed: Set<string>
}

/** A folder of this machine, most often a mounted one. Needs nothing installed. */
export class FolderTarget implements Target {
  readonly label: string
  readonly syncsToDisk = true
  readonly #root: string
  readonly #watchdog: Watchdog
  readonly #sha256Of: typeof sha256OnMedium

  constructor(root: string, idleMs: number, sha256Of = sha256OnMedium) {
    this.label = root
    this.#root = root
    this.#watchdog = new Watchdog(idleMs)
    this.#sha256Of = sha256Of
  }

  get folder(): string {
    return this.#root
  }

  reach(mayMake: boolean): Promise<void> {
    return this.#guarded('opening it', () => requireFolder(this.#root, mayMake))
  }

  async compareMarks(marks: readonly Mark[]): Promise<ReadonlyMap<string, Verdict>> {
    const verdicts = new Map<string, Verdict>()
    for (const mark of marks) {
      verdicts.set(mark.name, await this.#guarded(mark.name, () => compareMark(this.#root, mark)))
    }
    return verdicts
  }

  async writeMark(mark: Mark, how: 'new' | 'over'): Promise<void> {
    try {
      await this.#guarded(mark.name, () => writeMark(this.#root, mark, how))
    } catch (error) {
      throw hasErrno(error, 'ENOENT') ? unmarked(this.#root) : error
    }
  }

  async #guarded<T>(what: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await this.#watchdog.guard(what, operation)
    } catch (error) {
      throw this.#wholeTarget(error) ?? error
    }
  }

  prepare(): Promise<void> {
    return Promise.resolve()
  }

  async ship(files: readonly OutgoingFile[], work: Work): Promise<ShipResult> {
    const result: ShipResult = { done: [], problems: [] }
    const brought: string[] = []
    const folders: TouchedFolders = { made: new Set(), changed: new Set() }
    await this.#each(files, result, work, async (file, beat) => {
      await this.#bring(file, work.dataDir, folders, beat)
      brought.push(file.path)
    })
    // Without its folder on disk a name may vanish again: then nothing of the batch counts.
    const notDurable = await this.#syncAll([...folders.changed])
    if (notDurable) result.error = notDurable
    else result.done = brought
    return result
  }

  /** Makes all names of a batch durable: once per folder, however many files went there. */
  async #syncAll(folders: readonly string[]): Promise<EdgeError | undefined> {
    let next = 0
    const lane = async () => {
      for (let folder = folders[next++]; folder !== undefined; folder = folders[next++]) {
        const path = folder
        await this.#watchdog.guard(path, () => syncFolder(path))
      }
    }
    try {
      await Promise.all(Array.from({ length: LANES }, lane))
      return undefined
    } catch (error) {
      return new EdgeError(
        'SYNC_TARGET_NOT_DURABLE',
        `cannot make names durable on ${this.label}: ${messageOf(error)}`,
        {
          path: this.#root,
          cause: error,
          retry: true,
        },
      )
    }
  }

  async replace(replacement: Replacement, work: Work): Promise<ShipResult> {
    const result: ShipResult = { done: [], problems: [] }
    const { folder, files } = replacement
    await this.#each([{ path: folder, bytes: 0 }], result, work, (_, beat) =>
      replaceInFolder(this.#root, replacement, work.dataDir, beat),
    )
    if (work.signal.aborted || result.error || result.problems.length > 0) return result
    for (const { path, bytes } of files) {
      result.done.push(path)
      work.onFile(bytes)
    }
    return result
  }

  async verify(files: readonly ExpectedFile[], work: Work): Promise<VerifyResult> {
    const result: VerifyResult = { verdicts: new Map(), problems: [] }
    await this.#each(files, result, work, async (file, beat) => {
      const verdict = await this.#compare(file, work.dataDir, beat)
      if (verdict === 'wrong') await this.#setAside(file.path)
      result.verdicts.set(file.path, verdict)
    })
    return result
  }

  async fetch(paths: readonly string[], work: Work): Promise<void> {
    const result: Pick<ShipResult, 'problems' | 'error'> = { problems: [] }
    const files = paths.map(path => ({ path, bytes: 0 }))
    await this.#each(files, result, work, async ({ path }) => {
      const destination = join(work.dataDir, path)
      await mkdir(dirname(destination), { recursive: true })
      await orMissing(copyFile(join(this.#root, path), destination))
    })
    if (result.error) throw result.error
  }

  /** A copy that is there already and right is left alone; one that is there and was not brought by us, too. */
  async #bring(file: OutgoingFile, dataDir: string, folders: TouchedFolders, beat: () => void): Promise<void> {
    const found = await this.#compare(file, dataDir, beat)
    if (found === 'same') return
    if (found === 'wrong' && !file.replace) throw notOurs(this.label, file.path)
    if (found === 'wrong') await this.#setAside(file.path)
    const folder = dirname(file.path)
    if (!folders.made.has(folder)) {
      for (const parent of await makeFolders(this.#root, folder)) folders.changed.add(parent)
      folders.made.add(folder)
    }
    folders.changed.add(join(this.#root, folder))
    await copyDurably(file, dataDir, join(this.#root, file.path), beat)
  }

  async #compare(file: ExpectedFile, dataDir: string, beat: () => void): Promise<Verdict> {
    const path = join(this.#root, file.path)
    await requireRealFolders(this.#root, dirname(file.path))
    try {
      const found = await lstat(path, { bigint: true })
      if (!found.isFile() || found.size !== BigInt(file.bytes)) return 'wrong'
      await requireAnotherFile(found, join(dataDir, file.path))
      return (await this.#sha256Of(path, file.bytes, beat)) === file.sha256 ? 'same' : 'wrong'
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return 'missing'
      if (hasErrno(error, 'EIO') && (await this.#readsMark(beat))) return 'wrong'
      throw error
    }
  }

  /** Whether the disk gives what was written: then one file that it does not give lies on a bad sector. */
  async #readsMark(beat: () => void): Promise<boolean> {
    try {
      const path = await markFile(this.#root)
      if (path === undefined) return false
      await this.#sha256Of(path, (await lstat(path)).size, beat)
      return true
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return false
    }
  }

  async #setAside(path: string): Promise<void> {
    const full = join(this.#root, path)
    const time = new Date().toISOString().replace(/[-:]/g, '')
    await requireRealFolders(this.#root, dirname(path))
    await rename(full, join(dirname(full), `.${basename(full)}.bad-${time}`))
    await syncFolder(dirname(full))
  }

  /** Runs `one` over all files, a few at a time; stops at the first error that concerns the target as a whole. */
  async #each<F extends { path: string; bytes: number }>(
    files: readonly F[],
    result: Pick<ShipResult, 'problems' | 'error'>,
    work: Work,
    one: (file: F, beat: () => void) => Promise<void>,
  ): Promise<void> {
    let next = 0
    const stopped = () => work.signal.aborted
    const lane = async () => {
      while (result.error === undefined && !stopped()) {
        const file = files[next++]
        if (!file) return
        try {
          await this.#watchdog.guard(file.path, beat =>
            one(file, () => {
              work.signal.throwIfAborted()
              beat()
            }),
          )
          work.onFile(file.bytes)
        } catch (error) {
          if (stopped()) return
          const whole = this.#wholeTarget(error)
          if (whole) result.error = whole
          else result.problems.push({ path: file.path, reason: messageOf(error) })
        }
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  /** What an error says about the target as a whole; undefined where it is about one file. */
  #wholeTarget(error: unknown): EdgeError | undefined {
    if (error instanceof EdgeError) return error.code.startsWith('SYNC_TARGET_') ? error : undefined
    const facts = { path: this.#root, cause: error, retry: true }
    if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
      return new EdgeError('SYNC_TARGET_FULL', `no space left on ${this.label}`, {
        ...facts,
        hint: 'free some space there; nothing is deleted here meanwhile',
      })
    }
    if (hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) {
      return new EdgeError('SYNC_TARGET_REFUSED', `may not write to ${this.label}: ${messageOf(error)}`, {
        ...facts,
        hint: 'check owner, permissions and mount options of the target folder',
      })
    }
    if (hasErrno(error, 'ESTALE', 'EIO', 'ENOTCONN', 'ENODEV', 'ENXIO', 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT')) {
      return new EdgeError('SYNC_TARGET_UNREACHABLE', `${this.label} does not answer: ${messageOf(error)}`, facts)
    }
    return undefined
  }
}

/** A file that is its own copy proves nothing. */
async function requireAnotherFile(found: { dev: bigint; ino: bigint }, here: string): Promise<void> {
  const ours = await orMissing(lstat(here, { bigint: true }))
  if (ours?.dev !== found.dev || ours.ino !== found.ino) return
  throw new EdgeError('SYNC_SAME_FILE', 'the copy at the target is the file here under another name', { path: here })
}
