import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { sizeText } from '../../../platform/figures.js'
import type { FileRecord } from '../../../formats/ledger.js'
import { EdgeError, hasErrno } from '../../../platform/edge-error.js'
import { listDates, readDate, type LocalFile } from '../../../syncer/local-tree.js'
import { batchesOf } from '../../../syncer/plan.js'
import { parseShippedName } from '../../../syncer/shipped-name.js'
import type { Target } from '../../../syncer/targets/target.js'
import type { Proof, ProofOptions, ProofResult } from '../proof.js'
import { Claims, type Tree } from './claims.js'
import { broughtOf, elsewhereOf, isMet, type Elsewhere } from './elsewhere.js'
import { Mender, type Found, type Outcome } from './mend.js'
import { proveFile, type FileProof } from './prove-file.js'

/** One place that is gone through. `here` comes before `there` in the order of a date. */
interface Side {
  name: 'here' | 'there'
  tree: Tree
  /** What a finding says before the path. */
  label: string
}

const hint = 'edgetape verify --repair'

/**
 * `edgetape verify bits`: every file against every checksum that is written of it, in the dataDir and at the target: what no
 * longer is what it was made as. Of a target that is a folder all that lies there, also what is no longer here.
 */
export const bitsProof: Proof = {
  name: 'bits',
  describes: 'each file, here and at sync.target, against the checksums that are written of it',
  byDate: true,
  goesOn: true,
  mends: true,
  isHere: () => false,
  prove: proveBits,
}

async function proveBits(path: string, options: ProofOptions): Promise<ProofResult> {
  if (!existsSync(path)) throw new EdgeError('VERIFY_NO_PATH', `no folder ${path}`, { path })
  const root = realpathSync(path)
  const { findings, round, signal, date } = options
  const elsewhere = elsewhereOf(root, options.config)
  const isDataDir = existsSync(`${root}/state`)
  const here: Side = { name: 'here', tree: { root, dataDir: isDataDir ? root : undefined }, label: '' }
  const target = elsewhere && (await targetOf(elsewhere, root, options))
  const sides: Side[] =
    target?.folder === undefined
      ? [here]
      : [here, { name: 'there', tree: { root: target.folder, dataDir: root }, label: `${target.folder}/` }]
  const folders = new Map(sides.map(side => [side, listDates(side.tree.root)]))
  const dates = [...new Set([...folders.values()].flatMap(byDate => [...byDate.keys()]))]
    .filter(day => date === undefined || day === date)
    .sort()
  const mender = options.repair === true ? new Mender({ dataDir: root, elsewhere, target, signal }) : undefined
  const reporter = new Reporter(sides, options)
  const progress = options.startProgress('bits', dates.length, 'steps')
  const behind = dates.filter(day => round.isPast(day)).length
  for (const [index, day] of dates.slice(behind).entries()) {
    const found: Found[] = []
    // What is to be mended is collected first; otherwise each is reported at once, and the next run goes on behind it.
    const note = (rot: Found) => (mender ? found.push(rot) : reporter.report(rot))
    const reached = (key: string) => {
      if (!mender) round.reached(day, key)
    }
    const isPast = (key: string) => !mender && round.isPast(day, key)
    const date: DateWork = { day, note, reached, isPast, round, signal }
    for (const side of sides) await proveSide(side, folders.get(side)?.get(day) ?? [], date)
    if (target) await proveCopies(target, root, folders.get(here)?.get(day) ?? [], date)
    if (signal.aborted) break
    if (mender) reporter.reportAll(await mender.mend(found))
    round.reached(day, undefined, { done: behind + index + 1, all: dates.length })
    progress.reach(index + 1, dates.length - behind)
  }
  if (mender) reporter.reportAll(await mender.end())
  const [files, bytes, unknown, rotten, mended] = (['files', 'bytes', 'unknown', 'rotten', 'mended'] as const).map(
    key => round.countOf(key),
  ) as [number, number, number, number, number]
  if (unknown > 0 && !signal.aborted)
    findings.add({
      ...{ weight: 'unproven', code: 'NO_CHECKSUM', path: '.' },
      message: `${unknown} files have no checksum to compare with yet: they can be proven once they are uploaded`,
    })
  const size = sizeText(bytes)
  const text = `${files} files (${size}) of ${dates.length} days, ${rotten} rotten${mended > 0 ? `, ${mended} mended` : ''}`
  return { text, facts: { files, bytes, days: dates.length, rotten, mended, unknown }, isWhole: !signal.aborted }
}

/** Undefined where it is not there, which is reported, or was never used. */
async function targetOf(elsewhere: Elsewhere, dataDir: string, { findings, signal }: ProofOptions) {
  const { target } = elsewhere
  if (!target) return undefined
  try {
    return (await isMet(elsewhere, target, dataDir, signal)) ? target : undefined
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    const { code, message } = error
    // Nothing is wrong with the files for all we know, but whoever asked must not take silence for a proof.
    findings.add({ weight: 'fault', code, path: target.label, message })
    return undefined
  }
}

interface DateWork {
  day: string
  note: (rot: Found) => void
  reached: (key: string) => void
  isPast: (key: string) => boolean
  round: ProofOptions['round']
  signal: AbortSignal
}

