import { CommanderError } from 'commander'
import { exitCodeOfError, exitCodes } from './exit-codes.js'
import { knownError } from '../platform/known-error.js'

/**
 * Says on stderr why a command failed, and sets its exit code.
 * @returns false where it is a mistake of ours, which only its stack trace explains: nothing is said then
 */
export function printError(error: unknown): boolean {
  if (error instanceof CommanderError) {
    // Commander printed it already; help and version are no mistake.
    process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage
    return true
  }
  const known = knownError(error)
  if (!known) return false
  process.stderr.write(`edgetape: ${known.message}\n`)
  if (known.hint !== undefined) process.stderr.write(`edgetape: hint: ${known.hint}\n`)
  process.exitCode = exitCodeOfError(known)
  return true
}
