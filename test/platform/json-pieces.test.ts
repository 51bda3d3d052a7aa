import t from 'tap'
import { jsonPieces } from '../../platform/json-pieces.js'

t.test('in pieces an object is the same text', t => {
  const values: Record<string, unknown>[] = [
    {},
    { empty: [], none: undefined, not: null, text: 'a\n[{"b\u2028', deep: { of: [1, { more: [] }], less: {} } },
    { list: [1, 'two\n', { three: [4] }, [], null], last: 0.5 },
    { only: [{}] },
  ]
  for (const value of values) t.equal([...jsonPieces(value)].join('\n'), JSON.stringify(value, null, 2))
  t.end()
})

t.test('no item of a list is made before its turn', t => {
  let made = 0
  function* items() {
    for (; made < 1000; made++) yield { made }
  }
  const pieces = jsonPieces({ items: items() })
  for (let piece = 0; piece < 5; piece++) pieces.next()
  t.ok(made < 6)
  t.equal([...pieces].length, 1000 + 4 - 5)
  t.end()
})
