import { CommanderError } from 'commander'
import { exitCodeOfError, exitCodes } from './exit-codes.js'
import { toldError } from '../platform/told-error.js'

/**
 * Says on stderr why a command failed, and sets its exit code.
 * @returns false where it is a mistake of ours, which only its stack trace explains: nothing is said then
 */
export function tell(error: unknown): boolean {
  if (error instanceof CommanderError) {
    // It has told already; help and version are no mistake.
    process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage
    return true
  }
  const told = toldError(error)
  if (!told) return false
  process.stderr.write(`edgetape: ${told.message}\n`)
  if (told.hint !== undefined) process.stderr.write(`edgetape: hint: ${told.hint}\n`)
  process.exitCode = exitCodeOfError(told)
  return true
}
