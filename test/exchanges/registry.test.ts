import t from 'tap'
import { tableNamed, tableOf } from '../../compactor/tables.js'
import { familyOf, droppedFirst, droppedLast } from '../../exchanges/exchange.js'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'

for (const exchange of exchanges) {
  t.test(`${exchange.name}: families and tables name each other`, t => {
    const { name, families, tables } = exchange
    t.same(new Set(families.map(family => family.name)).size, families.length, 'no family twice')
    for (const { name: family, table } of families)
      if (table !== undefined) t.ok(tableNamed(name, table), `${family} → ${table}`)
    const filled = families.map(({ table }) => table)
    for (const table of tables) t.ok(filled.includes(table.name), `a family fills ${table.name}`)
    t.end()
  })

  t.test(`${exchange.name}: names of any sort are taken`, t => {
    const { familyOfChannel, partitionOfInstrument, subjectOf, isAbout, expiryMsOf } = exchange.names
    for (const name of ['', '.', '..', '\0', '__proto__', 'constructor.x', '🎲.a.b', 'x'.repeat(5000)]) {
      const family = familyOfChannel(name)
      t.ok(family === 'other' || exchange.families.some(known => known.name === family), JSON.stringify(name))
      t.match(partitionOfInstrument(name), { kind: /^[a-z_]+$/, currency: /^[A-Z0-9]{1,16}$|^none$/ })
      const subject = subjectOf(name)
      t.type(subject === undefined || isAbout(subject, name), 'boolean')
      t.type(expiryMsOf(name), 'number')
    }
    t.end()
  })
}

t.test('what no exchange knows is a described feed', t => {
  const feed = exchangeNamed('somewhere')
  t.equal(feed.names.familyOfChannel('frames.trades'), 'frames.trades')
  t.equal(familyOf(feed, 'frames.trades').comes, 'streamed')
  t.equal(tableOf({ exchange: 'somewhere', channel: 'trades' }).name, 'frames', "a feed's trades are nobody's table")
  t.equal(tableOf({ exchange: 'somewhere', channel: 'journal' }).name, 'journal')
  t.end()
})

t.test('which families are dropped first', t => {
  const feeds = [
    { families: [{ name: 'a', comes: 'streamed', dropOrder: 2 }] },
    {
      families: [
        { name: 'b', comes: 'streamed', dropOrder: 1 },
        { name: 'c', comes: 'streamed', dropOrder: 'last' },
      ],
    },
  ] as const
  t.same(droppedFirst(feeds), ['b', 'a'])
  t.same(droppedLast(feeds[1]), ['c', 'journal'])
  t.end()
})
