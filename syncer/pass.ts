import { close } from './close.js'
import { addSummaries } from './date-summary.js'
import { beginPass, graceIn, isOver, type Syncer } from './pass-work.js'
import { takeAsked } from './look-again.js'
import { prove } from './prove.js'
import type { PassReport } from './report.js'
import { DueFiles } from './retire-due.js'
import { ship } from './ship.js'
import { Survey } from './survey.js'
import { verify } from './verify.js'

/** Files of hours that ended no longer ago than this are new, and go before any backlog. */
const NEW_MS = 2 * 3_600_000

/**
 * One pass over what is here, the way of a file from step to step:
 *
 *   prove    the target is the place that the ledgers are about        → `place/`
 *   survey   which dates there are, and what is to be done of each     → `local-tree`, `plan`
 *   ship     what is new first, then what waits, the oldest first      → `upload`, `replacements`
 *   verify   what an earlier pass brought there; before shipping, so that a long backlog does not keep it waiting
 *   close    what is left to do of a date is counted and remembered    → `date-summary`, `settled`
 *   retire   what is old, verified and proven once more goes from here → `retention`, `proven-retirement`
 *
 * What goes wrong with one file is a problem in the report, and the others go on; what goes wrong with the target is the
 * report's error, after which dates are only counted.
 */
export async function runPass(syncer: Syncer): Promise<PassReport> {
  const startedMs = performance.now()
  const work = beginPass(syncer)
  const { report, memory, clock } = work
  await prove(work)
  if (!report.error) takeAsked(work)
  const survey = new Survey(work)
  const newFromMs = clock.nowMs() - NEW_MS
  const first = await ship(work, await survey.newest(), ({ hourEndMs }) => hourEndMs >= newFromMs)
  const tried = new Set(first.map(({ file }) => file.path))
  const due = new DueFiles(work)
  for await (const { datePasses, mayWork } of survey.groups()) {
    if (mayWork) {
      await verify(work, datePasses)
      await ship(work, datePasses, ({ path }) => !tried.has(path))
      // What needs no time to reach the disk there is compared at once.
      if (graceIn(work) === 0) await verify(work, datePasses)
    }
    for (const datePass of datePasses) {
      close(work, datePass)
      due.add(datePass)
    }
    if (due.areMany) await due.retire()
  }
  await due.retire()
  report.cutShort = isOver(work)
  addSummaries(report, [...memory.dates.values()])
  report.durationMs = Math.round(performance.now() - startedMs)
  return report
}
