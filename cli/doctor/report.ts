import { exitCodes, type ExitCode } from '../exit-codes.js'
import type { Finding, Outcome } from '../../monitor/doctor/finding.js'
import { wrapped } from '../../platform/wrapped.js'

const SIGNS: Record<Outcome, string> = { ok: '✅', warning: '⚠️ ', failed: '❌', skipped: '– ' }
const WORDS: Record<Outcome, string> = { ok: 'ok', warning: 'warning', failed: 'FAILED', skipped: 'skipped' }
const NAME_WIDTH = 16
const WORD_WIDTH = 7

/** One finding as lines for a person: the outcome, what was looked at, what was found; below it what to do. */
export function linesOf({ check, outcome, message, hint }: Finding, withSigns: boolean): string {
  const mark = withSigns ? SIGNS[outcome] : WORDS[outcome].padEnd(WORD_WIDTH)
  const indent = ' '.repeat((withSigns ? 2 : WORD_WIDTH) + 2 + NAME_WIDTH)
  const [first = '', ...others] = message.split('\n')
  const lines = [
    wrapped(first, indent, `${mark}  ${check.padEnd(NAME_WIDTH)}`),
    ...others.map(line => wrapped(line, indent)),
  ]
  const [todo, ...more] = hint?.split('\n') ?? []
  if (todo !== undefined)
    lines.push(wrapped(todo, `${indent}  `, `${indent}→ `), ...more.map(line => wrapped(line, `${indent}  `)))
  return lines.join('\n')
}

/** The last line for a person. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (outcome: Outcome) => findings.filter(found => found.outcome === outcome).length
  const [failed, warnings] = [count('failed'), count('warning')]
  const warningsText = `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`
  if (failed > 0) return `${failed} ${failed === 1 ? 'error' : 'errors'}${warnings > 0 ? `, ${warningsText}` : ''}`
  return warnings > 0 ? `ready to run; ${warningsText}` : 'ready to run'
}

export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ outcome }) => outcome === 'failed')) return exitCodes.failure
  return findings.some(({ outcome }) => outcome === 'warning') ? exitCodes.warnings : exitCodes.success
}
