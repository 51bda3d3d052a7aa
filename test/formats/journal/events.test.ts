import { readFileSync } from 'node:fs'
import t from 'tap'
import { EVENTS } from '../../../formats/journal/events.js'

t.test('the documents told of events that nobody writes, or not of some that stand in journals', t => {
  const rows = readFileSync('docs/journal.md', 'utf8').matchAll(/^\| (`[a-z_`, ]+`) +\| `/gm)
  const told = [...rows].flatMap(([, names = '']) => [...names.matchAll(/[a-z_]+/g)].map(([name]) => name))
  const written = Object.entries(EVENTS).flatMap(([name, { by }]) => (by === 'nobody' ? [] : [name]))
  t.same(told.sort(), written.sort())
  t.end()
})
