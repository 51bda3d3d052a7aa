import { setImmediate } from 'node:timers/promises'
import type { Logger } from '../platform/log.js'
import type { Clock } from '../platform/clock.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import type { DateLedger, FileRecord, ShipState } from './ledger.js'
import type { LocalDate, LocalFile } from './local-tree.js'
import { prepareFile } from './outgoing.js'
import { batchesOf, planDate, type DatePlan } from './plan.js'
import type { Receipts } from './receipts.js'
import { addProblem, type PassReport } from './report.js'
import type { OutgoingFile, Target, Work } from './targets/target.js'

/** What is held in memory and handed to the target at once. A batch is recorded when it is through. */
const SHIP_BATCH = { files: 4000, bytes: 1024 ** 3 }
/** Smaller in bytes: the other side reads all of it before it says a word. */
const VERIFY_BATCH = { files: 4000, bytes: 2 * 1024 ** 3 }
const FILES_PER_TURN = 32

/** Files that are not what they were made as, with what they were found to be; they are not read again until they change. */
export type Suspects = Map<string, { bytes: number; mtimeMs: number; reason: string }>
const SUSPECTS_KEPT = 10_000

export interface Visit {
  dataDir: string
  local: LocalDate
  ledger: DateLedger
  /** Called when a Parquet file has to be proven. */
  receipts: () => Receipts
  target: Target
  clock: Clock
  graceMs: number
  signal: AbortSignal
  log: Logger
  suspects: Suspects
  report: PassReport
  /** As of now; undefined once the files or the ledger have changed. */
  plan: DatePlan | undefined
  /** Outside of `sync.window` nothing is handed over. */
  mayShip: boolean
  onFile: (bytes: number) => void
}

/**
 * Does what is due for one date: compares what was handed over, then hands over what is new or has to go again. With no
 * grace period what was just handed over is compared at once, in a step of its own. What happened is in the report.
 */
export async function visitDate(visit: Visit): Promise<void> {
  const { ship, verify } = planNow(visit)
  if (ship.length + verify.length > 0 && !(await isPrepared(visit))) return
  await verifyDue(visit, planNow(visit).verify)
  const plan = planNow(visit)
  for (const file of plan.unproven) {
    addProblem(visit.report, { path: file.path, reason: 'a sealed segment without its manifest; it stays here' })
  }
  if (!visit.mayShip) return
  visit.report.plannedFiles += plan.ship.length
  visit.report.plannedBytes += plan.ship.reduce((sum, { file }) => sum + file.bytes, 0)
  for (const batch of batchesOf(plan.ship, ({ file }) => file.bytes, SHIP_BATCH)) {
    if (isStopped(visit)) return
    await shipBatch(visit, batch)
  }
  if (graceOf(visit) === 0) await verifyDue(visit, planNow(visit).verify)
}

/** Afterwards it is known what the target can do, on which the grace period depends. */
async function isPrepared(visit: Visit): Promise<boolean> {
  try {
    await visit.target.prepare()
    visit.plan = undefined
    return true
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    failWith(visit, error)
    return false
  }
}

/** The plan for the files as they were listed and the ledger as it is. */
export function planNow(visit: Visit): DatePlan {
  return (visit.plan ??= planDate(
    visit.local.files,
    path => visit.ledger.get(path),
    visit.clock.nowMs(),
    graceOf(visit),
  ))
}

function record(visit: Visit, records: readonly FileRecord[]): void {
  visit.ledger.append(records)
  if (records.length > 0) visit.plan = undefined
}

/** A target that cannot sync to disk is given twice the time. */
function graceOf({ graceMs, target }: Pick<Visit, 'graceMs' | 'target'>): number {
  return target.syncsToDisk ? graceMs : 2 * graceMs
}

async function shipBatch(visit: Visit, batch: DatePlan['ship']): Promise<void> {
  const outgoing = await prepareBatch(visit, batch)
  if (outgoing.length === 0 || isStopped(visit)) return
  const { done, problems, error } = await visit.target.ship(outgoing, workOf(visit))
  const handedOver = new Set(done)
  const shipped = outgoing.filter(file => handedOver.has(file.path))
  record(
    visit,
    shipped.map(file => recordOf(file, 'shipped', visit.clock.nowMs())),
  )
  visit.report.shippedFiles += shipped.length
  visit.report.shippedBytes += shipped.reduce((sum, file) => sum + file.bytes, 0)
  for (const problem of problems) addProblem(visit.report, problem)
  failWith(visit, error)
}

/** Takes the checksums of a batch; what is not what it was made as is reported and left out. */
async function prepareBatch(visit: Visit, batch: DatePlan['ship']): Promise<OutgoingFile[]> {
  const outgoing: OutgoingFile[] = []
  const receipts = batch.some(({ file }) => file.kind === 'parquet') ? visit.receipts() : noReceipts
  for (const [index, { file, replace }] of batch.entries()) {
    if (index % FILES_PER_TURN === 0) await setImmediate()
    if (isStopped(visit)) break
    const known = visit.suspects.get(file.path)
    if (known?.bytes === file.bytes && known.mtimeMs === file.mtimeMs) {
      addProblem(visit.report, { path: file.path, reason: known.reason })
      continue
    }
    try {
      outgoing.push(await prepareFile(file, replace, { dataDir: visit.dataDir, receipts, signal: visit.signal }))
    } catch (error) {
      if (isStopped(visit)) break
      suspect(visit, file, error)
    }
  }
  return outgoing
}

const noReceipts: Receipts = { bySegment: new Map(), byOutput: new Map() }

function suspect({ suspects, report }: Visit, file: LocalFile, error: unknown): void {
  const reason = messageOf(error)
  addProblem(report, { path: file.path, reason })
  // Errors of the disk may pass; a file that contradicts its maker's word does not get better by reading it again.
  if (error instanceof EdgeError && suspects.size < SUSPECTS_KEPT) {
    suspects.set(file.path, { bytes: file.bytes, mtimeMs: file.mtimeMs, reason })
  }
}

async function verifyDue(visit: Visit, due: readonly FileRecord[]): Promise<void> {
  visit.report.plannedFiles += due.length
  visit.report.plannedBytes += due.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const batch of batchesOf(due, record => record.bytes, VERIFY_BATCH)) {
    if (isStopped(visit)) return
    const { verdicts, problems, error } = await visit.target.verify(batch, workOf(visit))
    const nowMs = visit.clock.nowMs()
    const records = batch.flatMap(record => {
      const verdict = verdicts.get(record.path)
      return verdict === undefined ? [] : [recordOf(record, verdict === 'same' ? 'verified' : verdict, nowMs)]
    })
    record(visit, records)
    countVerdicts(visit, records)
    for (const problem of problems) addProblem(visit.report, problem)
    failWith(visit, error)
  }
}

function countVerdicts({ report, log }: Visit, records: readonly FileRecord[]): void {
  for (const { path, state } of records) {
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
}

function recordOf(file: Omit<FileRecord, 'state' | 'atMs'>, state: ShipState, atMs: number): FileRecord {
  const { path, bytes, mtimeMs, sha256, md5 } = file
  return { path, bytes, mtimeMs, sha256, md5, state, atMs }
}

function workOf({ dataDir, signal, onFile }: Visit): Work {
  return { dataDir, signal, onFile }
}

function isStopped({ signal, report }: Visit): boolean {
  return signal.aborted || report.error !== undefined
}

/** What failed only because we were asked to stop is no failure of the target. */
function failWith({ report, signal }: Visit, error: EdgeError | undefined): void {
  if (error && !signal.aborted) report.error = error
}
