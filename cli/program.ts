import { Command } from 'commander'
import { version } from '../platform/package-info.js'
import { examplesText } from './help/examples.js'
import { refuseOldSpellings } from './renamed-options.js'

/** How each command is made, in the order of the help: only what is asked for is loaded, and of a list no more than it shows. */
const commands: Readonly<Record<string, (isListed: boolean) => Promise<Command>>> = {
  init: async isListed => (await import('./init.js')).initCommand(!isListed),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  record: async () => (await import('./record.js')).recordCommand(),
  compact: async () => (await import('./compact.js')).compactCommand(),
  sync: async () => (await import('./sync.js')).syncCommand(),
  retention: async () => (await import('./retention.js')).retentionCommand(),
  run: async () => (await import('./run.js')).runCommand(),
  status: async () => (await import('./status.js')).statusCommand(),
  tail: async () => (await import('./tail.js')).tailCommand(),
  serve: async () => (await import('./serve.js')).serveCommand(),
  alerts: async () => (await import('./alerts.js')).alertsCommand(),
  coverage: async () => (await import('./coverage.js')).coverageCommand(),
  report: async () => (await import('./report.js')).reportCommand(),
  verify: async () => (await import('./verify.js')).verifyCommand(),
  dump: async () => (await import('./dump.js')).dumpCommand(),
  query: async () => (await import('./query.js')).queryCommand(),
  catalog: async () => (await import('./catalog.js')).catalogCommand(),
  book: async () => (await import('./book.js')).bookCommand(),
  replay: async () => (await import('./replay.js')).replayCommand(),
  merge: async () => (await import('./merge.js')).mergeCommand(),
  import: async () => (await import('./import.js')).importCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  simulate: async isListed => (await import('./simulate.js')).simulateCommand(!isListed),
  demo: async isListed => (await import('./demo.js')).demoCommand(!isListed),
  completion: async () => (await import('./completion.js')).completionCommand(),
  help: async () => (await import('./help.js')).helpCommand(),
}

/** These are about all others. */
const ABOUT_COMMANDS = ['help', 'completion']
/** What shows the list of commands. */
const LISTS = ['', 'help', '-h', '--help']

/**
 * The command line: of one command where it is named, else whole. It never ends the process: what commander would end with
 * is thrown.
 * @param args what it is for, as far as is known
 */
export async function createProgram(...args: readonly string[]): Promise<Command> {
  const [only = ''] = args
  const program = new Command('edgetape')
    .description('records market data as plain files and copies them, verified, to your NAS')
    .version(version)
    .showHelpAfterError('(edgetape --help lists the commands)')
    .configureHelp({ sortSubcommands: false })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'edgetape: ')) })
    .helpCommand(false)
    .exitOverride()
  const isList = args.length === 1 && LISTS.includes(only)
  const isOne = Object.hasOwn(commands, only) && !ABOUT_COMMANDS.includes(only)
  for (const command of await Promise.all(
    Object.entries(commands).flatMap(([name, make]) => (isOne && name !== only ? [] : [make(isList)])),
  )) {
    command.copyInheritedSettings(program)
    command.showHelpAfterError(`(edgetape ${command.name()} --help explains it)`)
    command.addHelpText('after', () => examplesText(command.name()))
    refuseOldSpellings(command)
    program.addCommand(command)
  }
  return program
}
