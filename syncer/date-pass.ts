import { dirname } from 'node:path'
import type { DateLedger, FileRecord, ShipState } from '../formats/ledger.js'
import { isSwitching, readReplaced, type Replaced } from '../formats/replacement.js'
import { replacedListPath, writeReplacedList } from '../formats/replaced-files.js'
import { summaryOf } from './date-summary.js'
import { linkProblem, readDate, type LocalDate } from './local-tree.js'
import { graceIn, type PassWork } from './pass-work.js'
import { planDate, type DatePlan } from './plan.js'
import { addProblem } from './report.js'
import { readReceipts, type Receipts } from './receipts.js'

/** One date in the hands of a pass. */
export interface DatePass {
  date: string
  local: LocalDate
  /** When `local` was read, by the clock of the file system; ms since the epoch. */
  readAtMs: number
  ledger: DateLedger
  /** Called when a Parquet file has to be proven. */
  receipts: () => Receipts
  /** What the compactor replaced. */
  replaced: Replaced
  /** The compactor is at it right now: Parquet waits for the next pass. */
  isSwitching: boolean
  /** As of now; undefined once the files or the ledger have changed. */
  plan: DatePlan | undefined
}

/** Takes a date up: reads what is here, what is known of it, and what was replaced. */
export function openDatePass(
  { dataDir, target, recorder, ledgers, report }: PassWork,
  date: string,
  folders: readonly string[],
): DatePass {
  const readAtMs = Date.now()
  let local = readDate(dataDir, folders)
  // In this order: what is listed and is not being replaced now, `replaced` has.
  const switching = isSwitching(dataDir)
  const replaced = readReplaced(dataDir, date)
  const present = new Set(local.files.map(({ path }) => path))
  if (!target.replace && !switching && [...replaced.values()].some(by => by.some(path => present.has(path)))) {
    const list = replacedListPath(date, recorder)
    if (writeReplacedList(dataDir, list, replaced)) local = readDate(dataDir, [...new Set([...folders, dirname(list)])])
  }
  for (const link of local.links) addProblem(report, linkProblem(link))
  const ledger = ledgers.of(date)
  if (local.files.length === 0 && ledger.size > 0) ledger.remove()
  let receipts: Receipts | undefined
  return {
    ...{ date, readAtMs, local, ledger, replaced, isSwitching: switching, plan: undefined },
    receipts: () => (receipts ??= readReceipts(dataDir, date)),
  }
}

/** The plan for the files as they were listed and the ledger as it is. */
export function planNow(datePass: DatePass, work: PassWork): DatePlan {
  return (datePass.plan ??= planDate(
    datePass.local.files,
    path => datePass.ledger.get(path),
    work.clock.nowMs(),
    graceIn(work),
  ))
}

/** To be called before a step does what was planned: time has passed, and more may be known of what the target can do. */
export function planAnew(datePasses: readonly DatePass[]): void {
  for (const datePass of datePasses) datePass.plan = undefined
}

/** Counts anew, for the memory, what is left to do of a date. */
export function summarize(datePass: DatePass, work: PassWork) {
  const summary = summaryOf(datePass.local, datePass.ledger, planNow(datePass, work))
  work.memory.dates.set(datePass.date, summary)
  return summary
}

/** Writes down, durably, what became of files of one or several dates. */
export function recordAll(changes: readonly { datePass: DatePass; record: FileRecord }[]): void {
  const byVisit = new Map<DatePass, FileRecord[]>()
  for (const { datePass, record } of changes) {
    const records = byVisit.get(datePass) ?? []
    records.push(record)
    byVisit.set(datePass, records)
  }
  for (const [datePass, records] of byVisit) {
    datePass.ledger.append(records)
    datePass.plan = undefined
  }
}

/** What is known of a file from now on. */
export function recordOf(file: Omit<FileRecord, 'state' | 'atMs'>, state: ShipState, atMs: number): FileRecord {
  const { path, bytes, mtimeMs, sha256, md5 } = file
  return { path, bytes, mtimeMs, sha256, md5, state, atMs }
}
