// Puts back what it changes of the process.
/** What commands print for people: answers as tables, what a run of the compactor did, how a demo goes. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { formatOf as formatOfBook } from '../../cli/book/write-rows.js'
import { summaryText } from '../../cli/compact/summary.js'
import { showProgress } from '../../cli/demo/progress.js'
import { tableOf } from '../../cli/query/answer-table.js'
import { formatOf, FORMATS } from '../../cli/query/print-answer.js'
import type { Summary } from '../../compactor/progress.js'
import { statePath, writeStatus } from '../../formats/status.js'
import { openDuckDb } from '../../platform/duckdb.js'
import { matchAll } from '../fixtures/match-all.js'
import { holds } from '../fixtures/holds.js'

const connection = await openDuckDb()
t.teardown(() => connection.closeSync())

t.test('an answer is shown as people read it: numbers on the right, without what only arithmetic made', async t => {
  for (const [what, sql, lines] of [
    ['a float', 'SELECT 0.1::DOUBLE + 0.2::DOUBLE AS sum', ['sum', '0.3']],
    [
      'a whole number keeps all of its digits',
      'SELECT 12345678901234567 AS id',
      ['id', '12345678901234567'].map(text => text.padStart(17)),
    ],
    ['a large float', 'SELECT 123456789.123::DOUBLE AS price', ['price', '123456789'].map(text => text.padStart(9))],
    ['a tiny one', 'SELECT 1.25e-10::DOUBLE AS rate', ['rate', '1.25e-10'].map(text => text.padStart(8))],
    ['a number behind nothing', 'SELECT * FROM (VALUES (NULL), (22)) v(n)', [' n', '', '22']],
    [
      'a text on the left',
      `SELECT 'a' AS name, 1 AS n UNION ALL SELECT 'bcdef', 22 ORDER BY n`,
      ['name    n', 'a       1', 'bcdef  22'],
    ],
    ['lines within a text', `SELECT e'a\\nb' AS said`, ['said', 'a b']],
    ['no rows', 'SELECT 1 AS n WHERE false', ['n']],
  ] as const) {
    const text = await tableOf(connection, sql)
    t.same(
      text.split('\n').map(line => line.trimEnd()),
      lines,
      what,
    )
  }
})

t.test('a statement that answers nothing prints nothing', async t => {
  for (const sql of [
    'CREATE OR REPLACE TABLE one (n INTEGER)',
    'SET threads = 1',
    'CREATE OR REPLACE VIEW two AS SELECT 2',
    'DROP TABLE one',
  ])
    t.equal(await tableOf(connection, sql), '', sql)
  t.equal(
    await tableOf(connection, 'SELECT 3 AS "Count"'),
    ['Count', '    3'].join('\n'),
    'a column of that name is an answer',
  )
})

t.test('an answer of a thousand rows was said to be cut: only of a longer one the rest is left out', async t => {
  for (const [rows, shown, isCut] of [
    [999, 999, false],
    [1000, 1000, false],
    [1001, 1000, true],
    [50_000, 1000, true],
  ] as const) {
    const lines = (await tableOf(connection, `SELECT n FROM range(${rows}) v(n)`)).split('\n')
    const said = lines.filter(line => line.startsWith('…'))
    t.equal(lines.length - said.length - 1, shown, `${rows} rows`)
    t.equal(lines[shown]?.trim(), String(shown - 1), 'in order')
    t.same(said, isCut ? ['… cut at 1000 rows (--format csv or json gives all)'] : [], `${rows} rows`)
  }
})

t.test('the format is the one asked for, else that of the name of the file, else a table', t => {
  const format = fc.constantFrom(...FORMATS)
  holds(
    t,
    fc.property(
      fc.option(format, { nil: undefined }),
      fc.option(fc.constantFrom('csv', 'json', 'parquet'), { nil: undefined }),
      (asked, ending) => {
        const out = ending === undefined ? undefined : `/data/an.answer.${ending}`
        const wanted = asked ?? ending ?? 'table'
        for (const of of [
          () => formatOf(asked, out),
          () => formatOfBook({ ...(asked && { format: asked }), ...(out !== undefined && { out }) }),
        ])
          if (wanted === 'parquet' && out === undefined) assert.throws(of, { message: 'Parquet is not printed' })
          else assert.equal(of(), wanted)
      },
    ),
  )
  t.equal(formatOf(undefined, 'rows.jsonl'), 'json', 'lines of JSON are called so, too')
  for (const [asked, out, message] of [
    ['xml', undefined, /found format xml, wanted one of table, csv, json, parquet/],
    [undefined, 'rows.txt', /found format txt/],
    [undefined, 'rows', /found format none/],
    ['', undefined, /found format none/],
  ] as const)
    t.throws(() => formatOf(asked, out), { code: 'QUERY_FORMAT', message })
  t.throws(() => formatOfBook({ json: true, format: 'csv' }), {
    code: 'BOOK_FORMAT',
    message: /--json and --format csv/,
  })
  t.equal(formatOfBook({ json: true, format: 'json' }), 'json', 'twice the same is no mistake')
  t.equal(formatOfBook({ json: true, out: 'rows.csv' }), 'json', 'a flag is more than a name')
  t.throws(() => formatOfBook({ out: 'rows' }), { code: 'BOOK_FORMAT', message: 'rows says no format' })
  t.end()
})

t.test('what a run of the compactor did has one line for each thing, and all of its figures', t => {
  const count = fc.nat({ max: 1e9 })
  const summary: fc.Arbitrary<Summary> = fc.record({
    ...{ segments: count, failed: count, failing: count, backlog: count, frames: count, duplicates: count },
    ...{ quarantined: count, known: count, rows: fc.dictionary(fc.stringMatching(/^[a-z_]{1,20}$/), count) },
    lastError: fc.option(fc.stringMatching(/^[a-z :]{1,40}$/), { nil: undefined }),
  })
  holds(
    t,
    fc.property(summary, summary => {
      const { segments, failed, frames, rows, duplicates, quarantined, known, lastError } = summary
      const text = summaryText(summary)
      assert.ok(text.endsWith('\n') && !text.endsWith('\n\n'))
      const lines = text
        .trimEnd()
        .split('\n')
        .map(line => line.trim().replace(/ {2,}/g, ' '))
      assert.deepEqual(lines, [
        `segments ${segments} converted, ${failed} failed`,
        `frames ${frames}`,
        ...Object.entries(rows).map(([table, count]) => `${table} ${count} rows`),
        `duplicates ${duplicates} rows left out`,
        `quarantined ${quarantined}`,
        `known ${known} frames without rows`,
        ...(lastError === undefined ? [] : [`last error ${lastError.trim().replace(/ {2,}/g, ' ')}`.trim()]),
      ])
    }),
  )
  t.end()
})

/** How a demo goes, by the recorder's status, as it is told where stderr is no terminal. */
function watched(t: Test) {
  const dataDir = t.testdir({})
  const { isTTY } = process.stderr
  process.stderr.isTTY = false
  const progress = showProgress(dataDir, 600)
  process.stderr.isTTY = isTTY
  const record = (frames: number, bytes: number) => writeStatus(dataDir, 'recorder', { frames, bytes, connections: [] })
  /** What is written while time goes on, a quarter of a second at a time. */
  const pass = (fromMs: number, toMs: number, each: (ms: number) => void = () => undefined) => {
    const writes = t.capture(process.stderr, 'write', () => true)
    for (let ms = fromMs + 250; ms <= toMs; ms += 250) {
      each(ms)
      progress.show(ms)
    }
    writes.restore()
    return writes().map(({ args }) => String(args[0]).trim())
  }
  return { dataDir, record, pass }
}

