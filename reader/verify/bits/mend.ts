import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { wishAnew } from '../../../compactor/date/wishes.js'
import { runCompactor } from '../../../compactor/main.js'
import { parseManifest } from '../../../formats/manifest.js'
import { withState } from '../../../formats/raw-path.js'
import { createFolderDurable, fsyncFolder } from '../../../platform/durable-file.js'
import { EdgeError, hasErrno, isMachineError, messageOf } from '../../../platform/edge-error.js'
import { createLogger } from '../../../platform/log.js'
import { checksumFile } from '../../../syncer/checksum.js'
import { listDates } from '../../../syncer/local-tree.js'
import { askToLookAgain, type Asked } from '../../../syncer/look-again.js'
import { runSyncer } from '../../../syncer/main.js'
import { copyDurably } from '../../../syncer/targets/durable-copy.js'
import type { Target } from '../../../syncer/targets/target.js'
import { Claims, judge } from './claims.js'
import { broughtOf, type Elsewhere } from './elsewhere.js'
import type { Rot } from './prove-file.js'

/** Something wrong, and at which side. */
export interface Found extends Rot {
  side: 'here' | 'there'
}

/** asked: another process was, and has not done it yet. */
export type Outcome = { mended: string } | { asked: string } | { cannot: string }

interface MenderOptions {
  dataDir: string
  elsewhere: Elsewhere | undefined
  /** Proven to be the one that files were brought to. */
  target: Target | undefined
  signal: AbortSignal
}

const DAMAGED = 'state/damaged'

/**
 * Mends what rotted: here by the copy at the target, or from raw; there by the file here. Nothing takes the place of a file
 * before it is proven to be what that was to be, and what rotted is kept in `state/damaged/`, or where the target puts such.
 */
export class Mender {
  readonly #options: MenderOptions
  /** Copies that the syncer is asked to bring again, and tables that the compactor is to make anew. */
  readonly #asked: { rot: Found; as: Asked['as'] }[] = []
  readonly #wished: Found[] = []

  constructor(options: MenderOptions) {
    this.#options = options
  }

