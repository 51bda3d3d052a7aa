import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { findCandidateFiles, originOf } from '../../../compactor/files/candidate-files.js'
import { limitRows, LEAST_ROWS } from '../../../compactor/files/row-group.js'
import { tableOf } from '../../../compactor/tables.js'
import { dailyName, hourlyName, parquetFolder } from '../../../formats/parquet-path.js'
import { segmentDate, type SegmentName } from '../../../formats/raw-path.js'
import { dateOf } from '../../../platform/utc-date.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { holds } from '../../fixtures/holds.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOON_MS = Date.parse('2026-11-22T12:00:00Z')
const partition = { kind: 'perpetual', currency: 'BTC' } as const
const root = memoryFolder(t)

interface Made {
  name: SegmentName
  path: string
}

/** The file of another recorder's segment, or of its whole day, in a tree of its own. */
function put(tree: string, table: string, name: SegmentName, isDay: boolean): string {
  const file = isDay ? dailyName(name.host) : hourlyName(name)
  const path = join(tree, parquetFolder('deribit', table, partition, segmentDate(name)), file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
  return path
}

const segment = fc.record({
  exchange: fc.constant('deribit'),
  channel: fc.constantFrom('quote', 'trades'),
  startedMs: fc.integer({ min: -40, max: 40 }).map(halves => NOON_MS + halves * (HOUR_MS / 2) * 3),
  host: fc.constantFrom('vps-1', 'vps-2'),
  run: fc.constantFrom('r1', 'r2'),
  number: fc.integer({ min: 1, max: 3 }),
})
const named = (name: SegmentName, ofDate: boolean): SegmentName => (ofDate ? { ...name, ofDate: true } : name)

/** When lines of a file may have been received, as its name tells: in its hour, or at any time of its day. */
function spanOf({ startedMs, ofDate }: SegmentName, isDay: boolean): [number, number] {
  const lengthMs = isDay || ofDate ? DAY_MS : HOUR_MS
  const fromMs = Math.floor(startedMs / lengthMs) * lengthMs
  return [fromMs, fromMs + lengthMs]
}

let trees = 0
t.test(
  'every file that may hold a copy of what a segment brought is looked at, and none that is far from it in time',
  t => {
    const others = fc.array(fc.tuple(segment, fc.boolean(), fc.boolean()), { maxLength: 8 })
    holds(
      t,
      fc.property(segment, fc.boolean(), others, fc.integer({ min: 0, max: 30 }), (own, ofDate, others, backDays) => {
        const tree = join(root, String(++trees))
        const ours = named(own, ofDate)
        const table = tableOf(ours)
        const made = others.map(([other, ofDate, isDay]) => {
          const name = named({ ...other, channel: own.channel }, ofDate)
          return { name, isDay, path: put(tree, table.name, name, isDay) }
        })
        const oldestMs = own.startedMs - backDays * DAY_MS
        const found = findCandidateFiles(() => [tree], ours, table, [partition], oldestMs).map(({ path }) => path)
        const ownFile = join(tree, parquetFolder('deribit', table.name, partition, segmentDate(ours)), hourlyName(ours))
        assert.ok(!found.includes(ownFile), 'its own file is replaced by it')
        assert.equal(new Set(found).size, found.length, 'each file once')
        // A segment holds nothing of before the hour in which it was begun.
        const [fromMs, toMs] = [Math.floor(own.startedMs / HOUR_MS) * HOUR_MS, spanOf(ours, false)[1]]
        for (const { path, name, isDay } of made) {
          if (path === ownFile) continue
          const [from, to] = spanOf(name, isDay)
          const distanceMs = Math.max(from - toMs, fromMs - to)
          // What was asked for later may lie in any file since the first of its rows was made.
          const mayHold = own.channel === 'trades' ? to > oldestMs || distanceMs <= 0 : distanceMs <= 0
          if (mayHold) assert.ok(found.includes(path), `${path} for ${hourlyName(ours)} of ${dateOf(ours.startedMs)}`)
          if (own.channel === 'quote' && distanceMs > HOUR_MS) assert.ok(!found.includes(path), `${path} is far away`)
        }
      }),
      { numRuns: 150 },
    )
    t.end()
  },
)

t.test('dates are looked for in the trees that are said of each, other partitions and exchanges are not', t => {
  const [here, aside] = [join(root, 'here'), join(root, 'aside')]
  const name: Made['name'] = { exchange: 'deribit', channel: 'quote', startedMs: NOON_MS, host: 'vps-1', run: 'r1', number: 1 } // prettier-ignore
  const table = tableOf(name)
  const other = { ...name, host: 'vps-2' }
  const inAside = put(aside, 'quote', other, false)
  put(here, 'quote', other, false)
  put(here, 'ticker', other, false)
  const yesterday = put(here, 'quote', { ...other, startedMs: NOON_MS - 12 * HOUR_MS - 1 }, false)
  const rootsOf = (date: string) => [date === '2026-11-22' ? aside : here]
  const paths = (of: SegmentName) => findCandidateFiles(rootsOf, of, table, [partition], of.startedMs).map(({ path }) => path) // prettier-ignore
  t.same(paths(name), [inAside])
  t.same(paths({ ...name, startedMs: NOON_MS - 12 * HOUR_MS }), [yesterday], 'what was on its way at midnight')
  const none = findCandidateFiles(rootsOf, name, table, [{ kind: 'option', currency: 'BTC' }], name.startedMs)
  t.same(none, [])
  t.same(
    findCandidateFiles(() => [join(root, 'never')], name, table, [partition], 0),
    [],
  )
  const journal = tableOf({ exchange: 'deribit', channel: 'journal' })
  t.same(findCandidateFiles(rootsOf, name, journal, [partition], 0), [], 'events of the journal have no copies')
  t.end()
})

t.test('a connection is told from those of the same name in other runs and hosts', t => {
  const origins = [originOf('a', 'b'), originOf('a', 'c'), originOf('b', 'b'), originOf('a', undefined)]
  t.equal(new Set(origins).size, origins.length)
  t.end()
})

t.test('a row group has whole steps of rows, no more than memory has room for, and depends on the rows alone', t => {
  const day = fc.oneof(fc.constant(Infinity), fc.nat({ max: 1e9 }))
  const bytes = fc.oneof(fc.nat({ max: 500 }), fc.nat({ max: 50_000_000 }))
  holds(
    t,
    fc.property(day, bytes, bytes, fc.integer({ min: 1, max: 80 }), (dayRows, one, other, columns) => {
      const [average, widest] = [Math.min(one, other), Math.max(one, other)]
      const rows = limitRows(dayRows, average, widest, columns)
      assert.equal(rows % LEAST_ROWS, 0)
      assert.ok(rows >= LEAST_ROWS && rows <= 100_000)
      const textBytes = rows * average
      assert.ok(rows === LEAST_ROWS || textBytes <= 8 * 1024 * 1024, `${textBytes} bytes of text`)
      assert.ok(rows === LEAST_ROWS || rows * (average + 8 * columns) <= 12 * 1024 * 1024)
      assert.ok(limitRows(dayRows, average + 1, widest, columns) <= rows, 'wider rows, no larger groups')
      assert.ok(limitRows(dayRows / 2, average, widest, columns) <= rows, 'a smaller day, no larger groups')
    }),
    { numRuns: 500 },
  )
  t.end()
})
