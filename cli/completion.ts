import { Argument, Command } from 'commander'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** `edgetape completion`: a script for the shell, made of the command line as it is. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('print a completion script for bash, zsh or fish')
    .addArgument(new Argument('<shell>', 'whose').choices(SHELLS))
    .action(async (shell: Shell, _options: object, { parent }: Command) => {
      if (!parent) throw new Error('completion has no program')
      const [{ wordsOf }, { bashScript }, { zshScript }, { fishScript }] = await Promise.all([
        import('./completion/words.js'),
        import('./completion/bash.js'),
        import('./completion/zsh.js'),
        import('./completion/fish.js'),
      ])
      const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]
      process.stdout.write(script(wordsOf(parent)))
    })
}
