/** Tables for a terminal of any width, and numbers of options. A failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { fitTable, type TableText } from '../../cli/fit-table.js'
import { nonNegativeNumber, portNumber } from '../../cli/number-options.js'
import { indented, plainTable } from '../../cli/table.js'
import { holds } from '../fixtures/holds.js'

const text = fc.stringMatching(/^[a-z][a-z.,:-]{0,40}$/)
const word = fc.stringMatching(/^[a-z]{1,12}$/)
const table = fc.array(fc.tuple(word, fc.boolean()), { minLength: 1, maxLength: 9 }).chain(columns =>
  fc.record({
    head: fc.constant(columns.map(([name]) => name)),
    numeric: fc.constant(columns.flatMap(([, isNumeric], at) => (isNumeric ? [at] : []))),
    rows: fc.array(fc.tuple(...columns.map(([, isNumeric]) => (isNumeric ? fc.nat().map(String) : text))), {
      maxLength: 5,
    }),
  }),
)
const cellsOf = (line: string) => line.trim().split(/ {2,}/)

/** The least that a table may have: a column of either side, and what says how many are left out. */
function narrowest({ head, rows, numeric }: TableText): number {
  const widths = head.map((name, at) => {
    const natural = Math.max(name.length, ...rows.map(row => row[at]?.length ?? 0))
    return numeric.includes(at) ? natural : Math.min(8, natural)
  })
  return (widths[0] ?? 0) + 2 + `… ${head.length} more`.length
}

t.test('a table is no wider than its terminal, and tells of each column that has no room', t => {
  holds(
    t,
    fc.property(table, fc.integer({ min: 20, max: 160 }), (table, width) => {
      if (narrowest(table) > width) return
      const lines = fitTable(table, width).split('\n')
      for (const line of lines) assert.ok(line.length <= width, `${line.length} of ${width}: ${line}`)
      assert.equal(lines.length, table.rows.length + 1)
      const heads = cellsOf(lines[0] ?? '')
      const left = Number(/… (\d+) more/.exec(lines[0] ?? '')?.[1] ?? 0)
      const shown = left === 0 ? heads.length : heads.length - 1
      assert.equal(shown + left, table.head.length, 'none is left out in silence')
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('a number is whole wherever it stands, and a text is cut only where it says so', t => {
  holds(
    t,
    fc.property(table, fc.integer({ min: 20, max: 160 }), (table, width) => {
      const [, ...lines] = fitTable(table, width).split('\n')
      for (const [at, line] of lines.entries()) {
        const row = table.rows[at] ?? []
        for (const cell of cellsOf(line)) {
          if (cell === '…') continue
          if (/^\d+$/.test(cell)) assert.ok(row.includes(cell), `${cell} in ${row.join()}`)
          else if (cell.endsWith('…'))
            assert.ok(
              row.some(whole => whole.startsWith(cell.slice(0, -1)) && whole.length > cell.length),
              cell,
            )
          else assert.ok(row.includes(cell), cell)
        }
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('with room for all, no table is changed, and one without an end is as wide as it likes', t => {
  holds(
    t,
    fc.property(table, table => {
      const whole = fitTable(table, Infinity)
      const widest = Math.max(...whole.split('\n').map(line => line.length))
      assert.equal(fitTable(table, Math.max(widest, 500)), whole)
      assert.ok(!whole.includes('…'))
      for (const [at, line] of whole.split('\n').slice(1).entries()) assert.deepEqual(cellsOf(line), table.rows[at])
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('one line is one row: what would begin a new one is a blank, and no line ends with blanks', t => {
  const strange = {
    head: ['name', 'n'],
    rows: [
      ['two\nlines\tand\r\nmore', '1'],
      ['', '2'],
    ],
    numeric: [1],
  }
  t.equal(fitTable(strange, 80), 'name                n\ntwo lines and more  1\n                    2')
  t.equal(fitTable({ ...strange, rows: [] }, 80), 'name  n')
  t.equal(indented('a\n\nb'), '  a\n\n  b', 'an empty line stays one')
  holds(
    t,
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), rows => {
      for (const line of plainTable(['a', 'b'], rows).split('\n')) assert.equal(line, line.trimEnd())
    }),
  )
  t.end()
})

t.test('a sign of two halves was cut in the middle', t => {
  const head = ['name', 'text']
  for (let before = 0; before < 12; before++) {
    const cell = `${'x'.repeat(before)}${'\u{1F680}'.repeat(20)}`
    const shown = fitTable({ head, rows: [['n', cell]], numeric: [] }, 20)
    t.ok(Buffer.from(shown).toString() === shown, `behind ${before}: ${shown}`)
    t.match(shown, /…$/)
  }
  t.end()
})

t.test('the number of an option is one, not below 0, and a port is one that there is', t => {
  for (const [text, value] of [
    ['0', 0],
    ['5', 5],
    ['0.5', 0.5],
    ['1e3', 1000],
    [' 7 ', 7],
    ['65535', 65_535],
  ] as const) {
    t.equal(nonNegativeNumber(text), value, text)
    if (Number.isInteger(value)) t.equal(portNumber(text), value, text)
  }
  for (const text of ['', ' ', '-1', 'x', '1x', 'NaN', 'Infinity', '1,5', '5 6', '--', '1e999'])
    for (const parse of [nonNegativeNumber, portNumber])
      t.throws(() => parse(text), { code: 'commander.invalidArgument' }, text)
  for (const text of ['65536', '80.5', '1e9']) t.throws(() => portNumber(text), /wanted 0 to 65535/, text)
  t.end()
})
