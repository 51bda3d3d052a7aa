import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgeError } from '../../platform/edge-error.js'
import { checksumsOf } from '../checksum.js'
import type { Mark } from '../place/mark.js'
import { notOursReason } from './not-ours.js'
import { classifyExit, exitError, mayNotWrite, refusedToWrite, type ExitFacts, type ExitMeaning } from './rsync-exit.js'
import { isSent, parseItem, verdictOf, type RsyncItem } from './rsync-lines.js'
import {
  fetchArguments,
  markArguments,
  shipArguments,
  verifyArguments,
  type RsyncAbilities,
  type RsyncSettings,
} from './rsync-options.js'
import { runRsync } from './rsync-run.js'
import type { ExpectedFile, OutgoingFile, ShipResult, Target, Verdict, VerifyResult, Work } from './target.js'

export interface RsyncTargetSettings extends RsyncSettings {
  program: string
  /** Silence after which an rsync is given up. */
  idleMs: number
}

/** A daemon counts a connection a little longer than we hold it: where it allows few, we meet our own last one. */
const BUSY_PAUSES_MS = [500, 1000, 2000]

/** rsync over ssh or to a daemon: one process per batch, and another, later one to verify. */
export class RsyncTarget implements Target {
  readonly label: string
  readonly #settings: RsyncTargetSettings
  #abilities: RsyncAbilities | undefined

  constructor(settings: RsyncTargetSettings) {
    this.label = settings.destination.replace(/\/$/, '')
    this.#settings = settings
  }

  get syncsToDisk(): boolean {
    return this.#abilities?.fsync ?? true
  }

  /** Its mark shows what is there. */
  reach(): Promise<void> {
    return Promise.resolve()
  }

  async compareMarks(marks: readonly Mark[], signal: AbortSignal): Promise<ReadonlyMap<string, Verdict>> {
    return withFiles(marks, async dataDir => {
      const { verdicts, problems, error } = await this.verify(marks.map(expectedOf), {
        dataDir,
        signal,
        onFile: ignore,
      })
      if (error) throw error
      const [problem] = problems
      if (problem) throw new EdgeError('SYNC_TARGET_UNREACHABLE', `${this.label}: ${problem.reason}`, { retry: true })
      return verdicts
    })
  }

  async writeMark(mark: Mark, how: 'new' | 'over', signal: AbortSignal): Promise<void> {
    await withFiles([mark], async dataDir => {
      const work = { dataDir, signal, onFile: ignore }
      const meaning = await this.#run(
        able => markArguments(this.#settings, able, how),
        [expectedOf(mark)],
        work,
        ignore,
      )
      if (meaning instanceof EdgeError) throw meaning
      if (meaning.kind === 'partial' && mayNotWrite(meaning.message)) throw refusedToWrite(this.label, meaning.message)
      if (meaning.kind !== 'ok') throw exitError(this.label, meaning)
    })
  }

  /** Looks at the rsync here; the other side is met when the first file goes. */
  async prepare(): Promise<void> {
    this.#abilities ??= await probeRsync(this.#settings.program)
  }

  async ship(files: readonly OutgoingFile[], work: Work): Promise<ShipResult> {
    const result: ShipResult = { done: [], problems: [] }
    for (const again of [false, true]) {
      const batch = files.filter(file => file.replace === again)
      if (batch.length > 0 && !result.error) await this.#shipBatch(batch, again, work, result)
    }
    return result
  }

