import { CommanderError } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { exitCodeOfError, exitCodes } from './exit-codes.js'
import { createProgram } from './program.js'

/** Runs the command that arguments say. What it ends with is in `process.exitCode`; what nobody foresaw is thrown. */
export async function runCommand(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has told already; help and version are no mistake.
      process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage
    } else if (error instanceof EdgeError) {
      process.stderr.write(`edgetape: ${error.message}\n`)
      if (error.hint !== undefined) process.stderr.write(`edgetape: hint: ${error.hint}\n`)
      process.exitCode = exitCodeOfError(error)
    } else throw error
  }
}
