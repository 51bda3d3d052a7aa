import { normalizedViews } from '../../exchanges/normalized.js'
import { COLUMNS, wrapped } from '../../platform/wrapped.js'
import { atHand, exampleAtHand } from './example-at-hand.js'
import type { QuerySession } from './session.js'

/** Ready views and views over all exchanges, a line each. */
export function viewLines({ readyViews }: QuerySession): string {
  const lines = [
    ...readyViews.map(({ name, question }) => [name, question] as const),
    ...normalizedViews.map(({ name, meaning }) => [name, meaning] as const),
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  const shown = lines.map(([name, says]) => `${name.padEnd(width)}  ${says}`)
  return shown.map(line => (line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line)).join('\n')
}

/** What a ready view answers, its columns, and an example that finds something in the tree at `root`. */
export async function viewText(session: QuerySession, root: string, name: string): Promise<string> {
  const view = session.readyViews.find(view => view.name === name)
  if (!view) return `there is no view ${name} with an example; .views lists what there is`
  const there = await atHand(session, root)
  const columns = view.columns.map(({ names, meaning }) => wrapped(`${names}: ${meaning}`, '    ', '  '))
  const empty = view.mayBeEmpty === undefined ? [] : [wrapped(`may be empty: ${view.mayBeEmpty}`, '  ', '')]
  return [view.question, ...columns, ...empty, `${there ? exampleAtHand(view.example, there) : view.example};`].join(
    '\n',
  )
}
