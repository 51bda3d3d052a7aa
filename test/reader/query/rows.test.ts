import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { duckdb, openDuckDb } from '../../../platform/duckdb.js'
import { csvRows, jsonRows } from '../../../reader/query/rows.js'
import { holds } from '../../fixtures/holds.js'

const connection = await openDuckDb()
t.teardown(() => connection.closeSync())

const text = fc.oneof(
  fc.constantFrom('', 'NaN', '-Infinity', '"NaN"', '","', "it's", 'a,b', '\r\n', '\\', '\\"', 'null', ' ', '"'),
  fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\\', 'ü', '😀', '\t', ':') }),
)
const row = fc.record({
  text: fc.option(text),
  number: fc.option(fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 1e300, 5e-324))),
  whole: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  flag: fc.option(fc.boolean()),
})
type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never

const { BIGINT, BOOLEAN, DOUBLE, INTEGER, VARCHAR } = duckdb()
const TYPES = [INTEGER, VARCHAR, DOUBLE, BIGINT, BOOLEAN]

async function fill(rows: readonly Row[]): Promise<void> {
  await connection.run(
    'CREATE OR REPLACE TABLE t (n INTEGER, "a ""text"", of" VARCHAR, number DOUBLE, whole BIGINT, flag BOOLEAN)',
  )
  for (const [n, { text, number, whole, flag }] of rows.entries())
    await connection.run('INSERT INTO t VALUES ($1, $2, $3, $4, $5)', [n, text, number, whole, flag], TYPES)
}

async function linesOf(lines: AsyncGenerator<Buffer>): Promise<string[]> {
  const found: string[] = []
  for await (const line of lines) found.push(line.toString('utf8'))
  return found
}

/** By RFC 4180; null for what stands between two commas without quotes. */
function parsedCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]]
  const CELL = /("(?:[^"]|"")*"|[^",\n]*)(,|\n|$)/gy
  for (let match = CELL.exec(text); match; match = CELL.exec(text)) {
    const [, cell = '', end] = match
    rows.at(-1)?.push(cell === '' ? null : cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)
    if (end === '\n') rows.push([])
    if (end === '') break
  }
  return rows
}

t.test('CSV is read back as it was, with NULL told from an empty text', async t => {
  await holds(
    t,
    fc.asyncProperty(fc.array(row, { maxLength: 6 }), async rows => {
      await fill(rows)
      const lines = await linesOf(csvRows(connection, 'SELECT * FROM t ORDER BY n -- all of it'))
      const [head, ...cells] = parsedCsv(lines.join('\n'))
      assert.deepEqual(head, ['n', 'a "text", of', 'number', 'whole', 'flag'])
      assert.equal(cells.length, rows.length)
      for (const [at, { text, number, whole, flag }] of rows.entries()) {
        const [n, ownText, ownNumber, ownWhole, ownFlag] = cells[at] ?? []
        assert.equal(n, String(at))
        assert.equal(ownText, text)
        assert.equal(ownWhole, whole === null ? null : String(whole))
        assert.equal(ownFlag, flag === null ? null : String(flag))
        if (number === null) assert.equal(ownNumber, null)
        else if (Number.isFinite(number)) assert.equal(Number(ownNumber), number === 0 ? Number(ownNumber) : number)
        else assert.match(String(ownNumber), /^-?(nan|inf)$/i)
      }
    }),
    { numRuns: 60 },
  )
})

t.test('lines of JSON are JSON, whatever the numbers and texts', async t => {
  await holds(
    t,
    fc.asyncProperty(fc.array(row, { maxLength: 6 }), async rows => {
      await fill(rows)
      const lines = await linesOf(jsonRows(connection, 'SELECT * FROM t ORDER BY n -- all of it'))
      assert.equal(lines.length, rows.length)
      for (const [at, { text, number, whole, flag }] of rows.entries()) {
        const line = lines[at] ?? ''
        assert.ok(!line.includes('\n'))
        const own = JSON.parse(line) as Record<string, unknown>
        assert.equal(own['a "text", of'], text)
        assert.equal(own['flag'], flag)
        if (number === null || !Number.isFinite(number)) assert.equal(own['number'], null)
        else assert.equal(own['number'], number)
        // Digits beyond what a parser keeps stand in the text.
        if (whole !== null) assert.ok(line.includes(`"whole":${whole}`))
      }
    }),
    { numRuns: 60 },
  )
})

t.test('of no rows CSV has its head, and JSON nothing', async t => {
  await fill([])
  t.same(await linesOf(jsonRows(connection, 'FROM t')), [])
  t.equal((await linesOf(csvRows(connection, 'FROM t'))).length, 1)
})

t.test('more rows than a chunk come all, in their order', async t => {
  const sql = `SELECT i, repeat('x', 100) AS text FROM range(5000) AS numbers(i) ORDER BY i DESC`
  const json = await linesOf(jsonRows(connection, sql))
  t.equal(json.length, 5000)
  t.ok(json.every((line, at) => line.startsWith(`{"i":${4999 - at},`)))
  t.equal((await linesOf(csvRows(connection, sql))).length, 5001)
})
