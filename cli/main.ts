#!/usr/bin/env node
import { Command } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { version } from '../platform/package-info.js'
import { compactCommand } from './compact.js'

const program = new Command('edgetape')
  .description('records market data as plain files and brings them home')
  .version(version)
  .showHelpAfterError('(edgetape --help lists the commands)')
  .configureHelp({ sortSubcommands: false })
program.addCommand(compactCommand())

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof EdgeError)) throw error
  process.stderr.write(`edgetape: ${error.message}\n`)
  if (error.hint !== undefined) process.stderr.write(`edgetape: hint: ${error.hint}\n`)
  process.exitCode = 1
}
