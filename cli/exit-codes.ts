import type { EdgeError } from '../platform/edge-error.js'

/** How the command ends. `docs/exit-codes.md` and `edgetape help exit-codes` have the same list. */
export const exitCodes = {
  success: 0,
  failure: 1,
  usage: 2,
  warnings: 3,
  incomplete: 4,
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** In words, for a person. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  success: 'done, and nothing was wrong',
  failure: 'something failed, or a check found a fault: the message says which',
  usage: 'the command line, the config file or the credentials are wrong: trying again changes nothing',
  warnings: 'doctor only: ready to run, with warnings',
  incomplete: 'coverage only: something that should have been recorded is missing',
  hangup: 'the same as 130 by SIGHUP: the terminal was closed',
  interrupted: 'ended by Ctrl-C before it was done; a part ends with 0 after a single Ctrl-C',
  terminated: 'the same by SIGTERM',
}

/** Errors that only whoever typed the command can mend. */
const USAGE_ERRORS = new Set([
  'ALERTS_NO_RECEIVER',
  'ALERTS_WHAT',
  'BOOK_FORMAT',
  'BOOK_SPAN_INVALID',
  'BOOK_SPAN_MISSING',
  'CATALOG_DIALECT',
  'CATALOG_PATH',
  'COMPACT_OPTIONS',
  'COVERAGE_OPTIONS',
  'CONFIG_EXISTS',
  'CONFIG_INVALID',
  'CONFIG_NOT_FOUND',
  'CONFIG_UNREADABLE',
  'CREDENTIALS_INCOMPLETE',
  'CREDENTIALS_MISSING',
  'CREDENTIALS_UNREADABLE',
  'DATE_INVALID',
  'EXCHANGE_NOT_CONFIGURED',
  'EXCHANGE_NOT_NAMED',
  'EXCHANGE_NOT_SIMULATED',
  'EXPORT_OPTIONS',
  'HELP_UNKNOWN',
  'IMPORT_EXCHANGE',
  'IMPORT_NO_FILE',
  'IMPORT_OPTIONS',
  'INIT_NO_TERMINAL',
  'MERGE_SAME_FOLDER',
  'PROXY_UNKNOWN',
  'QUERY_FORMAT',
  'QUERY_MISSING',
  'QUERY_OPTIONS',
  'SIMULATOR_SPEED',
  'SYNC_NO_TARGET',
  'SYNC_TARGET_INVALID',
  'SYNC_TARGET_NOT_ELSEWHERE',
  'TAIL_NO_TABLE',
  'TIME_INVALID',
  'VERIFY_DATE',
  'VERIFY_OPTIONS',
  'VERIFY_UNKNOWN',
])

export function exitCodeOfError({ code }: EdgeError): ExitCode {
  return USAGE_ERRORS.has(code) ? exitCodes.usage : exitCodes.failure
}