  /** What became of all that is wrong in one date, except what others must do, which `end` returns. */
  async mend(found: readonly Found[]): Promise<Map<Found, Outcome>> {
    const outcomes = new Map<Found, Outcome>()
    // Raw first: what is made of it is proven by it.
    const inOrder = [...found].sort((a, b) => ORDER.indexOf(a.file.kind) - ORDER.indexOf(b.file.kind))
    const bad = new Set(found.filter(({ side }) => side === 'here').map(({ file }) => file.path))
    for (const rot of inOrder) {
      const outcome = await this.#mendOne(rot, bad).catch((error: unknown): Outcome => {
        if (!(error instanceof EdgeError) && !isMachineError(error)) throw error
        return { cannot: messageOf(error) }
      })
      if (outcome) outcomes.set(rot, outcome)
      if (outcome && 'mended' in outcome && rot.side === 'here') bad.delete(rot.file.path)
    }
    return outcomes
  }

  async #mendOne(rot: Found, bad: ReadonlySet<string>): Promise<Outcome | undefined> {
    if (rot.what === 'ledger') {
      this.#asked.push({ rot, as: 'unknown' })
      return undefined
    }
    if (rot.side === 'there') return this.#mendThere(rot, bad)
    const { path } = rot.file
    const fetched =
      rot.what === 'receipt' ? { cannot: 'the receipt is of the compactor here' } : await this.#fetchBack(rot)
    if (!('cannot' in fetched)) return fetched
    if (rot.file.kind === 'parquet' || rot.file.kind === 'quarantine') return this.#makeAnew(rot, bad, fetched.cannot)
    if (rot.file.kind === 'lists')
      return { cannot: `${fetched.cannot}; edgetape compact --once --rebuild-lists recreates it` }
    return { cannot: `${fetched.cannot}; keep ${path}: most of it may be readable` }
  }

  /** By the file here, where that is right: the syncer proves it once more before it takes the place of anything. */
  #mendThere(rot: Found, bad: ReadonlySet<string>): Outcome | undefined {
    const { path, kind } = rot.file
    if (bad.has(path)) return { cannot: 'the file here is damaged as well' }
    if (existsSync(join(this.#options.dataDir, path))) {
      this.#asked.push({ rot, as: 'doubted' })
      return undefined
    }
    const where = this.#options.target?.label ?? 'there'
    if (kind === 'parquet')
      return {
        cannot: `it is not here any more; with dataDir: ${where}, edgetape compact --once --rebuild makes it from raw`,
      }
    if (kind === 'lists')
      return {
        cannot: `it is not here any more; with dataDir: ${where}, edgetape compact --once --rebuild-lists makes it`,
      }
    return { cannot: 'it is not here any more, and no other copy is known' }
  }

  async #fetchBack({ file, claims, sha256 }: Found): Promise<Outcome> {
    const { dataDir, target, signal } = this.#options
    if (!target) return { cannot: 'there is no other copy: no target is known, or it is not there' }
    createFolderDurable(join(dataDir, 'state/verify'))
    const folder = mkdtempSync(join(dataDir, 'state/verify/fetched-'))
    try {
      try {
        await target.fetch([file.path], { dataDir: folder, signal, onFile: () => undefined })
      } catch (error) {
        // A key may be for writing only.
        if (!(error instanceof EdgeError)) throw error
        return { cannot: `${target.label} gave no copy back: ${error.message}` }
      }
      const fetched = join(folder, file.path)
      if (!existsSync(fetched)) return { cannot: `${target.label} has no copy of it` }
      const sums = await checksumFile(fetched, signal)
      const isRight =
        file.kind === 'manifest'
          ? await this.#isManifestOf(file.path, fetched, claims, sums.sha256)
          : judge(sums.sha256, claims).verdict === 'right'
      if (!isRight) return { cannot: `the copy at ${target.label} is not what it was to be either` }
      const place = join(dataDir, file.path)
      // It may have been made anew meanwhile.
      if (existsSync(place) && sha256 !== '' && (await checksumFile(place, signal)).sha256 !== sha256)
        return { cannot: 'it changed meanwhile: run it again' }
      const kept = this.#keepAside(file.path)
      const bytes = statSync(fetched).size
      // The same millisecond, however the number is rounded: the ledger knows it by that.
      const mtimeMs = file.mtimeMs + 0.5
      await copyDurably({ path: file.path, bytes, mtimeMs, ...sums, replace: true }, folder, place, () => undefined)
      fsyncFolder(dirname(place))
      return { mended: `mended by the copy at ${target.label}; ${kept}` }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** By the ledger, or by the segment that it speaks of. */
  async #isManifestOf(path: string, fetched: string, claims: Found['claims'], sha256: string): Promise<boolean> {
    if (claims.length > 0) return judge(sha256, claims).verdict === 'right'
    const manifest = parseManifest(readFileSync(fetched, 'utf8'), path)
    const segment = join(this.#options.dataDir, withState(path, 'sealed'))
    if (!existsSync(segment)) return false
    return manifest.sha256 === (await checksumFile(segment, this.#options.signal)).sha256
  }

  /** As a second name, so that readers find something under the first at any time; on another disk as a copy. */
  #keepAside(path: string): string {
    const { dataDir } = this.#options
    const kept = `${DAMAGED}/${path}.${Date.now()}`
    mkdirSync(dirname(join(dataDir, kept)), { recursive: true })
    try {
      linkSync(join(dataDir, path), join(dataDir, kept))
    } catch (error) {
      if (!hasErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP')) throw error
      cpSync(join(dataDir, path), join(dataDir, kept))
    }
    return `what rotted is kept: ${kept}`
  }

  /** From raw, where all of it is here and right. */
  #makeAnew(rot: Found, bad: ReadonlySet<string>, elsewhere: string): Outcome | undefined {
    const { dataDir } = this.#options
    const { path, date, kind } = rot.file
    const segments = new Claims({ root: dataDir, dataDir }, date).segmentsOf(path)
    const lost = [...bad, ...segments].find(
      one => one.startsWith('raw/') && (bad.has(one) || !existsSync(join(dataDir, one))),
    )
    if (lost !== undefined) return { cannot: `${elsewhere}; its raw data is not all here and right: ${lost}` }
    if (kind === 'parquet' && segments.length === 0) return { cannot: `${elsewhere}; no raw data is known of it` }
    if (!this.#options.elsewhere)
      return { cannot: `${elsewhere}; to make it from raw the config of this dataDir is needed` }
    if (rot.what === 'rotten') {
      this.#keepAside(path)
      // The compactor reads what is there before it makes it anew, and must not stumble over it.
      rmSync(join(dataDir, path))
      fsyncFolder(dirname(join(dataDir, path)))
    }
    wishAnew(dataDir, date)
    this.#wished.push(rot)
    return undefined
  }

  /** Has compactor and syncer do what was asked of them, or leaves it to those at work. */
  async end(): Promise<Map<Found, Outcome>> {
    const { dataDir, elsewhere, signal, target } = this.#options
    const outcomes = new Map<Found, Outcome>()
    if (!elsewhere) return outcomes
    const { config } = elsewhere
    const log = createLogger('verify', process.env['EDGETAPE_LOG'] ?? 'fatal')
    if (this.#wished.length > 0) {
      const isRun = await unlessAtWork(() => runCompactor({ config, log, once: true, signal }))
      for (const rot of this.#wished) outcomes.set(rot, this.#madeAnew(rot, isRun))
    }
    if (this.#asked.length > 0 && target) {
      askToLookAgain(
        dataDir,
        this.#asked.map(({ rot: { file }, as }) => ({ path: file.path, as })),
      )
      const isRun = await unlessAtWork(() => runSyncer({ config, log, once: true, signal }))
      for (const { rot } of this.#asked)
        outcomes.set(rot, isRun ? await this.#broughtAgain(rot, target) : { asked: SYNCER_ASKED })
    }
    return outcomes
  }

  #madeAnew({ file: { path } }: Found, isRun: boolean): Outcome {
    const kept = `what rotted is kept in ${DAMAGED}/`
    if (!isRun) return { asked: `the running compactor recreates it from raw; ${kept}` }
    if (existsSync(join(this.#options.dataDir, path))) return { mended: `recreated from raw; ${kept}` }
    return { cannot: `it could not be recreated from raw: edgetape compact --once says why; ${kept}` }
  }

  /** By what the target says of it now. */
  async #broughtAgain({ file: { path, date } }: Found, target: Target): Promise<Outcome> {
    const { dataDir, signal } = this.#options
    const brought = broughtOf(dataDir, date, listDates(dataDir).get(date) ?? []).filter(record => record.path === path)
    const { verdicts } = await target.verify(brought, { dataDir, signal, onFile: () => undefined })
    if (verdicts.get(path) === 'same') return { mended: `brought again to ${target.label}, and proven there` }
    return { cannot: 'the syncer could not bring it again: edgetape sync --once says why' }
  }
}

const SYNCER_ASKED = 'the running syncer compares it in its next pass and uploads it again'
const ORDER: readonly Rot['file']['kind'][] = [
  'segment',
  'manifest',
  'quarantine',
  'parquet',
  'lists',
  'superseded',
  'reports',
]

/** False where another process does it. */
async function unlessAtWork(run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run()
    return true
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'LOCK_HELD') return false
    throw error
  }
}
