import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FileRecord, ShipState } from '../formats/ledger.js'
import { batchesOf, type DatePlan } from './plan.js'
import { addProblem } from './report.js'
import type { OutgoingFile, Replacement, ShipResult } from './targets/target.js'
import { failWith, isOver, isStopped, recordAll, targetWork, type PassWork, type Visit } from './visit.js'

/** A file on its way, and the date it belongs to. */
export type Parcel = DatePlan['ship'][number] & { visit: Visit }
/** A file that was handed over and is now to be compared. */
export interface Handed {
  visit: Visit
  record: FileRecord
}

interface Ready {
  visit: Visit
  file: OutgoingFile
}

/** More bytes: nothing of them travels. The other side reads all of it before it says a word. */
const VERIFY_BATCH = { files: 4000, bytes: 2 * 1024 ** 3 }
const FILES_PER_TURN = 32

/**
 * Hands files over, in their order, of whatever dates they are; while one batch travels, the next one is read here. The
 * first batch goes even if the time of the pass is over. What happened is in the report and the ledgers.
 */
export async function handOver(work: PassWork, parcels: readonly Parcel[]): Promise<void> {
  const { report } = work
  report.plannedFiles += parcels.length
  report.plannedBytes += parcels.reduce((sum, { file }) => sum + file.bytes, 0)
  const batches = [...batchesOf(parcels, ({ file }) => file.bytes, work.batch, true)]
  let ready = await prepareBatch(work, batches[0] ?? [])
  for (const [index] of batches.entries()) {
    if (isStopped(work) || (index > 0 && isOver(work))) return
    const next = prepareBatch(work, batches[index + 1] ?? [])
    ;[ready] = await Promise.all([next, shipBatch(work, ready)])
  }
}

/** Takes the checksums of a batch; what is not what it was made as is reported and left out. */
async function prepareBatch(work: PassWork, batch: readonly Parcel[]): Promise<Ready[]> {
  const { dataDir, signal, prepared, report } = work
  const ready: Ready[] = []
  for (const [index, { visit, file, replace }] of batch.entries()) {
    if (index % FILES_PER_TURN === 0) await setImmediate()
    if (isStopped(work)) break
    const found = await prepared.read(file, replace, { dataDir, signal, receipts: visit.receipts }).catch(unlessStopped)
    if (found === undefined) break
    if (found === 'gone') continue
    if ('file' in found) ready.push({ visit, file: found.file })
    else addProblem(report, { path: file.path, reason: found.reason })
  }
  return ready

  function unlessStopped(error: unknown): undefined {
    if (!signal.aborted) throw error
  }
}

async function shipBatch(work: PassWork, ready: readonly Ready[]): Promise<void> {
  if (ready.length === 0) return
  const files = ready.map(({ file }) => file)
  noteShipped(work, ready, await work.target.ship(files, targetWork(work)))
}

/** Hands over files of one folder that take the place of others there; all of them or none. */
export async function handOverInPlace(
  work: PassWork,
  parcels: readonly Parcel[],
  gone: Replacement['gone'],
): Promise<void> {
  const { target, report } = work
  const [first] = parcels
  if (!first || !target.replace) return
  report.plannedFiles += parcels.length
  report.plannedBytes += parcels.reduce((sum, { file }) => sum + file.bytes, 0)
  const ready = await prepareBatch(work, parcels)
  if (ready.length < parcels.length || isStopped(work)) return
  const replacement = { folder: dirname(first.file.path), files: ready.map(({ file }) => file), gone }
  noteShipped(work, ready, await target.replace(replacement, targetWork(work)))
}

function noteShipped(work: PassWork, ready: readonly Ready[], { done, problems, error }: ShipResult): void {
  const { report, prepared, clock } = work
  const handedOver = new Set(done)
  const shipped = ready.filter(({ file }) => handedOver.has(file.path))
  recordAll(shipped.map(({ visit, file }) => ({ visit, record: recordOf(file, 'shipped', clock.nowMs()) })))
  prepared.forget(done)
  report.shippedFiles += shipped.length
  report.shippedBytes += shipped.reduce((sum, { file }) => sum + file.bytes, 0)
  for (const problem of problems) addProblem(report, problem)
  failWith(work, error)
}

/** Has the target compute the checksums of what was handed over, and compares them. */
export async function compare(work: PassWork, handed: readonly Handed[]): Promise<void> {
  const { report } = work
  report.plannedFiles += handed.length
  report.plannedBytes += handed.reduce((sum, { record }) => sum + record.bytes, 0)
  let isFirst = true
  for (const batch of batchesOf(handed, ({ record }) => record.bytes, VERIFY_BATCH)) {
    if (isStopped(work) || (!isFirst && isOver(work))) return
    isFirst = false
    await compareBatch(work, batch)
  }
}

async function compareBatch(work: PassWork, batch: readonly Handed[]): Promise<void> {
  const { report, log } = work
  const { verdicts, problems, error } = await work.target.verify(
    batch.map(({ record }) => record),
    targetWork(work),
  )
  const nowMs = work.clock.nowMs()
  const found = batch.flatMap(({ visit, record }) => {
    const verdict = verdicts.get(record.path)
    if (verdict === undefined) return []
    return [{ visit, record: recordOf(record, verdict === 'same' ? 'verified' : verdict, nowMs) }]
  })
  recordAll(found)
  for (const { record } of found) {
    const { path, state } = record
    if (state === 'verified') report.verifiedFiles++
    if (state === 'wrong') {
      report.wrongFiles++
      log.error({ path }, 'the copy at the target is not what was shipped; it is shipped anew')
    }
    if (state === 'missing') {
      report.missingFiles++
      log.warn({ path }, 'the copy is no longer at the target; it is shipped anew')
    }
  }
  for (const problem of problems) addProblem(report, problem)
  failWith(work, error)
}

function recordOf(file: Omit<FileRecord, 'state' | 'atMs'>, state: ShipState, atMs: number): FileRecord {
  const { path, bytes, mtimeMs, sha256, md5 } = file
  return { path, bytes, mtimeMs, sha256, md5, state, atMs }
}
