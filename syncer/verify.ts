import type { FileRecord } from '../formats/ledger.js'
import { failWith, isOver, isStopped, targetWork, type PassWork } from './pass-work.js'
import { batchesOf } from './plan.js'
import { addProblem } from './report.js'
import { planAnew, planNow, recordAll, recordOf, type DatePass } from './date-pass.js'

/** A file that was uploaded and is now to be compared. */
interface Handed {
  datePass: DatePass
  record: FileRecord
}

/**
 * More than travels at once: nothing of it does. All files of dates that were taken together, but for a very full one. The other
 * side reads all of it before it says a word.
 */
const BATCH = { files: 8000, bytes: 2 * 1024 ** 3 }

/**
 * Has the target compute the checksums of what was brought there long enough ago, and compares them. The first batch is
 * compared even if the time of the pass is over.
 */
export async function verify(work: PassWork, datePasses: readonly DatePass[]): Promise<void> {
  if (isStopped(work) || handedOf(work, datePasses).length === 0) return
  planAnew(datePasses)
  const handed = handedOf(work, datePasses)
  const { report } = work
  report.plannedFiles += handed.length
  report.plannedBytes += handed.reduce((sum, { record }) => sum + record.bytes, 0)
  let isFirst = true
  for (const batch of batchesOf(handed, ({ record }) => record.bytes, BATCH)) {
    if (isStopped(work) || (!isFirst && isOver(work))) return
    isFirst = false
    await compareBatch(work, batch)
  }
}

const handedOf = (work: PassWork, datePasses: readonly DatePass[]): Handed[] =>
  datePasses.flatMap(datePass => planNow(datePass, work).verify.map(record => ({ datePass, record })))

async function compareBatch(work: PassWork, batch: readonly Handed[]): Promise<void> {
  const { report, log } = work
  const { verdicts, problems, error } = await work.place.verify(
    batch.map(({ record }) => record),
    targetWork(work),
  )
  const nowMs = work.clock.nowMs()
  const found = batch.flatMap(({ datePass, record }) => {
    const verdict = verdicts.get(record.path)
    if (verdict === undefined) return []
    return [{ datePass, record: recordOf(record, verdict === 'same' ? 'verified' : verdict, nowMs) }]
  })
  recordAll(found)
  for (const { record } of found) {
    const { path, state } = record
    if (state === 'verified') report.verifiedFiles++
    if (state === 'wrong') {
      report.wrongFiles++
      log.error({ path }, 'the copy at the target is not what was shipped; it is copied again')
    }
    if (state === 'missing') {
      report.missingFiles++
      log.warn({ path }, 'the copy is no longer at the target; it is copied again')
    }
  }
  for (const problem of problems) addProblem(report, problem)
  failWith(work, error)
}
