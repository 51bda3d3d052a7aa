import { readDate, type LocalDate } from './local-tree.js'
import { failWith, isStopped, type PassWork } from './pass-work.js'
import { retireProven, type DueDate } from './proven-retirement.js'
import { addProblem } from './report.js'
import { dueOf } from './retention.js'
import { finishedFolders, removeEmptyFolders } from './retire.js'
import { spaceNeeded } from './space.js'
import { summarize, type Visit } from './visit.js'

const HOUR_MS = 3_600_000
/** What is due for deletion is compared and deleted together, until there are so many files of it. */
const DUE_FILES = 20_000

type Due = DueDate & { visit: Visit }

/** What has had its time here, or stands in the way of what comes: collected date by date, deleted together. */
export class DueFiles {
  readonly #work: PassWork
  #due: Due[] = []

  constructor(work: PassWork) {
    this.#work = work
  }

  /** True where the target should prove them now. */
  get areMany(): boolean {
    return this.#due.reduce((sum, { files }) => sum + files.length, 0) > DUE_FILES
  }

  /** Collects what may go of a date, the oldest date first. */
  add(visit: Visit): void {
    const due = isStopped(this.#work) ? undefined : this.#dueOf(visit)
    if (due) this.#due.push(due)
    else removeFinishedFolders(this.#work, visit)
  }

  /** Deletes here what was collected, once the target has shown again that it has it. */
  async retire(): Promise<void> {
    const due = this.#due.splice(0)
    if (due.length === 0 || isStopped(this.#work)) return
    const { report, log, signal, clock, dataDir, target, place, ledgers } = this.#work
    const context = { dataDir, target, place, identity: ledgers.identity, signal, nowMs: () => clock.nowMs() }
    const { retired, bad, problems, error } = await retireProven(context, due)
    for (const { path, state } of bad) {
      report[state === 'wrong' ? 'wrongFiles' : 'missingFiles']++
      log.error({ path, state }, 'verified once, and no longer right at the target; it stays here and is copied again')
    }
    for (const problem of problems) addProblem(report, problem)
    failWith(this.#work, error)
    for (const date of due) {
      const { visit } = date
      const { files = 0, bytes = 0, problems: here = [] } = retired.get(date) ?? {}
      report.retiredFiles += files
      report.retiredBytes += bytes
      for (const problem of here) addProblem(report, problem)
      visit.plan = undefined
      if (files > 0) visit.local = readDate(dataDir, visit.local.tops)
      if (date.files.some(({ path }) => visit.ledger.get(path)?.state !== 'verified'))
        ledgers.settle(visit.date, undefined)
      summarize(visit, this.#work)
      removeFinishedFolders(this.#work, visit)
    }
  }

  /** Undefined where nothing is old enough, or needed beyond what is due already. */
  #dueOf(visit: Visit): Due | undefined {
    const { clock, config } = this.#work
    const nowMs = clock.nowMs()
    const keepMs = config.retention.keepHours * HOUR_MS
    const dueBytes = this.#due.reduce((sum, { files }) => sum + files.reduce((bytes, file) => bytes + file.bytes, 0), 0)
    const needBytes = Math.max(0, spaceNeeded(this.#work) - dueBytes)
    const { local, ledger } = visit
    if (needBytes === 0 && !local.files.some(file => file.hourEndMs + keepMs <= nowMs)) return undefined
    const question = { files: local.files, recordOf: (path: string) => ledger.get(path), nowMs, keepMs, needBytes }
    const { answer, again } = dueOf({ ...question, receipts: visit.receipts() })
    return answer.retire.length === 0 ? undefined : { visit, ledger, files: answer.retire, plan: again }
  }
}

function removeFinishedFolders({ dataDir, clock }: PassWork, { local, date }: Visit): void {
  const hasRaw = local.files.some(file => file.kind === 'segment') || hasOpenRaw(local)
  removeEmptyFolders(dataDir, finishedFolders(local.bareFolders, date, clock.nowMs(), hasRaw))
}

/** More bytes in the raw folders than our files explain: open segments, which will be sealed and converted. */
function hasOpenRaw({ bytes, files }: LocalDate): boolean {
  return bytes > files.reduce((sum, file) => sum + file.bytes, 0)
}
