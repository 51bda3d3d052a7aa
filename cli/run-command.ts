import { createProgram } from './program.js'
import { tell } from './tell.js'

/** Runs the command that arguments say. What it ends with is in `process.exitCode`; what nobody foresaw is thrown. */
export async function runCommand(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!tell(error)) throw error
  }
}
