import { readFileSync } from 'node:fs'
import t from 'tap'
import { EVENTS, isEventName } from '../../../formats/journal/events.js'

t.test('the documents told of events that nobody writes, or not of some that stand in journals', t => {
  const rows = readFileSync('docs/journal.md', 'utf8').matchAll(/^\| (`[a-z_`, ]+`) +\| `/gm)
  const told = [...rows].flatMap(([, names = '']) => [...names.matchAll(/[a-z_]+/g)].map(([name]) => name))
  const written = Object.entries(EVENTS).flatMap(([name, { by }]) => (by === 'nobody' ? [] : [name]))
  t.same(told.sort(), written.sort())
  t.end()
})

t.test('every field of every event is told, and whether it may be missing', t => {
  const rows = readFileSync('docs/journal.md', 'utf8').matchAll(/^\| (`[a-z_`, ]+`) +\| (`[^|]+`) +\|/gm)
  for (const [, names = '', cell = ''] of rows) {
    const events = [...names.matchAll(/[a-z_]+/g)].flatMap(([name]) => (isEventName(name) ? [EVENTS[name]] : []))
    const must = events.flatMap(event => Object.keys(event.must))
    const fields = new Set([...must, ...events.flatMap(event => Object.keys(event.may))])
    const told = new Map(
      [...cell.matchAll(/([a-z_]+)(\??)/g)].map(([, field = '', mark]) => [field, mark === '?'] as const),
    )
    t.same([...told.keys()].sort(), [...fields].sort(), names)
    t.same(
      [...told].flatMap(([field, mayMiss]) => (mayMiss === must.includes(field) ? [field] : [])),
      [],
      names,
    )
  }
  t.end()
})
