import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { cellOf } from '../../../reader/export/csv-cell.js'
import { decimalsOf, fixedBytes, fixedOf } from '../../../reader/export/fixed-point.js'
import { nautilusPath } from '../../../reader/export/nautilus.js'
import { daysOf } from '../../../reader/export/plan.js'
import { tardisFileName } from '../../../reader/export/tardis-csv.js'
import { isExported, sidecarOf, writeExported } from '../../../reader/export/whole-file.js'
import { levelCells, sampleCells, sampleColumns } from '../../../reader/book/sample-rows.js'
import type { BookSample } from '../../../reader/book/sample-book.js'
import { sha256 } from '../../fixtures/shipped-tree.js'
import { holds } from '../../fixtures/holds.js'

const DAY_US = 86_400_000_000

t.test('a span is cut at each midnight, into parts that are all of it', t => {
  const moment = fc.integer({ min: 1_700_000_000_000_000, max: 1_900_000_000_000_000 })
  holds(
    t,
    fc.property(moment, fc.nat({ max: 9 * DAY_US }), (fromUs, lengthUs) => {
      const toUs = fromUs + lengthUs
      const days = daysOf({ fromUs, toUs })
      assert.equal(
        days.reduce((sum, part) => sum + part.toUs - part.fromUs, 0),
        lengthUs,
      )
      for (const [at, part] of days.entries()) {
        assert.equal(part.fromUs, days[at - 1]?.toUs ?? fromUs)
        assert.ok(part.fromUs < part.toUs)
        for (const us of [part.fromUs, part.toUs - 1]) assert.equal(new Date(Math.floor(us / 1000)).toISOString().slice(0, 10), part.date) // prettier-ignore
      }
      assert.equal(new Set(days.map(({ date }) => date)).size, days.length, 'a file for each date')
    }),
  )
  t.same(daysOf({ fromUs: 5, toUs: 5 }), [])
  t.end()
})

/** Decimal text of a whole number of 10^-16. */
function decimalText(fixed: bigint): string {
  const digits = String(fixed < 0n ? -fixed : fixed).padStart(17, '0')
  return `${fixed < 0n ? '-' : ''}${digits.slice(0, -16)}.${digits.slice(-16)}`
}

t.test('a price has the digits that its text has, and no binary noise', t => {
  const price = fc.oneof(
    fc.tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.nat({ max: 16 })).map(([digits, places]) => Number(`${digits}e-${places}`)), // prettier-ignore
    fc.constantFrom(0, 0.1, 0.3, 1e-7, 1.25e-7, 65114.2, 1e20, 123456789.125),
  )
  holds(
    t,
    fc.property(price, price, (one, other) => {
      assert.equal(Number(decimalText(fixedOf(one))), one === 0 ? 0 : one, decimalText(fixedOf(one)))
      assert.ok(fixedOf(one) % 10n ** BigInt(16 - decimalsOf(one)) === 0n, 'no digit beyond those of the number')
      assert.equal(one < other, fixedOf(one) < fixedOf(other), 'they are in the order of the numbers')
      const bytes = Buffer.from(fixedBytes(one))
      assert.equal(BigInt.asIntN(128, bytes.readBigUInt64LE(0) + (bytes.readBigUInt64LE(8) << 64n)), fixedOf(one))
    }),
    { numRuns: 500 },
  )
  t.equal(fixedOf(1e-17), 0n, 'what is finer is cut off')
  t.end()
})

