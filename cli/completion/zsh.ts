import type { CommandWords, FlagWords } from './words.js'

/** A function for `compinit`, to be put as `_edgetape` into a folder of fpath. */
export function zshScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name, describes }) => `    ${quoted(`${escaped(name)}:${escaped(describes)}`)}`)
  const cases = commands.map(({ name, flags, choices, takesPaths }) => {
    const rest = choices.length > 0 ? `'*:word:(${choices.join(' ')})'` : takesPaths ? `'*:path:_files'` : ''
    return `    ${name})\n      _arguments ${[...flags.map(argumentOf), rest].filter(Boolean).join(' \\\n        ')} ;;`
  })
  return `#compdef edgetape
_edgetape() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _edgetape ]; then _edgetape "$@"; else compdef _edgetape edgetape; fi
`
}

function argumentOf({ flag, describes, takes }: FlagWords): string {
  const spec = `${flag}[${describes.replace(/[[\]:\\]/g, '\\$&')}]`
  if (takes === 'nothing') return quoted(spec)
  const action =
    takes === 'file' ? '_files' : takes === 'folder' ? '_files -/' : takes === 'text' ? ' ' : `(${takes.join(' ')})`
  return quoted(`${spec}:value:${action}`)
}

const escaped = (text: string) => text.replace(/[:\\]/g, '\\$&')
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
