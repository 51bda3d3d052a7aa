import { Command } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { topics } from './help/topics.js'

/** `edgetape help`: of a command, or of what is not one. */
export function helpCommand(): Command {
  const described = Object.entries(topics).map(([name, { describes }]) => `${name}: ${describes}`)
  return new Command('help')
    .description('help for a command; also config, exit-codes and environment')
    .argument('[about]', `a command; ${described.join('; ')}`)
    .argument('[words...]', 'with config: only keys that begin so')
    .action(async (about: string | undefined, words: string[], _options: object, command: Command) => {
      const program = command.parent
      if (!program) throw new Error('help has no program')
      await showHelp(program, about, words)
    })
}

async function showHelp(program: Command, about: string | undefined, words: readonly string[]): Promise<void> {
  const command = about === undefined ? program : program.commands.find(command => command.name() === about)
  if (command) {
    command.outputHelp()
    return
  }
  const topic = topics[about ?? '']
  if (!topic) {
    throw new EdgeError('HELP_UNKNOWN', `there is no help about ${about ?? 'nothing'}`, {
      hint: `edgetape help lists the commands; other words: ${Object.keys(topics).join(', ')}`,
    })
  }
  process.stdout.write(`${await topic.text(words)}\n`)
}
