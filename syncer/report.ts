import type { EdgeError } from '../platform/edge-error.js'
import type { FileProblem } from './targets/target.js'

/** What one pass did and found. Bytes are those of files, times ms. */
export interface PassReport {
  target: string
  /** Files to ship or to verify that were met so far, and what of them is through; for a progress bar. */
  plannedFiles: number
  plannedBytes: number
  handledFiles: number
  handledBytes: number
  shippedFiles: number
  shippedBytes: number
  verifiedFiles: number
  /** Copies at the target that were not what was shipped; they are shipped anew. */
  wrongFiles: number
  /** Copies that were no longer at the target; they are shipped anew. */
  missingFiles: number
  retiredFiles: number
  retiredBytes: number
  /** Still to be uploaded after the pass. */
  backlogFiles: number
  backlogBytes: number
  /** Uploaded, not verified yet. */
  unverifiedFiles: number
  /** Oldest modification time among the files not verified yet. */
  oldestUnverifiedMs: number | undefined
  /** Everything here of hours that ended by then is verified; undefined where nothing is. */
  verifiedThroughMs: number | undefined
  /** Files that could not be dealt with; the first of them, `problemFiles` counts all. */
  problems: FileProblem[]
  problemFiles: number
  /** What stopped the pass for the target as a whole. */
  error: EdgeError | undefined
  /** False where the target was left alone, because of an earlier error that needs time or a person. */
  tried: boolean
  /** True where the pass ended because its time was over, perhaps with more to do: the next one begins at once. */
  cutShort: boolean
  durationMs: number
}

/** Problems named in a report; a folder full of bad files must not fill the memory. */
const PROBLEMS_KEPT = 100

export function emptyReport(target: string): PassReport {
  return {
    target,
    plannedFiles: 0,
    plannedBytes: 0,
    handledFiles: 0,
    handledBytes: 0,
    shippedFiles: 0,
    shippedBytes: 0,
    verifiedFiles: 0,
    wrongFiles: 0,
    missingFiles: 0,
    retiredFiles: 0,
    retiredBytes: 0,
    backlogFiles: 0,
    backlogBytes: 0,
    unverifiedFiles: 0,
    oldestUnverifiedMs: undefined,
    verifiedThroughMs: undefined,
    problems: [],
    problemFiles: 0,
    error: undefined,
    tried: true,
    cutShort: false,
    durationMs: 0,
  }
}

export function addProblem(report: PassReport, problem: FileProblem): void {
  report.problemFiles++
  if (report.problems.length < PROBLEMS_KEPT) report.problems.push(problem)
}

/** True where nothing failed; files that wait for their grace period are no failure. */
export function isClean(report: PassReport): boolean {
  return report.error === undefined && report.problemFiles === 0
}
