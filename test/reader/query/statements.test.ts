import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { openDuckDb } from '../../../platform/duckdb.js'
import { splitStatements } from '../../../reader/query/statements.js'
import { holds } from '../../fixtures/holds.js'

/** What may stand in a statement, each a value in a list, with semicolons where they end nothing. */
const value = fc.constantFrom(
  '1',
  "'a;b'",
  "''",
  "'it''s; so'",
  `'"'`,
  `'\\'`,
  `'--'`,
  `'/*'`,
  String.raw`E'it\'s; so'`,
  String.raw`e'\\'`,
  `E'a''b;c'`,
  '$$a;b$$',
  "$$it's$$",
  '$tag$a;$$;b$tag$',
  '$$--$$',
  `1 AS "a;b"`,
  `1 AS "it""s;"`,
  `1 AS "'"`,
  '1 AS a$b$c',
  '1 AS ü$x$y',
  '1 AS e',
  '1 AS type',
  '3 - -2',
  '6 / 2',
  `1 AS "E"`,
  `'ü;'`,
)
const gap = fc.constantFrom(' ', '\n', '  ', ' /* ; */ ', ' -- ; it\'s "odd" \n', ' /* a /* ; */ b */ ', '/***/', ' /*/ ; */ ', '\t--\n') // prettier-ignore
const statement = fc
  .tuple(fc.array(fc.tuple(value, gap), { minLength: 1, maxLength: 5 }), gap)
  .map(([values, first]) => `SELECT${first} ${values.map(([each, behind]) => `${each}${behind}`).join(',')}`)
const empty = fc.constantFrom('', ' ', '\n', '-- nothing;\n', '/* nothing; */', '/* a /* ; */ */')

t.test('statements end where DuckDB itself ends them', async t => {
  const connection = await openDuckDb()
  t.teardown(() => connection.closeSync())
  await holds(
    t,
    fc.asyncProperty(fc.array(fc.oneof({ weight: 4, arbitrary: statement }, empty), { maxLength: 6 }), async parts => {
      const { whole, rest } = splitStatements(parts.map(part => `${part};`).join(''))
      assert.equal(rest, '')
      const wanted = parts.filter(part => /SELECT/.test(part))
      assert.deepEqual(
        whole,
        wanted.map(part => part.trim()),
      )
      for (const each of whole) assert.equal((await connection.extractStatements(each)).count, 1, each)
      if (wanted.length === 0) return
      assert.equal((await connection.extractStatements(parts.join(';'))).count, wanted.length)
    }),
    { numRuns: 150 },
  )
})

t.test('what is not ended yet is the rest, and goes on with the next line that is typed', t => {
  for (const [begun, more] of [
    ["SELECT 'a;", "b';"],
    ['SELECT "a;', 'b" FROM t;'],
    ['SELECT $$a;', 'b$$;'],
    ['SELECT $x$a;$$', ';$x$;'],
    ['SELECT 1 /* a;', '/* ; */ b */;'],
    [String.raw`SELECT E'a\';`, `b';`],
    ['SELECT 1', ';'],
  ] as const) {
    const { whole, rest } = splitStatements(begun)
    t.same(whole, [], begun)
    t.equal(rest, begun)
    const together = splitStatements(`${rest}\n${more}`)
    t.same([together.whole.length, together.rest], [1, ''], `${begun} … ${more}`)
  }
  t.end()
})

t.test('cut anywhere, nothing of a text is lost, told twice or made up', t => {
  holds(
    t,
    fc.property(
      fc.string({ unit: fc.constantFrom(';', "'", '"', '$', '-', '/', '*', 'E', 'a', '\\', ' ', '\n') }),
      text => {
        const { whole, rest } = splitStatements(text)
        let at = 0
        for (const each of [...whole, rest]) {
          const found = text.indexOf(each, at)
          assert.ok(found >= at)
          at = found + each.length
        }
        assert.ok(whole.every(each => each !== ''))
      },
    ),
    { numRuns: 500 },
  )
  t.end()
})

t.test('a text of a million signs is taken apart at once', t => {
  const [text, comments] = [`SELECT '${'x'.repeat(1_000_000)}'; SELECT 2;`, `${'/*'.repeat(200_000)} SELECT 1;`]
  const begunMs = performance.now()
  t.equal(splitStatements(text).whole.length, 2)
  t.same(splitStatements(comments), { whole: [], rest: '' }, 'all of it is a comment without an end')
  t.ok(performance.now() - begunMs < 5000)
  t.end()
})
