#!/usr/bin/env node
import { endOfCommand } from '../platform/shutdown.js'
import { endWhenNobodyReads } from './closed-pipe.js'
import { runCommand } from './run-command.js'

endWhenNobodyReads()
try {
  await runCommand(process.argv.slice(2))
} finally {
  endOfCommand()
}