t.test('a demo without a terminal tells every five seconds how it goes', t => {
  const { record, pass } = watched(t)
  t.same(pass(0, 4750), [], 'not at once')
  t.same(
    pass(4750, 10_000, ms => ms % 1000 === 0 && record(ms * 2, ms * 1024)),
    ['5 s: 10,000 frames, 2,000 frames/s, 4.88 MiB', '10 s: 20,000 frames, 2,000 frames/s, 9.77 MiB'],
  )
  t.same(
    pass(10_000, 15_000, ms => ms % 1000 === 0 && record(20_000 + (ms - 10_000) / 10, 1024)),
    ['15 s: 20,500 frames, 100 frames/s, 1 KiB'],
    'the rate is that of now',
  )
  t.end()
})

t.test('a demo that stood still told all that it had not told, one line after the other', t => {
  const { record, pass } = watched(t)
  record(1000, 1024)
  matchAll(t, pass(4750, 5000), [/^5 s: 1,000 frames/])
  matchAll(t, pass(61_750, 64_750), [/^62 s: /], 'once')
  matchAll(t, pass(64_750, 70_000), [/^65 s: /, /^70 s: /], 'and goes on as before')
  t.end()
})

t.test('a demo whose recorder says nothing, or nothing that can be read, tells of no frames', t => {
  const { dataDir, record, pass } = watched(t)
  t.same(pass(0, 5000), ['5 s: 0 frames, 0 frames/s, 0 B'])
  mkdirSync(join(dataDir, 'state'))
  for (const [n, text] of ['', '{', '[]', '{"frames":"many"}', 'null'].entries()) {
    writeFileSync(statePath(dataDir, 'recorder'), text)
    matchAll(t, pass(5000 * (n + 1), 5000 * (n + 2)), [/: 0 frames, 0 frames\/s, 0 B$/], text)
  }
  record(30_000, 2048)
  matchAll(t, pass(30_000, 35_000), [/^35 s: 30,000 frames, /])
  t.end()
})
