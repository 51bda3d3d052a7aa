#!/usr/bin/env node
import './start-flags.js'
import { inspect } from 'node:util'
import { endOfCommand } from '../platform/shutdown.js'
import { endWhenNobodyReads } from './closed-pipe.js'
import { exitCodes } from './exit-codes.js'
import { runCommand } from './run-command.js'
import { printError } from './print-error.js'
import { knownError } from '../platform/known-error.js'

/** What is loaded from several sides fails on each of them; by then the command has printed the error. */
const isPrinted = (error: unknown) => Boolean(process.exitCode) && knownError(error) !== undefined

endWhenNobodyReads()
process.on('uncaughtException', error => {
  if (!isPrinted(error) && !printError(error)) {
    process.stderr.write(`${inspect(error)}\n`)
    process.exitCode = exitCodes.failure
  }
  process.exit()
})
try {
  await runCommand(process.argv.slice(2))
} finally {
  endOfCommand()
}
