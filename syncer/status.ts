import type { Said } from '../formats/part-status.js'
import type { PassReport } from './report.js'

const SUMMED = [
  'shippedFiles',
  'shippedBytes',
  'verifiedFiles',
  'wrongFiles',
  'missingFiles',
  'retiredFiles',
  'retiredBytes',
] as const

type Sums = Record<(typeof SUMMED)[number], number>

/** Sums over the life of the process, beside the last pass. */
export interface Totals extends Sums {
  failuresInARow: number
  lastSuccessMs: number | undefined
  lastError: { atMs: number; code: string; message: string; hint: string | undefined } | undefined
}

const sumsOf = (each: (key: keyof Sums) => number) => Object.fromEntries(SUMMED.map(key => [key, each(key)])) as Sums

export function emptyTotals(): Totals {
  return {
    ...sumsOf(() => 0),
    failuresInARow: 0,
    lastSuccessMs: undefined,
    lastError: undefined,
  }
}

/** The totals after another pass. Pure. */
export function withPass(totals: Totals, report: PassReport, nowMs: number): Totals {
  const sums = sumsOf(key => totals[key] + report[key])
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
