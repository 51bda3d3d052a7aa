import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { batchesOf, type DatePlan } from './plan.js'
import { addProblem } from './report.js'
import type { OutgoingFile, Replacement, ShipResult } from './targets/target.js'
import { failWith, isOver, isStopped, targetWork, type PassWork } from './pass-work.js'
import { recordAll, recordOf, type DatePass } from './date-pass.js'

/** A file on its way, and the date it belongs to. */
export type UploadItem = DatePlan['ship'][number] & { datePass: DatePass }

interface Ready {
  datePass: DatePass
  file: OutgoingFile
}

const FILES_PER_TURN = 32

/**
 * Uploads files, in their order, of whatever dates they are; while one batch travels, the next one is read here. The
 * first batch goes even if the time of the pass is over. What happened is in the report and the ledgers.
 */
export async function upload(work: PassWork, items: readonly UploadItem[]): Promise<void> {
  const { report } = work
  report.plannedFiles += items.length
  report.plannedBytes += items.reduce((sum, { file }) => sum + file.bytes, 0)
  const batches = [...batchesOf(items, ({ file }) => file.bytes, work.limits.batch, true)]
  let ready = await prepareBatch(work, batches[0] ?? [])
  for (const [index] of batches.entries()) {
    if (isStopped(work) || (index > 0 && isOver(work))) return
    const next = prepareBatch(work, batches[index + 1] ?? [])
    ;[ready] = await Promise.all([next, shipBatch(work, ready)])
  }
}

/** Takes the checksums of a batch; what is not what it was made as is reported and left out. */
async function prepareBatch(work: PassWork, batch: readonly UploadItem[]): Promise<Ready[]> {
  const { dataDir, signal, report } = work
  const ready: Ready[] = []
  for (const [index, { datePass, file, replace }] of batch.entries()) {
    if (index % FILES_PER_TURN === 0) await setImmediate()
    if (isStopped(work)) break
    const found = await work.memory.prepared
      .read(file, replace, { dataDir, signal, receipts: datePass.receipts, known: datePass.ledger.get(file.path) })
      .catch(unlessStopped)
    if (found === undefined) break
    if (found === 'gone') continue
    if ('file' in found) ready.push({ datePass, file: found.file })
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
export async function uploadInPlace(
  work: PassWork,
  items: readonly UploadItem[],
  gone: Replacement['gone'],
): Promise<void> {
  const { target, report } = work
  const [first] = items
  if (!first || !target.replace) return
  report.plannedFiles += items.length
  report.plannedBytes += items.reduce((sum, { file }) => sum + file.bytes, 0)
  const ready = await prepareBatch(work, items)
  if (ready.length < items.length || isStopped(work)) return
  const replacement = { folder: dirname(first.file.path), files: ready.map(({ file }) => file), gone }
  noteShipped(work, ready, await target.replace(replacement, targetWork(work)))
}

function noteShipped(work: PassWork, ready: readonly Ready[], { done, problems, error }: ShipResult): void {
  const { report, memory, clock } = work
  const handedOver = new Set(done)
  const shipped = ready.filter(({ file }) => handedOver.has(file.path))
  recordAll(shipped.map(({ datePass, file }) => ({ datePass, record: recordOf(file, 'shipped', clock.nowMs()) })))
  memory.prepared.forget(done)
  report.shippedFiles += shipped.length
  report.shippedBytes += shipped.reduce((sum, { file }) => sum + file.bytes, 0)
  for (const problem of problems) addProblem(report, problem)
  failWith(work, error)
}
