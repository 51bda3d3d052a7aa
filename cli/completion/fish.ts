import type { CommandWords, FlagWords } from './words.js'

/** Lines for a file of fish's completions folder. */
export function fishScript(commands: readonly CommandWords[]): string {
  const lines = ['# fish completion of edgetape', 'complete -c edgetape -f']
  for (const { name, describes } of commands)
    lines.push(`complete -c edgetape -n __fish_use_subcommand -a ${name} -d ${quoted(describes)}`)
  for (const { name, flags, choices, takesPaths } of commands) {
    const behind = `complete -c edgetape -n '__fish_seen_subcommand_from ${name}'`
    for (const flag of flags) lines.push(`${behind} ${flagOf(flag)}`)
    if (choices.length > 0) lines.push(`${behind} -a '${choices.join(' ')}'`)
    if (takesPaths) lines.push(`${behind} -F`)
  }
  return `${lines.join('\n')}\n`
}

function flagOf({ flag, describes, takes }: FlagWords): string {
  const option = `-l ${flag.slice(2)} -d ${quoted(describes)}`
  if (takes === 'nothing') return option
  if (takes === 'file') return `${option} -r -F`
  if (takes === 'folder') return `${option} -x -a '(__fish_complete_directories)'`
  return takes === 'text' ? `${option} -x` : `${option} -x -a '${takes.join(' ')}'`
}

const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`
