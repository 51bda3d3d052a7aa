import { readDate, type LocalDate } from './local-tree.js'
import { failWith, isStopped, type PassWork } from './pass-work.js'
import { retireProven, type DueDate } from './proven-retirement.js'
import { addProblem } from './report.js'
import { dueOf } from './retention.js'
import { finishedFolders, removeEmptyFolders } from './retire.js'
import { spaceNeeded } from './space.js'
import { summarize, type DatePass } from './date-pass.js'

const HOUR_MS = 3_600_000
/** What is due for deletion is compared and deleted together, until there are so many files of it. */
const DUE_FILES = 20_000

type Due = DueDate & { datePass: DatePass }

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
  add(datePass: DatePass): void {
    const due = isStopped(this.#work) ? undefined : this.#dueOf(datePass)
    if (due) this.#due.push(due)
    else removeFinishedFolders(this.#work, datePass)
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
      const { datePass } = date
      const { files = 0, bytes = 0, problems: here = [] } = retired.get(date) ?? {}
      report.retiredFiles += files
      report.retiredBytes += bytes
      for (const problem of here) addProblem(report, problem)
      datePass.plan = undefined
      if (files > 0) datePass.local = readDate(dataDir, datePass.local.tops)
      if (date.files.some(({ path }) => datePass.ledger.get(path)?.state !== 'verified'))
        ledgers.settle(datePass.date, undefined)
      summarize(datePass, this.#work)
      removeFinishedFolders(this.#work, datePass)
    }
  }

  /** Undefined where nothing is old enough, or needed beyond what is due already. */
  #dueOf(datePass: DatePass): Due | undefined {
    const { clock, config } = this.#work
    const nowMs = clock.nowMs()
    const keepMs = config.retention.keepHours * HOUR_MS
    const dueBytes = this.#due.reduce((sum, { files }) => sum + files.reduce((bytes, file) => bytes + file.bytes, 0), 0)
    const needBytes = Math.max(0, spaceNeeded(this.#work) - dueBytes)
    const { local, ledger } = datePass
    if (needBytes === 0 && !local.files.some(file => file.hourEndMs + keepMs <= nowMs)) return undefined
    const question = { files: local.files, recordOf: (path: string) => ledger.get(path), nowMs, keepMs, needBytes }
    const { answer, again } = dueOf({ ...question, receipts: datePass.receipts() })
    return answer.retire.length === 0 ? undefined : { datePass, ledger, files: answer.retire, plan: again }
  }
}

function removeFinishedFolders({ dataDir, clock }: PassWork, { local, date }: DatePass): void {
  const hasRaw = local.files.some(file => file.kind === 'segment') || hasOpenRaw(local)
  removeEmptyFolders(dataDir, finishedFolders(local.bareFolders, date, clock.nowMs(), hasRaw))
}

/** More bytes in the raw folders than our files explain: open segments, which will be sealed and converted. */
function hasOpenRaw({ bytes, files }: LocalDate): boolean {
  return bytes > files.reduce((sum, file) => sum + file.bytes, 0)
}
