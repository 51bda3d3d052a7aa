#!/usr/bin/env node
import { CommanderError } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { endOfCommand } from '../platform/shutdown.js'
import { endWhenNobodyReads } from './closed-pipe.js'
import { exitCodeOfError, exitCodes } from './exit-codes.js'
import { createProgram } from './program.js'

endWhenNobodyReads()
try {
  await createProgram().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // It has told already; help and version are no mistake.
    process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage
  } else if (error instanceof EdgeError) {
    process.stderr.write(`edgetape: ${error.message}\n`)
    if (error.hint !== undefined) process.stderr.write(`edgetape: hint: ${error.hint}\n`)
    process.exitCode = exitCodeOfError(error)
  } else throw error
} finally {
  endOfCommand()
}