  async #shipBatch(files: readonly OutgoingFile[], again: boolean, work: Work, result: ShipResult): Promise<void> {
    const sent = new Set<string>()
    const meaning = await this.#run(
      able => shipArguments(this.#settings, able, again),
      files,
      work,
      item => {
        if (isSent(item)) sent.add(item.path)
        work.onFile(item.bytes)
      },
    )
    if (meaning instanceof EdgeError) result.error = meaning
    else if (meaning.kind === 'ok') {
      result.done.push(...files.filter(({ path }) => sent.has(path)).map(({ path }) => path))
      const stayed = files.filter(({ path }) => !sent.has(path))
      await this.#sortOut(stayed, sent, 'it did not arrive: does a link or a folder have its name there?', work, result)
    } else if (meaning.kind === 'partial') await this.#sortOut(files, sent, meaning.message, work, result)
    else result.error = exitError(this.label, meaning)
  }

  /** Of files that were not brought, or of which that is not certain: asks what is there now. */
  async #sortOut(
    files: readonly OutgoingFile[],
    sent: ReadonlySet<string>,
    why: string,
    work: Work,
    result: ShipResult,
  ): Promise<void> {
    if (files.length === 0) return
    const { verdicts, problems, error } = await this.verify(files, { ...work, onFile: ignore })
    if (error) {
      result.error = error
      return
    }
    if ([...verdicts.values()].every(verdict => verdict === 'missing') && mayNotWrite(why)) {
      result.error = refusedToWrite(this.label, why)
      return
    }
    const reasons = new Map(problems.map(({ path, reason }) => [path, reason]))
    for (const { path, replace } of files) {
      const verdict = verdicts.get(path)
      // Nothing was there when it was sent: what is there now is ours, and is proven later like any other.
      if (verdict === 'same' || (verdict === 'wrong' && sent.has(path) && !replace)) result.done.push(path)
      else if (verdict === 'wrong' && !replace) result.problems.push({ path, reason: notOursReason(this.label) })
      else result.problems.push({ path, reason: reasons.get(path) ?? why })
    }
  }

  async verify(files: readonly ExpectedFile[], work: Work): Promise<VerifyResult> {
    const result: VerifyResult = { verdicts: new Map(), problems: [] }
    const expected = new Map(files.map(file => [file.path, file]))
    const meaning = await this.#run(
      able => verifyArguments(this.#settings, able),
      files,
      work,
      item => {
        const file = expected.get(item.path)
        if (!file) return
        const verdict = verdictOf(item, file)
        if (verdict) result.verdicts.set(file.path, verdict)
        else result.problems.push({ path: file.path, reason: 'the file here is no longer the one that was shipped' })
        work.onFile(item.bytes)
      },
    )
    if (meaning instanceof EdgeError) result.error = meaning
    else if (meaning.kind !== 'ok' && meaning.kind !== 'partial') result.error = exitError(this.label, meaning)
    else {
      const answered = new Set([...result.verdicts.keys(), ...result.problems.map(({ path }) => path)])
      const reason = meaning.kind === 'ok' ? 'rsync said nothing about it' : meaning.message
      for (const { path } of files) if (!answered.has(path)) result.problems.push({ path, reason })
    }
    return result
  }

  async fetch(paths: readonly string[], work: Work): Promise<void> {
    const files = paths.map(path => ({ path }))
    const meaning = await this.#run(() => fetchArguments(this.#settings), files, work, ignore, true)
    if (meaning instanceof EdgeError) throw meaning
    // What is not there did not come.
    if (meaning.kind !== 'ok' && meaning.kind !== 'partial') throw exitError(this.label, meaning)
  }

  /**
   * Runs rsync, again after a moment where the daemon had no connection left; when the other side does not know an option,
   * remembers that and runs it again without.
   */
  async #run(
    argsFor: (abilities: RsyncAbilities) => string[],
    files: readonly { path: string }[],
    work: Work,
    onItem: (item: RsyncItem) => void,
    isBack = false,
  ): Promise<ExitMeaning | EdgeError> {
    const { program, destination, idleMs } = this.#settings
    const here = `${work.dataDir}/`
    const pauses = BUSY_PAUSES_MS.values()
    for (;;) {
      let exit: ExitFacts
      const abilities = (this.#abilities ??= await probeRsync(program))
      try {
        exit = await runRsync({
          program,
          args: [...argsFor(abilities), ...(isBack ? [destination, here] : [here, destination])],
          paths: files.map(file => file.path),
          signal: work.signal,
          idleMs,
          onLine: line => {
            const item = parseItem(line)
            if (item) onItem(item)
          },
        })
      } catch (error) {
        if (work.signal.aborted)
          return new EdgeError('SYNC_STOPPED', 'stopped while rsync was running', { retry: true })
        if (error instanceof EdgeError) return error
        throw error
      }
      const meaning = classifyExit(exit)
      if (meaning.kind === 'busy') {
        const { value: pauseMs } = pauses.next()
        if (pauseMs === undefined) return meaning
        // An abort ends the pause, and the next run reports it.
        await delay(pauseMs, undefined, { signal: work.signal }).catch(() => undefined)
        continue
      }
      if (meaning.kind !== 'option') return meaning
      const less = without(abilities, meaning.message)
      if (!less) {
        return exitError(this.label, {
          ...meaning,
          message: `its rsync does not accept ours: ${exit.stderr.trim().slice(0, 300)}`,
          hint: 'a restricted key (rrsync) must allow writing; an rsync before 3.1 is too old',
        })
      }
      this.#abilities = less
    }
  }
}

function ignore(): void {
  // Marks and questions are no work that a progress bar counts.
}

function expectedOf({ name, content }: Mark): ExpectedFile {
  return { path: name, bytes: Buffer.byteLength(content), ...checksumsOf(content) }
}

/** Marks as files, as rsync wants them, for as long as `action` takes. */
async function withFiles<T>(marks: readonly Mark[], action: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'edgetape-mark-'))
  try {
    for (const { name, content } of marks) writeFileSync(join(folder, name), content)
    return await action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Abilities without the one that the other side refused; where it did not say which, the dearest goes last. */
function without(abilities: RsyncAbilities, option: string): RsyncAbilities | undefined {
  // It is used for copies to replace only, and named by its letter at times.
  if (abilities.backup && /^(?:--backup(?:-dir)?)?$/.test(option)) return { ...abilities, backup: false }
  if (abilities.fsync && option !== '--checksum-choice') return { ...abilities, fsync: false }
  if (abilities.checksumChoice && option !== '--fsync') return { ...abilities, checksumChoice: false }
  return undefined
}

/** What the rsync here can do, from its own words. */
async function probeRsync(program: string): Promise<RsyncAbilities> {
  const { signal } = new AbortController()
  const askedFor = async (option: string) => {
    const said: string[] = []
    await runRsync({ program, args: [option], paths: [], signal, idleMs: 10_000, onLine: line => said.push(line) })
    return said
  }
  const [about, help] = await Promise.all([askedFor('--version'), askedFor('--help')])
  const version = /version v?(\d+)\.(\d+)/.exec(about.join('\n'))
  if (!version || Number(version[1]) < 3 || (Number(version[1]) === 3 && Number(version[2]) < 1)) {
    throw new EdgeError('SYNC_RSYNC_TOO_OLD', `found ${about[0] ?? 'no version'}, wanted rsync 3.1 or later`, {
      hint: 'install rsync from rsync.samba.org',
    })
  }
  const can = (option: RegExp) => help.some(line => option.test(line))
  return { fsync: can(/--fsync\b/), checksumChoice: can(/--checksum-choice\b/), backup: true }
}
