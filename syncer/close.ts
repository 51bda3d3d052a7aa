import type { PassWork } from './pass-work.js'
import { addProblem } from './report.js'
import { settle } from './settled.js'
import { planNow, summarize, type DatePass } from './date-pass.js'

/** Puts a date away: reports what cannot be dealt with, and remembers what is left to do, or that nothing is. */
export function close(work: PassWork, datePass: DatePass): void {
  const { ledgers, report, dataDir } = work
  const { date, ledger, local, readAtMs } = datePass
  for (const { path } of planNow(datePass, work).unproven)
    addProblem(report, { path, reason: 'a sealed segment without its manifest; it stays here' })
  ledgers.keep(date, ledger)
  const { backlogFiles, unverifiedFiles } = summarize(datePass, work)
  const isDone = local.files.length > 0 && backlogFiles + unverifiedFiles === 0
  ledgers.settle(date, isDone ? settle(dataDir, local, readAtMs) : undefined)
}
