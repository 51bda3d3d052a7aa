import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EdgeError } from '../../platform/edge-error.js'
import type { Mark } from '../place/mark.js'
import { notOursReason } from './not-ours.js'
import { runCopier } from './copier-run.js'
import type { ExpectedFile, OutgoingFile, ShipResult, Target, Verdict, VerifyResult, Work } from './target.js'

export interface RcloneSettings {
  /** `remote:path`, as rclone is given it. */
  destination: string
  bandwidthKiBps: number
  /** Silence after which an rclone is given up. */
  idleMs: number
}

/** Nothing is at the place asked for. */
const NO_FOLDER = 3
const NO_FILE = 4
/** So many copies in a row that cannot be read are a store that cannot be reached. */
const FAILURES_MAX = 3
const NO_SUMS = 'SYNC_TARGET_WITHOUT_SUMS'
/** It says every ten seconds how far it is: silence is a hang. */
const SIGNS_OF_LIFE = ['--stats=10s', '--stats-log-level=NOTICE', '--stats-one-line']
/** A larger object would be made of parts, whose checksum a store does not compute over the whole. */
const ONE_PART = '--s3-upload-cutoff=4999Mi'

/**
 * Any store that rclone reaches. A copy is proven by the checksum that the store computed of it, where it has MD5 of whole
 * files; else the copy is read back.
 */
export class RcloneTarget implements Target {
  readonly label: string
  /** A store may take a file before it lies on a disk. */
  readonly syncsToDisk = false
  readonly #settings: RcloneSettings
  /** There is an rclone here. */
  #hasStarted = false

  constructor(settings: RcloneSettings) {
    this.label = `rclone:${settings.destination.replace(/\/$/, '')}`
    this.#settings = settings
  }

  /** Its mark shows what is there; a store has no folders to make. */
  reach(): Promise<void> {
    return Promise.resolve()
  }

  async compareMarks(marks: readonly Mark[], signal: AbortSignal): Promise<ReadonlyMap<string, Verdict>> {
    const verdicts = new Map<string, Verdict>()
    for (const { name, content } of marks) {
      const found = await this.#read(name, signal)
      verdicts.set(name, found === undefined ? 'missing' : found === content ? 'same' : 'wrong')
    }
    return verdicts
  }

  async writeMark(mark: Mark, how: 'new' | 'over', signal: AbortSignal): Promise<void> {
    const isThere = (await this.#read(mark.name, signal)) !== undefined
    // As with rsync: what has the name stays, or nothing gets it.
    if (isThere === (how === 'new')) return
    const args = ['rcat', `${this.#settings.destination}${mark.name}`]
    const { code, stderr } = await this.#run(args, mark.content, signal)
    if (code !== 0) throw this.#failure(stderr)
  }

  /** Should it go later, the next command says so. */
  async prepare(): Promise<void> {
    if (this.#hasStarted) return
    await this.#run(['version'], '', new AbortController().signal)
    this.#hasStarted = true
  }

  async ship(files: readonly OutgoingFile[], work: Work): Promise<ShipResult> {
    const result: ShipResult = { done: [], problems: [] }
    for (const again of [false, true]) {
      const batch = files.filter(({ replace }) => replace === again)
      try {
        if (batch.length > 0 && !result.error) await this.#shipBatch(batch, again, work, result)
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error
        result.error = error
      }
    }
    return result
  }

  async #shipBatch(files: readonly OutgoingFile[], again: boolean, work: Work, result: ShipResult): Promise<void> {
    if (again) for (const { path } of files) await this.#putAside(path, work.signal)
    const { bandwidthKiBps, destination } = this.#settings
    const failed = await this.#withList(
      files,
      list => [
        ...['copy', '--files-from-raw', list, '--checksum', '--immutable', '--no-traverse', ONE_PART, ...SIGNS_OF_LIFE],
        ...(bandwidthKiBps > 0 ? [`--bwlimit=${bandwidthKiBps}K`] : []),
        ...[work.dataDir, destination],
      ],
      work.signal,
    )
    if (failed && work.signal.aborted) throw failed
    for (const { bytes } of files) work.onFile(bytes)
    if (failed === undefined) {
      result.done.push(...files.map(({ path }) => path))
      return
    }
    // Which of them arrived is asked, not concluded from what was said.
    const { verdicts, error } = await this.verify(files, { ...work, onFile: () => undefined })
    for (const { path } of files) {
      const verdict = verdicts.get(path)
      if (verdict === 'same') result.done.push(path)
      else if (verdict === 'wrong') result.problems.push({ path, reason: notOursReason(this.label) })
    }
    if (error ?? files.some(({ path }) => verdicts.get(path) === 'missing' || !verdicts.has(path)))
      result.error = error ?? failed
  }

