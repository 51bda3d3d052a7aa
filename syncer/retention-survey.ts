import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.js'
import { systemClock, type Clock } from '../platform/clock.js'
import { acquireProcessLock } from '../platform/process-lock.js'
import { LedgerStore } from './ledger-store.js'
import { listDates, readDate, type LocalFile } from './local-tree.js'
import { readReceipts } from './receipts.js'
import { planRetention, type KeepReason } from './retention.js'
import { retire } from './retire.js'
import { neededBytes } from './space.js'
import { createTarget } from './targets/open-target.js'
import type { FileProblem } from './targets/target.js'

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
}

export interface RetentionOptions {
  config: Pick<Config, 'dataDir' | 'sync' | 'retention'>
  /** Nothing is deleted; works beside a running syncer. */
  dryRun: boolean
  clock?: Clock
}

/**
 * Decides, by what the syncer has on disk, what may be deleted here and why the rest stays; deletes it unless `dryRun`.
 * Oldest date first.
 * @throws EdgeError SYNC_NO_TARGET, SYNC_TARGET_INVALID; LOCK_HELD a syncer is at work, which does this by itself
 */
export function surveyRetention({ config, dryRun, clock = systemClock }: RetentionOptions): RetentionSurvey {
  const target = createTarget(config.sync)
  const survey: RetentionSurvey = { target: target.label, neededBytes: 0, dates: [] }
  if (!existsSync(config.dataDir)) return survey
  const dataDir = realpathSync(config.dataDir)
  const stateDir = join(dataDir, 'state', 'syncer')
  const lock = dryRun ? undefined : acquireProcessLock(join(stateDir, 'lock'), 'syncer')
  try {
    const ledgers = new LedgerStore(stateDir, target.label, dryRun)
    const dates = [...listDates(dataDir)]
    const heldBytes = dates.reduce((sum, [, folders]) => sum + readDate(dataDir, folders).bytes, 0)
    survey.neededBytes = neededBytes(dataDir, config.retention, heldBytes)
    let needBytes = survey.neededBytes
    for (const [date, folders] of dates) {
      const { files } = readDate(dataDir, folders)
      const found = surveyDate(dataDir, date, files, ledgers, { config, nowMs: clock.nowMs(), needBytes })
      if (!dryRun) found.problems = retire(dataDir, found.goes).problems
      needBytes = Math.max(0, needBytes - found.goesBytes)
      survey.dates.push(found)
    }
    return survey
  } finally {
    lock?.release()
  }
}

function surveyDate(
  dataDir: string,
  date: string,
  files: readonly LocalFile[],
  ledgers: LedgerStore,
  { config, nowMs, needBytes }: { config: Pick<Config, 'retention'>; nowMs: number; needBytes: number },
): DateSurvey {
  const keepMs = config.retention.keepHours * 3_600_000
  const ledger = ledgers.of(date)
  const receipts = readReceipts(dataDir, date)
  const {
    retire: goes,
    freedBytes,
    kept,
  } = planRetention({
    ...{ files, receipts, nowMs, keepMs, needBytes },
    recordOf: path => ledger.get(path),
  })
  const keptFiles = [...kept.values()].reduce((sum, count) => sum + count, 0)
  return {
    date,
    goes,
    goesBytes: freedBytes,
    ageFiles: goes.filter(file => file.hourEndMs + keepMs <= nowMs).length,
    stays: kept,
    youngFiles: files.length - goes.length - keptFiles,
    problems: [],
  }
}