t.test('files are named so that every file system takes them, and sort by their time', t => {
  t.equal(nautilusPath('trade_tick', 'BTC/USD^x.DERIBIT', { fromUs: 1_700_000_000_001_000, toUs: 1_700_000_001_000_000 }), 'data/trade_tick/BTCUSD_x.DERIBIT/2023-11-14T22-13-20-001000000Z_2023-11-14T22-13-20-999999999Z.parquet') // prettier-ignore
  holds(
    t,
    fc.property(fc.nat({ max: 2e15 }), fc.nat({ max: 2e15 }), (one, other) => {
      const name = (us: number) => nautilusPath('quote_tick', 'x', { fromUs: us, toUs: us + 1 })
      assert.equal(one < other, name(one) < name(other))
    }),
  )
  holds(
    t,
    fc.property(fc.string(), symbol => {
      assert.ok(!/[:\\/?*<>|"]/.test(tardisFileName('deribit', 'trades', '2026-11-22', symbol)))
    }),
  )
  t.end()
})

t.test('a cell is its value, and empty where there is none', t => {
  for (const [value, text] of [
    [1.5, '1.5'],
    [0, '0'],
    [1e-7, '1e-7'],
    [NaN, ''],
    [-Infinity, ''],
    [10n ** 20n, '1' + '0'.repeat(20)],
    [true, 'true'],
    ['a', 'a'],
    [null, ''],
    [undefined, ''],
  ] as const)
    // prettier-ignore
    t.equal(cellOf(value), text, String(value))
  t.end()
})

const span = { fromUs: 1_790_000_000_000_000, toUs: 1_790_000_001_000_000 }
const about = (asked: string) => ({ asked, gaps: [{ ...span, cause: 'lost' }], recorded: span, span, facts: { format: 'csv' } }) // prettier-ignore

t.test('an export is there whole with its account, or not at all', async t => {
  const folder = t.testdir()
  const path = join(folder, 'a/b/x.csv')
  t.notOk(isExported(path, 'q'))
  const write = (temporary: string) => {
    writeFileSync(temporary, 'rows')
    return Promise.resolve({ rows: 3, notes: { channel: 'c' } })
  }
  t.match(await writeExported(path, about('q'), write), { rows: 3 })
  t.ok(isExported(path, 'q'))
  t.notOk(isExported(path, 'another question'))
  const account = JSON.parse(readFileSync(sidecarOf(path), 'utf8')) as object
  t.match(account, { file: 'x.csv', rows: 3, format: 'csv', channel: 'c', sha256: sha256('rows') })
  const gap = { from: '2026-09-21T14:13:20.000000Z', to: '2026-09-21T14:13:21.000000Z', cause: 'lost' }
  t.same((account as { gaps: unknown }).gaps, [gap])
  await t.rejects(
    writeExported(path, about('q'), temporary => {
      writeFileSync(temporary, 'half')
      return Promise.reject(new Error('no disk'))
    }),
    /no disk/,
  )
  t.notOk(existsSync(`${path}.part`), 'nothing of it is left')
  t.notOk(isExported(path, 'q'), 'and nobody takes the file before for what was asked')
  for (const text of ['', '{"asked":"q"', '{"asked":"q"}', 'null']) {
    writeFileSync(sidecarOf(path), text)
    t.notOk(isExported(path, 'q'), `account: ${text}`)
  }
  await writeExported(path, about('q'), write)
  rmSync(path)
  t.notOk(isExported(path, 'q'), 'an account alone is no file')
})

const level = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 9 }))

t.test('a sample has a cell for each column, however few its levels, and nothing that is no number', t => {
  holds(
    t,
    fc.property(
      fc.array(level, { maxLength: 6 }),
      fc.array(level, { maxLength: 6 }),
      fc.nat({ max: 5 }),
      fc.boolean(),
      (bids, asks, top, isKnown) => {
        // prettier-ignore
        const unknown = { changeId: undefined, recvUs: undefined, exchangeMs: undefined }
        const sample: BookSample = {
          ...{ atUs: span.fromUs, channel: 'c', bids: isKnown ? bids : [], asks: isKnown ? asks : [] },
          ...(isKnown
            ? { state: 'known', because: undefined, unknownSinceUs: undefined, changeId: 1, recvUs: 1, exchangeMs: 1 }
            : { state: 'unknown', because: 'x', unknownSinceUs: 1, ...unknown }),
        }
        const cells = sampleCells(sample, top)
        const columns = sampleColumns(top)
        assert.equal(cells.length, columns.length)
        assert.ok(cells.every(cell => cell === null || typeof cell === 'string' || Number.isFinite(cell)))
        const cell = (name: string) => cells[columns.indexOf(name)]
        for (let n = 1; n <= top; n++) {
          assert.equal(cell(`bid_price_${n}`), isKnown ? (bids[n - 1]?.[0] ?? null) : null)
          assert.equal(cell(`ask_amount_${n}`), isKnown ? (asks[n - 1]?.[1] ?? null) : null)
        }
        const rows = levelCells(sample)
        assert.equal(rows.length, sample.bids.length + sample.asks.length)
        for (const [side, levels] of [
          ['bid', sample.bids],
          ['ask', sample.asks],
        ] as const) {
          // prettier-ignore
          const own = rows.filter(([of]) => of === side)
          assert.deepEqual(
            own.map(([, place]) => place),
            levels.map((_, at) => at + 1),
          )
          assert.equal(
            own.at(-1)?.[4] ?? 0,
            levels.reduce((sum, [, amount]) => sum + amount, 0),
            'the last total is all',
          )
        }
      },
    ),
  )
  t.end()
})
