import type { Command } from 'commander'

/**
 * What options were called before the commands spoke one language, and what they are called now: `--from` and `--to` are
 * times, `--path` is a tree, `--out` is where something is written.
 */
export const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  catalog: { '--from': '--path' },
  tail: { '--since': '--from' },
  merge: { '--until': '--to' },
  import: { '--to': '--out', '--only': '--where' },
  book: { '--csv': '--format csv' },
  demo: { '--dir': '--out' },
  replay: { '--host': '--listen' },
  simulate: { '--host': '--listen', '--instruments': '--options' },
}

/** An old spelling is an error that says the new one. It is hidden: nobody is to learn it. */
export function refuseOldSpellings(command: Command): void {
  // It says itself that its folder has a name now.
  if (command.name() === 'coverage') command.allowExcessArguments()
  for (const [before, now] of Object.entries(RENAMED[command.name()] ?? {})) {
    const option = command.createOption(`${before} [value]`).hideHelp()
    command.addOption(option)
    command.on(`option:${option.name()}`, () => {
      command.error(`error: '${before}' is called '${now}' now`, { code: 'commander.unknownOption' })
    })
  }
}
