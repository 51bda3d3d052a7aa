import { dirname } from 'node:path'
import type { DateLedger, FileRecord } from '../formats/ledger.js'
import type { LocalFile } from './local-tree.js'
import { batchesOf } from './plan.js'
import { retire, type Retired } from './retire.js'
import type { TargetPlace } from './place/target-place.js'
import { verifyElsewhere } from './place/tokens.js'
import { EdgeError } from '../platform/edge-error.js'
import type { FileProblem, Target } from './targets/target.js'

/** Files of one date that retention would delete by what is known. */
export interface DueDate {
  ledger: DateLedger
  files: readonly LocalFile[]
  /** Asks again, with only those of `files` counted as verified that were found right just now. */
  plan: (isRight: (path: string) => boolean) => readonly LocalFile[]
}

export interface RetirementContext {
  /** Real path. */
  dataDir: string
  target: Target
  place: TargetPlace
  /** The target that the ledgers are about. */
  identity: string | undefined
  signal: AbortSignal
  nowMs: () => number
  /** Hears of how many bytes the target has proven that it has them. */
  onProven?: ((bytes: number, all: number) => void) | undefined
}

export interface Retirement {
  retired: Map<DueDate, Retired>
  /** What was verified once, and is no longer right there; it is copied again. */
  bad: FileRecord[]
  problems: FileProblem[]
  /** What failed for the target as a whole: nothing was deleted. */
  error: EdgeError | undefined
}

/** What one call compares; more where there is more, since the other side reads all of it before it says a word. */
const BATCH = { files: 4000, bytes: 2 * 1024 ** 3 }

/**
 * Deletes here what is due, after the target has computed its checksums once more and proven that it is the right place. What
 * is no longer right there is noted in the ledgers, durably, and stays here.
 */
export async function retireProven(context: RetirementContext, due: readonly DueDate[]): Promise<Retirement> {
  const { dataDir, target, place, identity, signal, nowMs, onProven } = context
  const result: Retirement = { retired: new Map(), bad: [], problems: [], error: undefined }
  try {
    if (!place.isProven && (await place.prove(signal)) !== identity) return result
    await place.advance([], signal)
    const right = new Set<string>()
    const all = due.flatMap(recordsOf)
    const bytesOf = (some: typeof all) => some.reduce((sum, { record }) => sum + record.bytes, 0)
    let provenBytes = 0
    for (const batch of batchesOf(all, ({ record }) => record.bytes, BATCH)) {
      const records = batch.map(({ record }) => record)
      const folders = records.map(({ path }) => dirname(path))
      const work = { dataDir, signal, onFile: () => undefined }
      const { verdicts, elsewhere, ...found } = await verifyElsewhere(target, records, folders, work)
      if (found.error) throw found.error
      result.problems.push(...found.problems, ...found.unknown)
      provenBytes += bytesOf(batch)
      onProven?.(provenBytes, bytesOf(all))
      const bad = batch.flatMap(({ date, record }) => {
        const state = verdicts.get(record.path)
        if (state === 'same' && elsewhere.has(dirname(record.path))) right.add(record.path)
        return state === undefined || state === 'same' ? [] : [{ date, record: { ...record, state, atMs: nowMs() } }]
      })
      for (const date of new Set(bad.map(one => one.date))) {
        date.ledger.append(bad.filter(one => one.date === date).map(({ record }) => record))
      }
      result.bad.push(...bad.map(({ record }) => record))
    }
    if ((await place.prove(signal)) !== identity || signal.aborted) return result
    for (const date of due) {
      result.retired.set(
        date,
        retire(
          dataDir,
          date.plan(path => right.has(path)).filter(({ path }) => right.has(path)),
        ),
      )
    }
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    if (!signal.aborted) result.error = error
  }
  return result
}

function recordsOf(date: DueDate): { date: DueDate; record: FileRecord }[] {
  return date.files.flatMap(({ path }) => {
    const record = date.ledger.get(path)
    return record ? [{ date, record }] : []
  })
}
