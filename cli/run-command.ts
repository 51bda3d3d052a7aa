import { createProgram } from './program.js'
import { printError } from './print-error.js'

/** Runs the command that arguments say. What it ends with is in `process.exitCode`; what nobody foresaw is thrown. */
export async function runCommand(args: readonly string[]): Promise<void> {
  try {
    const program = await createProgram(...(args.length > 0 ? args : ['']))
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!printError(error)) throw error
  }
}
