import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.js'
import { syncerState } from '../formats/ledger.js'
import { systemClock, type Clock } from '../platform/clock.js'
import type { EdgeError } from '../platform/edge-error.js'
import { acquireProcessLock } from '../platform/process-lock.js'
import { LedgerStore } from './ledger-store.js'
import { listDates, readDate, type LocalFile } from './local-tree.js'
import { readReceipts } from './receipts.js'
import { dueOf, type KeepReason } from './retention.js'
import { retireProven, type DueDate } from './proven-retirement.js'
import { neededBytes } from './space.js'
import { placeOf } from './place/place-of.js'
import { requireElsewhere } from './place/target-place.js'
import { createTarget } from './targets/open-target.js'
import type { FileProblem, Target } from './targets/target.js'

const HOUR_MS = 3_600_000

/** What retention decides about one date. Bytes are those of files. */
export interface DateSurvey {
  date: string
  /** What goes, in the order of deletion; `age` files are older than `keepHours`, the others are needed for space. */
  goes: LocalFile[]
  goesBytes: number
  ageFiles: number
  /** What stays although its time has come, by reason. */
  stays: Map<KeepReason, number>
  /** What stays because its time has not come. */
  youngFiles: number
  problems: FileProblem[]
}

export interface RetentionSurvey {
  target: string
  /** What must be freed whatever its age. */
  neededBytes: number
  dates: DateSurvey[]
  /** Why nothing was deleted: the target does not answer, or is not the one that was used. */
  error: EdgeError | undefined
}

export interface RetentionOptions {
  config: Pick<Config, 'dataDir' | 'sync' | 'retention'>
  /** Nothing is deleted; works beside a running syncer. */
  dryRun: boolean
  clock?: Clock
  signal?: AbortSignal
  /** Hears of how many bytes the target has proven that it has them, of those that would go. */
  onProven?: (bytes: number, all: number) => void
}

/**
 * Decides, by what the syncer has on disk, what may be deleted here and why the rest stays; unless `dryRun`, has the target
 * prove it once more and deletes it. Oldest date first.
 * @throws EdgeError SYNC_NO_TARGET, SYNC_TARGET_INVALID, SYNC_TARGET_NOT_ELSEWHERE; LOCK_HELD a syncer is at work, which
 *         does this by itself
 */
export async function surveyRetention(options: RetentionOptions): Promise<RetentionSurvey> {
  const { config, dryRun, clock = systemClock, signal = new AbortController().signal, onProven } = options
  const target = createTarget(config.sync)
  const survey: RetentionSurvey = { target: target.label, neededBytes: 0, dates: [], error: undefined }
  if (!existsSync(config.dataDir)) return survey
  const dataDir = realpathSync(config.dataDir)
  requireElsewhere(dataDir, target)
  const stateDir = syncerState(dataDir)
  const lock = dryRun ? undefined : acquireProcessLock(join(stateDir, 'lock'), 'syncer')
  try {
    const ledgers = new LedgerStore(stateDir, target.label, dryRun)
    const dates = [...listDates(dataDir)]
    const heldBytes = dates.reduce((sum, [, folders]) => sum + readDate(dataDir, folders).bytes, 0)
    survey.neededBytes = neededBytes(dataDir, config.retention, heldBytes)
    let needBytes = survey.neededBytes
    const due: Due[] = []
    for (const [date, folders] of dates) {
      const { files } = readDate(dataDir, folders)
      const found = surveyDate(dataDir, date, files, ledgers, { config, nowMs: clock.nowMs(), needBytes })
      needBytes = Math.max(0, needBytes - found.survey.goesBytes)
      survey.dates.push(found.survey)
      if (found.files.length > 0) due.push(found)
    }
    if (!dryRun) await retireSurveyed({ config, dataDir, target, ledgers, clock, signal, onProven }, survey, due)
    return survey
  } finally {
    lock?.release()
  }
}

type Due = DueDate & { survey: DateSurvey }

async function retireSurveyed(
  context: Required<Pick<RetentionOptions, 'config' | 'clock' | 'signal'>> & {
    dataDir: string
    target: Target
    ledgers: LedgerStore
    onProven: RetentionOptions['onProven']
  },
  survey: RetentionSurvey,
  due: readonly Due[],
): Promise<void> {
  if (due.length === 0) return
  const { config, dataDir, target, ledgers, clock, signal, onProven } = context
  const place = placeOf({ sync: config.sync, dataDir, target, clock, signal }, ledgers)
  const { identity } = ledgers
  const { retired, bad, problems, error } = await retireProven(
    { dataDir, target, place, identity, signal, nowMs: () => clock.nowMs(), onProven },
    due,
  )
  survey.error = error
  for (const one of due) {
    const { gone = [], bytes = 0, problems: here = [] } = retired.get(one) ?? {}
    const isOfDate = ({ path }: { path: string }) => one.files.some(file => file.path === path)
    const wrong = bad.filter(isOfDate).map(({ path, state }) => ({ path, reason: `it is ${state} at the target now` }))
    const { survey: date } = one
    date.ageFiles = gone.filter(file => file.hourEndMs + config.retention.keepHours * HOUR_MS <= clock.nowMs()).length
    Object.assign(date, { goes: gone, goesBytes: bytes, problems: [...here, ...wrong, ...problems.filter(isOfDate)] })
  }
}

function surveyDate(
  dataDir: string,
  date: string,
  files: readonly LocalFile[],
  ledgers: LedgerStore,
  { config, nowMs, needBytes }: { config: Pick<Config, 'retention'>; nowMs: number; needBytes: number },
): Due {
  const keepMs = config.retention.keepHours * HOUR_MS
  const ledger = ledgers.of(date)
  const receipts = readReceipts(dataDir, date)
  const question = { files, receipts, nowMs, keepMs, needBytes, recordOf: (path: string) => ledger.get(path) }
  const { answer, again } = dueOf(question)
  const { retire: goes, freedBytes, kept } = answer
  const keptFiles = [...kept.values()].reduce((sum, count) => sum + count, 0)
  const survey: DateSurvey = {
    date,
    goes,
    goesBytes: freedBytes,
    ageFiles: goes.filter(file => file.hourEndMs + keepMs <= nowMs).length,
    stays: kept,
    youngFiles: files.length - goes.length - keptFiles,
    problems: [],
  }
  return { survey, ledger, files: goes, plan: again }
}