  /** A copy that is known to be bad is kept under a name that readers do not see. */
  async #putAside(path: string, signal: AbortSignal): Promise<void> {
    const { destination } = this.#settings
    if (!(await this.#isThere(path, signal))) return
    const aside = `${destination}.edgetape-replaced/${path}`
    const { code, stderr } = await this.#run(['moveto', `${destination}${path}`, aside], '', signal)
    if (code !== 0) throw this.#failure(stderr)
  }

  async verify(files: readonly ExpectedFile[], work: Work): Promise<VerifyResult> {
    const result: VerifyResult = { verdicts: new Map(), problems: [] }
    try {
      const listed = await this.#sumsThere(files, work.signal)
      const unknown = files.filter(({ path }) => listed.get(path) === '')
      const read = await this.#readBack(unknown, work.signal, result)
      const unreadable = new Set(result.problems.map(({ path }) => path))
      for (const { path, md5, bytes } of files) {
        if (unreadable.has(path)) continue
        const sum = listed.get(path) === '' ? read.get(path) : listed.get(path)
        result.verdicts.set(path, sum === undefined ? 'missing' : sum === md5 ? 'same' : 'wrong')
        work.onFile(bytes)
      }
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error
      result.error = error
    }
    return result
  }

  async fetch(paths: readonly string[], { dataDir, signal }: Work): Promise<void> {
    const files = paths.map(path => ({ path }))
    const failed = await this.#withList(
      files,
      list => [
        ...['copy', '--files-from-raw', list, '--no-traverse', ...SIGNS_OF_LIFE],
        ...[this.#settings.destination, dataDir],
      ],
      signal,
    )
    if (failed) throw failed
  }

  /** What the store computed; blank where it has none of a file, as of one that was brought in parts, or of no file at all. */
  async #sumsThere(files: readonly ExpectedFile[], signal: AbortSignal): Promise<Map<string, string>> {
    try {
      return await this.#sums(files, false, signal)
    } catch (error) {
      if (!(error instanceof EdgeError) || error.code !== NO_SUMS) throw error
      return new Map(files.map(({ path }) => [path, '']))
    }
  }