async function proveSide(
  { name, tree }: Side,
  folders: readonly string[],
  { day, note, reached, isPast, round, signal }: DateWork,
): Promise<void> {
  const claims = new Claims(tree, day)
  for (const file of readDate(tree.root, folders).files) {
    const key = `${name} ${file.path}`
    if (isPast(key)) continue
    const proof = await proveUnlessGone(tree.root, file, claims, signal)
    if (signal.aborted) return
    if (!proof) continue
    for (const rot of proof.rot) note({ ...rot, side: name })
    round.count('files')
    round.count('bytes', file.bytes)
    if (!proof.isKnown) round.count('unknown')
    reached(key)
  }
}

/** Undefined where retention, or a roll-up, took it meanwhile, and where it is to end. */
async function proveUnlessGone(
  root: string,
  file: LocalFile,
  claims: Claims,
  signal: AbortSignal,
): Promise<FileProof | undefined> {
  try {
    return await proveFile(root, file, claims, signal)
  } catch (error) {
    if (signal.aborted || hasErrno(error, 'ENOENT')) return undefined
    // What the disk cannot read any more is rotten, too.
    if (!hasErrno(error, 'EIO')) throw error
    const said = claims.of(file)
    return {
      isKnown: true,
      rot: [{ file, what: 'rotten', sha256: '', claims: said, message: 'the disk cannot read it' }],
    }
  }
}

/** Little at a time, so that one that is stopped has not to begin far back. */
const BATCH = { files: 500, bytes: 256 * 1024 ** 2 }

/** Copies of what is here: whether they are there and, where nobody can look at them from here, whether they are right. */
async function proveCopies(
  target: Target,
  dataDir: string,
  folders: readonly string[],
  { day, note, reached, isPast, round, signal }: DateWork,
): Promise<void> {
  const brought = broughtOf(dataDir, day, folders).filter(({ path }) => !isPast(`there ${path}`))
  const bad = (record: FileRecord, what: 'rotten' | 'missing', message: string) => {
    const name = parseShippedName(record.path)
    const { path, bytes, mtimeMs, sha256 } = record
    if (name) note({ side: 'there', file: { ...name, path, bytes, mtimeMs }, what, sha256, claims: [], message })
  }
  const { folder } = target
  if (folder !== undefined) {
    for (const record of brought)
      if (!existsSync(join(folder, record.path))) bad(record, 'missing', 'was brought there, and is gone')
    return
  }
  for (const batch of batchesOf(brought, ({ bytes }) => bytes, BATCH)) {
    const { verdicts, error } = await target.verify(batch, { dataDir, signal, onFile: () => undefined })
    if (error && !signal.aborted) throw error
    for (const record of batch) {
      const verdict = verdicts.get(record.path)
      if (verdict === undefined) continue
      round.count('files')
      round.count('bytes', record.bytes)
      if (verdict === 'wrong') bad(record, 'rotten', 'it is not what was brought there')
      if (verdict === 'missing') bad(record, 'missing', 'was brought there, and is gone')
    }
    if (signal.aborted) return
    const last = batch.at(-1)
    if (last) reached(`there ${last.path}`)
  }
}

/** Reports what is wrong once, however many say so. */
class Reporter {
  readonly #sides: readonly Side[]
  readonly #options: ProofOptions
  readonly #reported = new Set<string>()

  constructor(sides: readonly Side[], options: ProofOptions) {
    this.#sides = sides
    this.#options = options
  }

  reportAll(outcomes: ReadonlyMap<Found, Outcome>): void {
    const mended = new Set<string>()
    for (const [rot, outcome] of outcomes) {
      this.report(rot, outcome)
      if (!('cannot' in outcome)) mended.add(this.#pathOf(rot))
    }
    this.#options.round.mended(mended)
  }

  report(rot: Found, outcome?: Outcome): void {
    const { findings, round } = this.#options
    const path = this.#pathOf(rot)
    const key = `${rot.what} ${path}`
    if (this.#reported.has(key)) return
    this.#reported.add(key)
    round.count('rotten')
    const code = CODES[rot.side][rot.what]
    if (outcome && 'mended' in outcome) {
      round.count('mended')
      findings.add({ weight: 'note', code: 'MENDED', path, message: `${rot.message}: ${outcome.mended}` })
    } else if (outcome && 'asked' in outcome)
      findings.add({ weight: 'note', code: 'MENDING', path, message: `${rot.message}: ${outcome.asked}` })
    else if (outcome)
      findings.add({ weight: 'fault', code, path, message: `${rot.message}; it cannot be mended: ${outcome.cannot}` })
    else findings.add({ weight: 'fault', code, path, message: rot.message, hint })
  }

  #pathOf({ side, file: { path } }: Found): string {
    return `${this.#sides.find(({ name }) => name === side)?.label ?? ''}${path}`
  }
}

const CODES = {
  here: { rotten: 'ROTTEN', missing: 'MISSING', ledger: 'LEDGER_UNTRUE', receipt: 'RECEIPT_UNTRUE' },
  there: { rotten: 'COPY_ROTTEN', missing: 'COPY_MISSING', ledger: 'LEDGER_UNTRUE', receipt: 'RECEIPT_UNTRUE' },
} as const
