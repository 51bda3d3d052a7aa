import { Command } from 'commander'
import { version } from '../platform/package-info.js'
import { alertsCommand } from './alerts.js'
import { bookCommand } from './book.js'
import { catalogCommand } from './catalog.js'
import { compactCommand } from './compact.js'
import { completionCommand } from './completion.js'
import { coverageCommand } from './coverage.js'
import { demoCommand } from './demo.js'
import { doctorCommand } from './doctor.js'
import { dumpCommand } from './dump.js'
import { exportCommand } from './export.js'
import { helpCommand } from './help.js'
import { examplesText } from './help/examples.js'
import { importCommand } from './import.js'
import { initCommand } from './init.js'
import { mergeCommand } from './merge.js'
import { queryCommand } from './query.js'
import { recordCommand } from './record.js'
import { replayCommand } from './replay.js'
import { reportCommand } from './report.js'
import { retentionCommand } from './retention.js'
import { runCommand } from './run.js'
import { serveCommand } from './serve.js'
import { simulateCommand } from './simulate.js'
import { statusCommand } from './status.js'
import { syncCommand } from './sync.js'
import { tailCommand } from './tail.js'
import { verifyCommand } from './verify.js'

/** The whole command line. It never ends the process: what commander would end with is thrown. */
export function createProgram(): Command {
  const program = new Command('edgetape')
    .description('records market data as plain files and brings them home')
    .version(version)
    .showHelpAfterError('(edgetape --help lists the commands)')
    .configureHelp({ sortSubcommands: false })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'edgetape: ')) })
    .helpCommand(false)
    .exitOverride()
  const commands = [
    initCommand(),
    doctorCommand(),
    recordCommand(),
    compactCommand(),
    syncCommand(),
    retentionCommand(),
    runCommand(),
    statusCommand(),
    tailCommand(),
    serveCommand(),
    alertsCommand(),
    coverageCommand(),
    reportCommand(),
    verifyCommand(),
    dumpCommand(),
    queryCommand(),
    catalogCommand(),
    bookCommand(),
    replayCommand(),
    mergeCommand(),
    importCommand(),
    exportCommand(),
    simulateCommand(),
    demoCommand(),
    completionCommand(),
    helpCommand(),
  ]
  for (const command of commands) {
    command.copyInheritedSettings(program)
    command.showHelpAfterError(`(edgetape ${command.name()} --help explains it)`)
    command.addHelpText('after', () => examplesText(command.name()))
    program.addCommand(command)
  }
  return program
}