  /** MD5 of copies that are read whole; those that cannot be read are problems, not the end of all others. */
  async #readBack(
    files: readonly ExpectedFile[],
    signal: AbortSignal,
    { problems }: Pick<VerifyResult, 'problems'>,
  ): Promise<ReadonlyMap<string, string>> {
    if (files.length === 0) return new Map()
    try {
      return await this.#sums(files, true, signal)
    } catch (error) {
      if (!(error instanceof EdgeError) || signal.aborted) throw error
    }
    const sums = new Map<string, string>()
    let failuresInARow = 0
    for (const file of files) {
      try {
        for (const [path, sum] of await this.#sums([file], true, signal)) sums.set(path, sum)
        failuresInARow = 0
      } catch (error) {
        // Then it is not the files.
        if (!(error instanceof EdgeError) || ++failuresInARow === FAILURES_MAX) throw error
        problems.push({ path: file.path, reason: `the copy there cannot be read: ${error.message}` })
      }
    }
    return sums
  }

  /** MD5 by path, of those that are there. @param download by reading each copy whole */
  async #sums(files: readonly ExpectedFile[], download: boolean, signal: AbortSignal): Promise<Map<string, string>> {
    const sums = new Map<string, string>()
    const failed = await this.#withList(
      files,
      list => [
        ...['hashsum', 'md5', '--files-from-raw', list, '--no-traverse', ...SIGNS_OF_LIFE],
        ...(download ? ['--download'] : []),
        this.#settings.destination,
      ],
      signal,
      line => {
        const [, sum = '', path = ''] = /^(.{32})  (.+)$/.exec(line) ?? []
        if (path !== '') sums.set(path, sum.trim())
      },
    )
    if (failed) throw failed
    return sums
  }

  /** What went wrong; undefined: nothing. */
  async #withList(
    files: readonly { path: string }[],
    argsFor: (list: string) => string[],
    signal: AbortSignal,
    onLine: (line: string) => void = () => undefined,
  ): Promise<EdgeError | undefined> {
    const folder = mkdtempSync(join(tmpdir(), 'edgetape-list-'))
    try {
      const list = join(folder, 'paths')
      writeFileSync(list, files.map(({ path }) => `${path}\n`).join(''))
      const { code, stderr } = await this.#run(argsFor(list), '', signal, onLine)
      return code === 0 || code === NO_FOLDER ? undefined : this.#failure(stderr)
    } catch (error) {
      if (error instanceof EdgeError) return error
      throw error
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** A bucket has no folders: of a name that is not there it says that nothing is in it, not that it is missing. */
  async #isThere(path: string, signal: AbortSignal): Promise<boolean> {
    const found: string[] = []
    const args = ['lsf', `${this.#settings.destination}${path}`]
    const { code, stderr } = await this.#run(args, '', signal, line => found.push(line))
    if (code !== 0 && code !== NO_FOLDER && code !== NO_FILE) throw this.#failure(stderr)
    return found.length > 0
  }

  /** What a small file says; undefined where it is not there. @throws EdgeError SYNC_TARGET_UNREACHABLE */
  async #read(name: string, signal: AbortSignal): Promise<string | undefined> {
    if (!(await this.#isThere(name, signal))) return undefined
    const lines: string[] = []
    const args = ['cat', `${this.#settings.destination}${name}`]
    const { code, stderr } = await this.#run(args, '', signal, line => lines.push(line))
    if (code !== 0) throw this.#failure(stderr)
    return lines.map(line => `${line}\n`).join('')
  }

  async #run(
    args: readonly string[],
    input: string,
    signal: AbortSignal,
    onLine: (line: string) => void = () => undefined,
  ): Promise<{ code: number | undefined; stderr: string }> {
    const { idleMs } = this.#settings
    // Tries are the syncer's own, a minute and more apart; rclone's are for one that a moment mends.
    const all = [...args, '--retries=1', '--low-level-retries=3', '--contimeout=20s', '--ask-password=false']
    try {
      return await runCopier({
        ...{ program: 'rclone', args: all, input, env: process.env, signal, idleMs, onLine },
        missing: cause =>
          new EdgeError('SYNC_RCLONE_MISSING', 'there is no rclone here', {
            cause,
            retry: true,
            hint: 'apt-get install rclone, or see rclone.org/install',
          }),
      })
    } catch (error) {
      if (!signal.aborted) throw error
      throw new EdgeError('SYNC_STOPPED', 'stopped while rclone was running', { retry: true })
    }
  }

  #failure(stderr: string): EdgeError {
    const lines = stderr.split('\n').filter(line => /ERROR|CRITICAL|Failed/.test(line))
    const said = (lines.at(-1) ?? stderr).replace(/^\S+ \S+ (ERROR|CRITICAL|NOTICE) *: */, '').slice(0, 300)
    if (/hash type not supported|hash unsupported/.test(stderr))
      return new EdgeError(NO_SUMS, `${this.label}: it computes no MD5`)
    if (/didn't find section in config/.test(stderr))
      return new EdgeError('SYNC_TARGET_REFUSED', `${this.label}: rclone knows no such remote`, {
        retry: true,
        hint: 'rclone config makes it; as the user that runs edgetape, or with RCLONE_CONFIG naming the file',
      })
    if (/no space|QuotaExceeded|storageQuotaExceeded|insufficient_space|XMinioStorageFull/i.test(stderr))
      return new EdgeError('SYNC_TARGET_FULL', `${this.label}: ${said}`, { retry: true, hint: 'make room there' })
    if (/AccessDenied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|permission denied/i.test(stderr))
      return new EdgeError('SYNC_TARGET_REFUSED', `${this.label}: ${said}`, {
        retry: true,
        hint: 'look at the keys and the rights of this remote: rclone lsf says whether it lets you in',
      })
    return new EdgeError('SYNC_TARGET_UNREACHABLE', `${this.label}: ${said}`, { retry: true })
  }
}
