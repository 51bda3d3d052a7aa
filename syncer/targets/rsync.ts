import { setTimeout as delay } from 'node:timers/promises'
import { EdgeError } from '../../platform/edge-error.js'
import { classifyExit, exitError, mayNotWrite, refusedToWrite, type ExitFacts, type ExitMeaning } from './rsync-exit.js'
import { isUntouched, parseItem, verdictOf, type RsyncItem } from './rsync-lines.js'
import {
  presenceArguments,
  shipArguments,
  verifyArguments,
  type RsyncAbilities,
  type RsyncSettings,
} from './rsync-options.js'
import { runRsync } from './rsync-run.js'
import type { ExpectedFile, OutgoingFile, ShipResult, Target, VerifyResult, Work } from './target.js'

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

  /** There is nothing to look at until a file goes: a pass with nothing new starts no process. */
  open(): Promise<string> {
    return Promise.resolve(this.label)
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
    const meaning = await this.#run(
      able => shipArguments(this.#settings, able, again),
      files,
      work,
      item => work.onFile(item.bytes),
    )
    if (meaning instanceof EdgeError) result.error = meaning
    else if (meaning.kind === 'ok') result.done.push(...files.map(file => file.path))
    else if (meaning.kind === 'partial') await this.#sortOut(files, meaning, work, result)
    else result.error = exitError(this.label, meaning)
  }

  /** After a partial transfer: asks which files are there now. Its answer decides nothing but who is sent again. */
  async #sortOut(files: readonly OutgoingFile[], why: ExitMeaning, work: Work, result: ShipResult): Promise<void> {
    const present = new Set<string>()
    const meaning = await this.#run(
      () => presenceArguments(this.#settings),
      files,
      work,
      item => {
        if (isUntouched(item)) present.add(item.path)
      },
    )
    if (meaning instanceof EdgeError) result.error = meaning
    else if (meaning.kind !== 'ok' && meaning.kind !== 'partial') result.error = exitError(this.label, meaning)
    else if (present.size === 0 && mayNotWrite(why.message)) result.error = refusedToWrite(this.label, why.message)
    else {
      for (const { path } of files) {
        if (present.has(path)) result.done.push(path)
        else result.problems.push({ path, reason: why.message })
      }
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
      const told = new Set([...result.verdicts.keys(), ...result.problems.map(({ path }) => path)])
      const reason = meaning.kind === 'ok' ? 'rsync said nothing about it' : meaning.message
      for (const { path } of files) if (!told.has(path)) result.problems.push({ path, reason })
    }
    return result
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
  ): Promise<ExitMeaning | EdgeError> {
    const { program, destination, idleMs } = this.#settings
    const pauses = BUSY_PAUSES_MS.values()
    for (;;) {
      let exit: ExitFacts
      const abilities = (this.#abilities ??= await probeRsync(program))
      try {
        exit = await runRsync({
          program,
          args: [...argsFor(abilities), `${work.dataDir}/`, destination],
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
          return new EdgeError('SYNC_STOPPED', 'stopped while rsync was at work', { retry: true })
        if (error instanceof EdgeError) return error
        throw error
      }
      const meaning = classifyExit(exit)
      if (meaning.kind === 'busy') {
        const { value: pauseMs } = pauses.next()
        if (pauseMs === undefined) return meaning
        // An abort ends the pause, and is told by the next run.
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
  const said: string[] = []
  const signal = new AbortController().signal
  const run = (args: string[]) =>
    runRsync({ program, args, paths: [], signal, idleMs: 10_000, onLine: line => said.push(line) })
  await run(['--version'])
  const version = /version v?(\d+)\.(\d+)/.exec(said.join('\n'))
  if (!version || Number(version[1]) < 3 || (Number(version[1]) === 3 && Number(version[2]) < 1)) {
    throw new EdgeError('SYNC_RSYNC_TOO_OLD', `found ${said[0] ?? 'no version'}, wanted rsync 3.1 or later`, {
      hint: 'install rsync from rsync.samba.org',
    })
  }
  await run(['--help'])
  const help = said.join('\n')
  return { fsync: /--fsync\b/.test(help), checksumChoice: /--checksum-choice\b/.test(help), backup: true }
}
