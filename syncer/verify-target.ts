import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.js'
import { systemClock, type Clock } from '../platform/clock.js'
import { EdgeError } from '../platform/edge-error.js'
import { acquireProcessLock, type ProcessLock } from '../platform/process-lock.js'
import { syncerState, type DateLedger, type FileRecord } from '../formats/ledger.js'
import { LedgerStore } from './ledger-store.js'
import { askToLookAgain } from './look-again.js'
import { listDates, readDate } from './local-tree.js'
import { batchesOf, isCurrent } from './plan.js'
import { placeOf } from './place/place-of.js'
import { createTarget } from './targets/open-target.js'
import type { FileProblem, Target } from './targets/target.js'

/** Read at the target before it says a word. */
const BATCH = { files: 500, bytes: 256 * 1024 ** 2 }

/** What the target was found to hold, of the files that are still here and were uploaded before. */
export interface TargetProof {
  target: string
  files: number
  bytes: number
  /** Files and bytes that the target computed a checksum of, so far. */
  doneFiles: number
  doneBytes: number
  right: number
  wrong: string[]
  missing: string[]
  problems: FileProblem[]
  /** True where the ledger itself was changed, instead of asking a syncer at work to look again. */
  noted: boolean
  error: EdgeError | undefined
}

export interface VerifyTargetOptions {
  config: Pick<Config, 'dataDir' | 'sync'>
  signal: AbortSignal
  /** Only files of this date; undefined for all. */
  date?: string | undefined
  clock?: Clock
  /** Called after each file; the proof grows. */
  onProgress?: (proof: TargetProof) => void
  /** What was proven before, and is not to be proven again. */
  isPast?: (date: string, path: string) => boolean
  /** All up to this file is proven. */
  onReached?: (proof: TargetProof, date: string, path: string) => void
}

/**
 * Has the target compute the checksum of every file anew that is here and was uploaded, verified before or not, and
 * compares them. What is wrong or missing is noted for the syncer; one that is at work meanwhile is asked to look again.
 * @throws EdgeError SYNC_NO_TARGET, SYNC_TARGET_INVALID
 */
export async function verifyTarget(options: VerifyTargetOptions): Promise<TargetProof> {
  const { config, clock = systemClock } = options
  const target = createTarget(config.sync)
  const proof: TargetProof = {
    ...{ target: target.label, files: 0, bytes: 0, doneFiles: 0, doneBytes: 0, right: 0 },
    ...{ wrong: [], missing: [], problems: [], noted: false, error: undefined },
  }
  if (!existsSync(config.dataDir)) return proof
  const dataDir = realpathSync(config.dataDir)
  const stateDir = syncerState(dataDir)
  const lock = lockIfFree(join(stateDir, 'lock'))
  proof.noted = lock !== undefined
  try {
    const ledgers = new LedgerStore(stateDir, target.label, !lock)
    if (ledgers.identity === undefined) return proof
    const { signal } = options
    await placeOf({ sync: config.sync, dataDir, target, clock, signal }, ledgers).check(signal)
    const dates = [...listDates(dataDir)].filter(([date]) => options.date === undefined || date === options.date)
    const { isPast = () => false } = options
    const waitingIn = (date: string, folders: readonly string[]) =>
      handedOver(dataDir, folders, ledgers.of(date)).filter(({ path }) => !isPast(date, path))
    for (const [date, folders] of dates) {
      for (const { bytes } of waitingIn(date, folders)) {
        proof.files++
        proof.bytes += bytes
      }
    }
    for (const [date, folders] of dates) {
      const ledger = ledgers.of(date)
      const onBad = (bad: readonly { record: FileRecord; state: 'wrong' | 'missing' }[]) => {
        if (!lock) {
          const asked = bad.map(({ record: { path } }) => ({ path, as: 'doubted' as const }))
          askToLookAgain(dataDir, asked)
          return
        }
        const atMs = clock.nowMs()
        ledger.append(bad.map(({ record, state }) => ({ ...record, state, atMs })))
        if (bad.length > 0) ledgers.settle(date, undefined)
      }
      await verifyDate(target, dataDir, date, waitingIn(date, folders), proof, options, onBad)
      if (proof.error || options.signal.aborted) break
    }
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    proof.error = error
  } finally {
    lock?.release()
  }
  return proof
}

/** The lock of the syncer, or undefined while one is at work. */
function lockIfFree(path: string): ProcessLock | undefined {
  try {
    return acquireProcessLock(path, 'syncer')
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'LOCK_HELD') return undefined
    throw error
  }
}

/** The records of files that are here as they were when they were uploaded. */
export function handedOver(dataDir: string, folders: readonly string[], ledger: DateLedger): FileRecord[] {
  return readDate(dataDir, folders).files.flatMap(file => {
    const record = ledger.get(file.path)
    return isCurrent(file, record) && (record.state === 'shipped' || record.state === 'verified') ? [record] : []
  })
}

async function verifyDate(
  target: Target,
  dataDir: string,
  date: string,
  records: readonly FileRecord[],
  proof: TargetProof,
  { signal, onProgress = () => undefined, onReached = () => undefined }: VerifyTargetOptions,
  onBad: (bad: readonly { record: FileRecord; state: 'wrong' | 'missing' }[]) => void,
): Promise<void> {
  const onFile = (bytes: number) => {
    proof.doneFiles++
    proof.doneBytes += bytes
    onProgress(proof)
  }
  const isStopped = () => signal.aborted
  for (const batch of batchesOf(records, record => record.bytes, BATCH)) {
    if (isStopped()) return
    const { verdicts, problems, error } = await target.verify(batch, { dataDir, signal, onFile })
    const bad: { record: FileRecord; state: 'wrong' | 'missing' }[] = []
    for (const record of batch) {
      const verdict = verdicts.get(record.path)
      if (verdict === 'same') proof.right++
      else if (verdict !== undefined) {
        proof[verdict].push(record.path)
        bad.push({ record, state: verdict })
      }
    }
    onBad(bad)
    proof.problems.push(...problems)
    proof.error = error
    const last = batch.at(-1)
    if (error || isStopped()) return
    if (last) onReached(proof, date, last.path)
  }
}
