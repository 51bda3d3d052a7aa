import t from 'tap'
import { unequalLists } from './fixtures/match-all.js'

t.test('a list with an item more than its pattern does not match, at any depth', t => {
  const once = { event: 'disconnected', families: ['book'] }
  const pattern = [{ event: /^dis/, families: Array }]
  t.same(unequalLists([once], pattern), [])
  t.same(unequalLists([once, once], pattern), ['list : found 2 items, wanted 1 items'])
  t.same(unequalLists([], pattern).length, 1)
  t.same(unequalLists('text', ['text']), ['list : found string, wanted 1 items'])
  t.same(unequalLists({ wrong: ['a'] }, { wrong: [] }), ['list /wrong: found 1 items, wanted 0 items'])
  t.same(unequalLists([{ families: ['a', 'b'] }], [{ families: ['a'] }]), [
    'list /0/families: found 2 items, wanted 1 items',
  ])
  t.end()
})
