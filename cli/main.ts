#!/usr/bin/env node
import './start-flags.js'
import { inspect } from 'node:util'
import { endOfCommand } from '../platform/shutdown.js'
import { endWhenNobodyReads } from './closed-pipe.js'
import { exitCodes } from './exit-codes.js'
import { runCommand } from './run-command.js'
import { tell } from './tell.js'
import { toldError } from '../platform/told-error.js'

/** What is loaded from several sides fails on each of them; the command has told it then. */
const isToldAlready = (error: unknown) => Boolean(process.exitCode) && toldError(error) !== undefined

endWhenNobodyReads()
process.on('uncaughtException', error => {
  if (!isToldAlready(error) && !tell(error)) {
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
