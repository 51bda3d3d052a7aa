#!/usr/bin/env node
import { Command } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { version } from '../platform/package-info.js'
import { bookCommand } from './book.js'
import { compactCommand } from './compact.js'
import { coverageCommand } from './coverage.js'
import { demoCommand } from './demo.js'
import { doctorCommand } from './doctor.js'
import { dumpCommand } from './dump.js'
import { initCommand } from './init.js'
import { queryCommand } from './query.js'
import { recordCommand } from './record.js'
import { replayCommand } from './replay.js'
import { retentionCommand } from './retention.js'
import { runCommand } from './run.js'
import { serveCommand } from './serve.js'
import { simulateCommand } from './simulate.js'
import { statusCommand } from './status.js'
import { syncCommand } from './sync.js'
import { verifyCommand } from './verify.js'

const program = new Command('edgetape')
  .description('records market data as plain files and brings them home')
  .version(version)
  .showHelpAfterError('(edgetape --help lists the commands)')
  .configureHelp({ sortSubcommands: false })

const commands = [
  initCommand(),
  doctorCommand(),
  recordCommand(),
  compactCommand(),
  syncCommand(),
  retentionCommand(),
  runCommand(),
  statusCommand(),
  serveCommand(),
  coverageCommand(),
  verifyCommand(),
  dumpCommand(),
  queryCommand(),
  bookCommand(),
  replayCommand(),
  simulateCommand(),
  demoCommand(),
]
for (const command of commands) program.addCommand(command)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof EdgeError)) throw error
  process.stderr.write(`edgetape: ${error.message}\n`)
  if (error.hint !== undefined) process.stderr.write(`edgetape: hint: ${error.hint}\n`)
  process.exitCode = 1
}
