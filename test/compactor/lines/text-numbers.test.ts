import t from 'tap'
import { sharedSql } from '../../../compactor/tables.js'
import { openDuckDb, sqlText } from '../../../platform/duckdb.js'

/** What comes as text, what its column shows, and whether the text is kept beside it. */
const TEXTS: readonly [text: string, number: number | null, isKept: boolean][] = [
  ['65114.20', 65114.2, false],
  ['0', 0, false],
  ['-0.0001', -0.0001, false],
  ['', null, false],
  ['0.000000012345678901234', 0.000000012345678901234, false],
  ['0.0000000123456789012345', 0.0000000123456789012345, false],
  ['0.00000001234567890123456', 0.00000001234567890123456, true],
  ['123456789012345', 123456789012345, false],
  ['1234567890123456', 1234567890123456, true],
  ['65114.20000000000000000000', 65114.2, false],
  ['12345678.123456789', 12345678.123456789, true],
  ['1e5', 100000, false],
  ['1.2345678901234567e5', 123456.78901234567, true],
  ['Infinity', null, true],
  ['NaN', null, true],
  ['twelve', null, true],
]

t.test('numbers as text: a DOUBLE, and the text beside it where the DOUBLE does not give it back', async t => {
  const connection = await openDuckDb()
  await connection.run(sharedSql())
  for (const [text, number, isKept] of TEXTS) {
    const sql = `SELECT number_of(${sqlText(text)}), with_members('{"a":1}', [beyond('p', ${sqlText(text)}), NULL])`
    const [[found, extra] = []] = (await connection.runAndReadAll(sql)).getRows()
    t.equal(found, number, `${text}: number`)
    t.equal(extra, isKept ? `{"a":1,"p":"${text}"}` : '{"a":1}', `${text}: extra`)
  }
  const none = await connection.runAndReadAll(
    `SELECT with_members(NULL, [beyond('p', NULL), as_member(NULL), NULL]), number_of(NULL), is_beyond(NULL), whole_of('12'), whole_of('1.5')`,
  )
  t.strictSame(none.getRows(), [[null, null, false, 12n, null]])
  connection.closeSync()
})
