import type { Command, Option } from 'commander'

/** What follows a flag on the command line. */
export type Takes = 'nothing' | 'file' | 'folder' | 'text' | readonly string[]

export interface FlagWords {
  /** `--config`. */
  flag: string
  describes: string
  takes: Takes
}

/** What can be typed behind the name of a command. */
export interface CommandWords {
  name: string
  describes: string
  flags: readonly FlagWords[]
  /** Words that stand for themselves, such as the shells of `completion`. */
  choices: readonly string[]
  /** Whether a path may follow. */
  takesPaths: boolean
}

/** All that a shell can complete, from the command line itself. Pure. */
export function wordsOf(program: Command): CommandWords[] {
  return program.commands.map(command => ({
    name: command.name(),
    describes: command.description(),
    flags: [
      ...command.options.filter(({ hidden }) => !hidden).map(flagOf),
      { flag: '--help', describes: 'explains the command', takes: 'nothing' },
    ],
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    takesPaths: command.registeredArguments.some(argument => /^(file|path|folder|what)$/.test(argument.name())),
  }))
}

function flagOf({ long, flags, description, argChoices, required, optional }: Option): FlagWords {
  const argument = /[<[](\w+)/.exec(flags)?.[1]
  const takes: Takes =
    argChoices ??
    (!required && !optional ? 'nothing' : argument === 'file' || argument === 'folder' ? argument : 'text')
  return { flag: long ?? flags, describes: description, takes }
}
