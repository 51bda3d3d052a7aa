import { normalizedViews } from '../../exchanges/normalized.js'
import type { QuerySession } from './session.js'

/**
 * Names that begin as the word before the cursor does, and that word.
 * @param commands of the prompt itself, which begin with a dot
 */
export function completed(line: string, session: QuerySession, commands: readonly string[]): [string[], string] {
  const [word = ''] = /\.?\w*$/.exec(line) ?? []
  const names = line.startsWith('.')
    ? line.includes(' ')
      ? session.readyViews.map(({ name }) => name)
      : commands
    : [
        ...[...session.tables, ...normalizedViews.map(({ name }) => name), 'gaps'],
        ...session.readyViews.map(({ name }) => `${name}(`),
      ]
  return [[...new Set(names)].filter(name => name.startsWith(word)).sort(), word]
}
