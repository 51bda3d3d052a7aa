import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { exampleAtHand } from '../../../reader/query/example-at-hand.js'
import { HISTORY_MAX, historyPath, keepHistory, readHistory } from '../../../reader/query/history-file.js'
import { completed } from '../../../reader/query/name-completion.js'
import { readyViews } from '../../../reader/query/ready-views.js'
import type { QuerySession } from '../../../reader/query/session.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { holds } from '../../fixtures/holds.js'

const root = memoryFolder(t)

t.test('what was typed is there again, the newest first, as much of it as is kept, for its user alone', t => {
  const path = join(root, 'state/edgetape/query-history')
  const line = fc.string({ unit: fc.constantFrom('a', ' ', "'", 'ü', '\\', '\t', '😀') }).filter(line => line !== '')
  holds(
    t,
    fc.property(fc.array(line, { maxLength: 20 }), newestFirst => {
      assert.equal(keepHistory(path, newestFirst), undefined)
      assert.deepEqual(readHistory(path), newestFirst)
    }),
    { numRuns: 50 },
  )
  const many = Array.from({ length: HISTORY_MAX + 500 }, (_, at) => `SELECT ${at}`)
  keepHistory(path, many)
  t.same(readHistory(path), many.slice(0, HISTORY_MAX), 'older ones are forgotten')
  t.equal(statSync(path).mode & 0o077, 0)
  t.equal(statSync(join(path, '..')).mode & 0o077, 0)
  t.same(readHistory(join(root, 'none')), [])
  t.same(readHistory(join(path, 'below a file')), [])
  t.type(keepHistory(join(path, 'below a file'), ['x']), 'string', 'why it cannot be kept is told')
  t.equal(readFileSync(path, 'utf8').split('\n').length, HISTORY_MAX + 1, 'and what is there stays')
  t.match(historyPath({ XDG_STATE_HOME: '/s' }), '/s/edgetape/query-history')
  t.match(historyPath({ XDG_STATE_HOME: '' }), /\/\.local\/state\/edgetape\/query-history$/, 'an empty place is none')
  const open = join(root, 'open')
  mkdirSync(open)
  writeFileSync(join(open, 'query-history'), 'SELECT 1\n')
  chmodSync(join(open, 'query-history'), 0o644)
  t.same(readHistory(join(open, 'query-history')), ['SELECT 1'])
  t.end()
})

const session = { tables: ['trades', 'ticker', 'quote'], readyViews: [{ name: 'trade_flow' }, { name: 'basis' }] } as unknown as QuerySession // prettier-ignore
const commands = ['.tables', '.views', '.quit']

t.test('names are completed that begin as the word before the cursor does, each once', t => {
  const of = (line: string) => completed(line, session, commands)
  t.same(of('SELECT * FROM tr'), [['trade_flow(', 'trades', 'trades_all'], 'tr'])
  t.same(
    of('SELECT * FROM x WHERE a=q')[0].filter(name => name === 'quote'),
    ['quote'],
  )
  t.same(of('.t'), [['.tables'], '.t'])
  t.same(of('.views b'), [['basis'], 'b'], 'behind a command, views')
  t.same(of('nothing_like_it'), [[], 'nothing_like_it'])
  const [all, word] = of('SELECT ')
  t.equal(word, '')
  t.ok(all.includes('gaps') && all.includes('basis('))
  t.equal(new Set(all).size, all.length)
  holds(
    t,
    fc.property(fc.string(), line => {
      const [names, word] = of(line)
      assert.ok(line.endsWith(word), 'only the end of the line is replaced')
      assert.ok(names.every(name => name.startsWith(word)))
    }),
  )
  t.end()
})

t.test('an example of each view is about a time that is there, and of nothing that is not', t => {
  const there = fc.record({
    lastMs: fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2030, 0, 1) }),
    spanMs: fc.constantFrom(500, 30_000, 600_000, 40_000_000),
    instrument: fc.constantFrom('ETH-PERPETUAL', undefined),
    coin: fc.constantFrom('ETH', undefined),
  })
  holds(
    t,
    fc.property(there, fc.constantFrom(...readyViews()), ({ lastMs, spanMs, instrument, coin }, { example, name }) => {
      const firstMs = Math.max(lastMs - spanMs, Math.floor(lastMs / 86_400_000) * 86_400_000)
      const text = exampleAtHand(example, { lastMs, firstMs, instrument, coin })
      const moments = [...text.matchAll(/\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?/g)].map(([moment]) =>
        Date.parse(`${moment.replace(' ', 'T')}${moment.length > 10 ? 'Z' : ''}`),
      )
      if (moments.length > 0) {
        assert.ok(Math.min(...moments) <= lastMs, `${name}: begins behind all that is there: ${text}`)
        assert.ok(
          Math.max(...moments) >= Math.floor(lastMs / 86_400_000) * 86_400_000,
          `${name}: ends before it: ${text}`,
        )
      }
      if (instrument !== undefined) assert.ok(!text.includes('BTC-PERPETUAL'), text)
      if (coin !== undefined) assert.ok(!/'BTC'|'btc_usd'/.test(text), text)
    }),
    { numRuns: 500 },
  )
  t.end()
})
