import type { Said } from '../formats/part-status.js'
import type { PassReport } from './report.js'

/** Sums over the life of the process, beside the last pass. */
export interface Totals {
  shippedFiles: number
  shippedBytes: number
  verifiedFiles: number
  wrongFiles: number
  missingFiles: number
  retiredFiles: number
  retiredBytes: number
  failuresInARow: number
  lastSuccessMs: number | undefined
  lastError: { atMs: number; code: string; message: string; hint: string | undefined } | undefined
}

export function emptyTotals(): Totals {
  return {
    shippedFiles: 0,
    shippedBytes: 0,
    verifiedFiles: 0,
    wrongFiles: 0,
    missingFiles: 0,
    retiredFiles: 0,
    retiredBytes: 0,
    failuresInARow: 0,
    lastSuccessMs: undefined,
    lastError: undefined,
  }
}

const SUMMED = [
  'shippedFiles',
  'shippedBytes',
  'verifiedFiles',
  'wrongFiles',
  'missingFiles',
  'retiredFiles',
  'retiredBytes',
] as const

/** The totals after another pass. Pure. */
export function withPass(totals: Totals, report: PassReport, nowMs: number): Totals {
  const sums = Object.fromEntries(SUMMED.map(key => [key, totals[key] + report[key]])) as Record<
    (typeof SUMMED)[number],
    number
  >
  const { error, tried } = report
  if (!tried) return { ...totals, ...sums }
  const lastError = error && { atMs: nowMs, code: error.code, message: error.message, hint: error.hint }
  return {
    ...sums,
    failuresInARow: error ? totals.failuresInARow + 1 : 0,
    lastSuccessMs: error ? totals.lastSuccessMs : nowMs,
    lastError: lastError ?? totals.lastError,
  }
}

/** `state/syncer.json`: what an operator and the metrics want to know. Times are ISO 8601, ages seconds. */
export function statusOf(state: string, report: PassReport, totals: Totals, nowMs: number): Said<'syncer'> {
  const { oldestUnverifiedMs } = report
  return {
    state,
    target: report.target,
    backlog_files: report.backlogFiles,
    backlog_bytes: report.backlogBytes,
    unverified_files: report.unverifiedFiles,
    oldest_unverified_age_s:
      oldestUnverifiedMs === undefined ? 0 : Math.max(0, Math.round((nowMs - oldestUnverifiedMs) / 1000)),
    verified_through: isoOrNull(report.verifiedThroughMs),
    shipped_files: totals.shippedFiles,
    shipped_bytes: totals.shippedBytes,
    verified_files: totals.verifiedFiles,
    wrong_copies: totals.wrongFiles,
    missing_copies: totals.missingFiles,
    retired_files: totals.retiredFiles,
    retired_bytes: totals.retiredBytes,
    problem_files: report.problemFiles,
    problems: report.problems.slice(0, 10),
    failures_in_a_row: totals.failuresInARow,
    last_success: isoOrNull(totals.lastSuccessMs),
    last_error: totals.lastError
      ? { ...totals.lastError, atMs: undefined, at: isoOrNull(totals.lastError.atMs) }
      : null,
    last_error_code: totals.lastError?.code ?? null,
    last_pass_ms: report.durationMs,
  }
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
