import type { CommandWords, Takes } from './words.js'

/** A script for `complete`, which bash reads at its start. */
export function bashScript(commands: readonly CommandWords[]): string {
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap(({ flag, takes }) =>
      takes === 'nothing' ? [] : [`    '${name} ${flag}') ${answerTo(takes)}; return ;;`],
    ),
  )
  const words = commands.map(
    ({ name, flags, choices, takesPaths }) =>
      `    ${name}) words='${[...choices, ...flags.map(({ flag }) => flag)].join(' ')}'${takesPaths ? '; paths=yes' : ''} ;;`,
  )
  return `# bash completion of edgetape
_edgetape() {
  local cur prev words paths=
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$cur")
    return
  fi
  case "\${COMP_WORDS[1]} $prev" in
${values.join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${words.join('\n')}
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [ -n "$paths" ] && [[ $cur != -* ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _edgetape edgetape
`
}

function answerTo(takes: Exclude<Takes, 'nothing'>): string {
  if (takes === 'text') return ':'
  if (takes === 'file') return 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur")'
  if (takes === 'folder') return 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur")'
  return `mapfile -t COMPREPLY < <(compgen -W '${takes.join(' ')}' -- "$cur")`
}
