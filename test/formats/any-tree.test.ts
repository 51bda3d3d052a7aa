/** Trees of any layouts, mixed as upgrades and changes of config leave them: what the walks find, against all that was put there. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openByRecorder } from '../../formats/left-open.js'
import { dailyName, hourlyName, parseParquetName, timeOfParquet } from '../../formats/parquet-path.js'
import { parentsOfDays, parquetFileAt, parquetFiles } from '../../formats/parquet-tree.js'
import { quarantineFiles, quarantinePath } from '../../formats/quarantine-tree.js'
import { segmentPath, withState, type SegmentName, type SegmentState } from '../../formats/raw-path.js'
import { byStart, rawDays, rawFiles, rawFoldersOf, rawSegments } from '../../formats/raw-tree.js'
import { isSameRecorder, parseRecorderName, recorderName } from '../../formats/recorder-name.js'
import { mayHoldLinesOf, segmentEndMs, SLACK_US } from '../../formats/segment-span.js'
import { datesOfTree, holdsDate, holdsFiles } from '../../formats/tree-place.js'
import { dateOf } from '../../platform/utc-date.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { holds } from '../fixtures/holds.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A leap day and the turn of a year, each with what lies beside it. */
const BEGINS_MS = [Date.UTC(2024, 1, 28, 22), Date.UTC(2025, 11, 30, 22)]

const root = memoryFolder(t)

function put(paths: readonly string[]): void {
  rmSync(join(root, 'raw'), { recursive: true, force: true })
  rmSync(join(root, 'parquet'), { recursive: true, force: true })
  rmSync(join(root, 'quarantine'), { recursive: true, force: true })
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), '')
  }
}

const host = fc.constantFrom('vps-1', 'vps-1_abcd1234', 'a.b', 'day-x')
/** Seconds, often at or beside the turn of an hour. */
const second = fc.oneof(
  fc.integer({ min: 0, max: 52 * 3600 }),
  fc
    .tuple(fc.nat({ max: 52 }), fc.constantFrom(-61, -59, -1, 0, 1, 59, 61))
    .map(([hour, beside]) => hour * 3600 + beside),
)
const startedMs = fc.tuple(fc.constantFrom(...BEGINS_MS), second).map(([beginMs, seconds]) => beginMs + seconds * 1000)
const segmentName: fc.Arbitrary<SegmentName> = fc
  .record({
    exchange: fc.constantFrom('deribit', 'okx'),
    channel: fc.constantFrom('trades', 'chart.trades', 'journal'),
    layout: fc.constantFrom(
      {},
      { kind: 'option' },
      { kind: 'spot', currency: 'BTC' },
      { ofDate: true as const },
      { inHourFolder: true as const },
    ),
    startedMs,
    host,
    run: fc.constantFrom('r1', '9z'),
    number: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ layout, ...rest }) => ({ ...rest, ...layout }))
const state = fc.constantFrom<SegmentState>('sealed', 'sealed', 'open', 'manifest', 'rewriting')
const segments = fc.uniqueArray(fc.record({ name: segmentName, state }), {
  maxLength: 25,
  selector: ({ name, state }) => segmentPath(name, state),
})
const span = fc
  .tuple(fc.constantFrom(...BEGINS_MS), second, fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 30 * 3600 })))
  .map(([beginMs, from, length]) => {
    const fromUs = (beginMs + from * 1000) * 1000
    return { fromUs, toUs: fromUs + length * 1_000_000 }
  })
const query = fc.record(
  {
    span,
    half: fc.constantFrom('from', 'to'),
    exchange: fc.constantFrom('deribit', 'okx', 'none'),
    family: fc.constantFrom('trades', 'journal'),
    newestFirst: fc.boolean(),
  },
  { requiredKeys: [] },
)

t.test('a walk over raw finds what a question needs, in the order in which it was begun, and nothing else', t => {
  holds(
    t,
    fc.property(segments, query, (segments, { span, half, exchange, family, newestFirst = false }) => {
      const all = segments.map(({ name, state }) => ({ path: segmentPath(name, state), name, state }))
      put(all.map(({ path }) => path))
      const { fromUs, toUs } = span ?? {}
      const bounds = {
        ...(fromUs !== undefined && half !== 'to' && { fromUs }),
        ...(toUs !== undefined && half !== 'from' && { toUs }),
      }
      const mayHold = family === undefined ? undefined : (one: string) => one === family
      const asked = { ...bounds, newestFirst, ...(exchange && { exchange }), mayHold }
      const isAsked = ({ name }: (typeof all)[number]) =>
        (exchange === undefined || name.exchange === exchange) && (mayHold?.(name.channel) ?? true)
      const found = [...rawFiles(root, asked)]
      const needed = all.filter(file => isAsked(file) && mayHoldLinesOf(file.name, bounds))
      for (const { path } of needed)
        assert.ok(
          found.some(file => file.path === path),
          `${path} is needed`,
        )
      for (const file of found) {
        assert.deepEqual(
          all.find(({ path }) => path === file.path),
          file,
          'as it was put there',
        )
        assert.ok(isAsked(file))
        // Of an hour's folder all are told: those in it end with it at the latest.
        const hourUs = 3_600_000_000
        const wider = { fromUs: (bounds.fromUs ?? -Infinity) - hourUs, toUs: (bounds.toUs ?? Infinity) + hourUs }
        assert.ok(mayHoldLinesOf(file.name, wider), `${file.path} is not`)
      }
      const inOrder = [...found].sort(byStart)
      assert.deepEqual(found, newestFirst ? inOrder.reverse() : inOrder)
      const sealedPaths = [...rawSegments(root, asked)].map(({ path }) => withState(path, 'sealed'))
      assert.equal(new Set(sealedPaths).size, sealedPaths.length, 'each segment once')
      for (const { path, state } of found)
        if (state === 'sealed' || state === 'open') assert.ok(sealedPaths.includes(withState(path, 'sealed')))
    }),
    { numRuns: 120 },
  )
  t.end()
})

t.test('the folders of a date are all that hold its segments, and its dates are the first and the last', t => {
  holds(
    t,
    fc.property(segments, segments => {
      const paths = segments.map(({ name, state }) => segmentPath(name, state))
      put(paths)
      const folders = rawDays(root).flatMap(day => rawFoldersOf(root, day))
      for (const path of paths) assert.ok(folders.includes(dirname(path)), path)
      const dates = segments.map(({ name }) => dateOf(name.startedMs)).sort()
      assert.deepEqual(
        rawDays(root).map(({ date }) => date),
        [...new Set(dates)],
      )
      assert.deepEqual(datesOfTree(root), dates.length === 0 ? undefined : { first: dates[0], last: dates.at(-1) })
      assert.equal(holdsFiles(root), paths.length > 0)
      for (const { name } of segments)
        if (name.channel === 'journal' && name.kind === undefined) assert.ok(holdsDate(root, dateOf(name.startedMs)))
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('what is open is told by recorder, whatever identity it had, and nothing that is sealed', t => {
  holds(
    t,
    fc.property(segments, segments => {
      put(segments.map(({ name, state }) => segmentPath(name, state)))
      const told = openByRecorder(root)
      const paths = (wanted: SegmentState) =>
        segments.flatMap(({ name, state }) => (state === wanted ? [segmentPath(name, state)] : [])).sort()
      assert.deepEqual(told.flatMap(({ open }) => open).sort(), paths('open'))
      assert.deepEqual(told.flatMap(({ rewriting }) => rewriting).sort(), paths('rewriting'))
      assert.equal(new Set(told.map(({ exchange, host }) => `${exchange} ${host}`)).size, told.length)
      for (const { exchange, host, open } of told)
        for (const path of open)
          assert.ok(path.includes(`exchange=${exchange}/`) && /Z(_1h)?-(.*)/.exec(path)?.[2]?.startsWith(host), path)
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('a segment holds lines of its hour, or to the end of its date, and of a minute on either side', t => {
  holds(
    t,
    fc.property(segmentName, fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }), (name, awayMs) => {
      const us = (name.startedMs + awayMs) * 1000
      const endMs = segmentEndMs(name)
      assert.ok(endMs > name.startedMs && endMs - name.startedMs <= (name.ofDate ? DAY_MS : HOUR_MS))
      assert.equal(dateOf(endMs - 1), dateOf(name.startedMs), 'never past midnight')
      const isIn = us > name.startedMs * 1000 - SLACK_US && us < endMs * 1000 + SLACK_US
      assert.equal(mayHoldLinesOf(name, { fromUs: us, toUs: us + 1 }), isIn)
      assert.equal(mayHoldLinesOf(name, { fromUs: us }), us < endMs * 1000 + SLACK_US)
    }),
  )
  t.end()
})

const parquet = fc
  .record({
    exchange: fc.constantFrom('deribit', 'okx'),
    table: fc.constantFrom('trades', 'journal', 'chart_trades'),
    levels: fc.constantFrom('', '/kind=option', '/kind=spot/currency=BTC'),
    name: segmentName,
    isDaily: fc.boolean(),
  })
  .map(({ exchange, table, levels, name, isDaily }) => ({
    table,
    date: dateOf(name.startedMs),
    path: `parquet/exchange=${exchange}/table=${table}${levels}/date=${dateOf(name.startedMs)}/${isDaily ? dailyName(name.host) : hourlyName(name)}`,
  }))
const spoilt = fc.constantFrom('.tmp', '.sync-conflict-20260101-120000-ABCDEFG.parquet', '~', ' (1).parquet')
const dates = fc
  .tuple(startedMs, fc.nat({ max: 3 }))
  .map(([ms, days]) => ({ first: dateOf(ms), last: dateOf(ms + days * DAY_MS) }))

t.test('a walk over Parquet finds each file of ours and tells of all others, whatever dates are asked for', t => {
  const drawn = fc.uniqueArray(parquet, { maxLength: 20, selector: ({ path }) => path })
  holds(
    t,
    fc.property(drawn, fc.array(fc.tuple(parquet, spoilt), { maxLength: 4 }), dates, (files, others, dates) => {
      const strange = [...new Set(others.map(([{ path }, ending]) => path + ending))]
      put([...files.map(({ path }) => path), ...strange])
      const strangers: string[] = []
      const found = [...parquetFiles(root, { onStranger: path => strangers.push(path) })].map(({ path }) => path)
      assert.deepEqual(found.sort(), files.map(({ path }) => path).sort())
      assert.deepEqual(strangers.sort(), strange.sort())
      const within = files.filter(({ date }) => date >= dates.first && date <= dates.last)
      assert.deepEqual(
        [...parquetFiles(root, { dates })].map(({ path }) => path).sort(),
        within.map(({ path }) => path).sort(),
      )
      for (const path of found)
        assert.deepEqual(
          parquetFileAt(path),
          [...parquetFiles(root)].find(one => one.path === path),
        )
      const parents = parentsOfDays(root, table => table === 'journal')
      const wanted = files.flatMap(({ table, path }) => (table === 'journal' ? [dirname(dirname(path))] : []))
      for (const parent of wanted) assert.ok(parents.includes(parent), parent)
    }),
    { numRuns: 80 },
  )
  t.end()
})

t.test('a Parquet name with a letter changed says what it is spelled as, or is none of ours', t => {
  const letter = fc.constantFrom('/', '-', '_', '.', '=', '0', '5', '9', 'a', 'Z', ' ', '\n', 'ü', '')
  holds(
    t,
    fc.property(segmentName, fc.boolean(), fc.nat(), letter, (name, isDaily, at, letter) => {
      const file = isDaily ? dailyName(name.host) : hourlyName(name)
      const place = at % file.length
      const changed = file.slice(0, place) + letter + file.slice(place + 1)
      const read = parseParquetName(changed)
      if (!read) return
      const { hour, host, run = '', number = 0 } = read
      const spelled =
        hour === undefined ? dailyName(host) : `${String(hour).padStart(2, '0')}-${host}-${run}-${number}.parquet`
      assert.equal(spelled, changed)
      // An hour that no day has would be taken for one of the days behind it.
      const { fromMs, toMs } = timeOfParquet(read, '2026-11-22')
      assert.deepEqual([dateOf(fromMs), dateOf(toMs - 1)], ['2026-11-22', '2026-11-22'], changed)
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('quarantined lines of a segment lie under its family and date', t => {
  holds(
    t,
    fc.property(
      fc.uniqueArray(segmentName, { maxLength: 6, selector: name => segmentPath(name, 'sealed') }),
      dates,
      (names, dates) => {
        const paths = names.map(name => quarantinePath(segmentPath(name, 'sealed'), name))
        put(paths)
        assert.deepEqual([...quarantineFiles(root)].sort(), [...new Set(paths)].sort())
        const isWithin = (path: string) => {
          const date = /date=([\d-]+)/.exec(path)?.[1] ?? ''
          return date >= dates.first && date <= dates.last
        }
        assert.deepEqual([...quarantineFiles(root, { dates })].sort(), [...new Set(paths.filter(isWithin))].sort())
      },
    ),
    { numRuns: 40 },
  )
  t.end()
})

t.test('recorders of one host are one, with any identity or none; others are not', t => {
  for (const [one, other, isSame] of [
    ['vps1', 'vps1', true],
    ['vps1', recorderName('vps1', 'abcd1234'), true],
    [recorderName('vps1', 'abcd1234'), recorderName('vps1', 'zzzz9999'), true],
    ['vps1', 'vps10', false],
    [recorderName('vps', 'abcd1234'), recorderName('vps-1', 'abcd1234'), false],
  ] as const)
    t.equal(isSameRecorder(one, other), isSame, `${one} and ${other}`)
  t.same(parseRecorderName(recorderName('a.b-c', 'abcd1234')), { host: 'a.b-c', identity: 'abcd1234' })
  t.end()
})

t.test('asked with times that no clock tells, a walk finds all there is, or nothing', t => {
  const name = { exchange: 'deribit', channel: 'trades', startedMs: BEGINS_MS[0] ?? 0, host: 'h', run: 'r', number: 1 }
  put([segmentPath(name, 'sealed')])
  const count = (fromUs: number | undefined, toUs: number | undefined) =>
    [...rawFiles(root, { ...(fromUs !== undefined && { fromUs }), ...(toUs !== undefined && { toUs }) })].length
  // µs beyond the year 9999, also such as nanoseconds taken for them, and beyond what a Date holds.
  for (const far of [2e15 * 100, 1.7e18, 8.64e18, 1e19, 8.64e21, Number.MAX_VALUE, Infinity]) {
    t.equal(count(0, far), 1, `to ${far}`)
    t.equal(count(far, undefined), 0, `from ${far}`)
    t.equal(count(-far, far), 1, `from ${-far}`)
    t.equal(count(undefined, -far), 0, `to ${-far}`)
  }
  // A minute on either side may be of another date than the segment.
  const midnightMs = Date.UTC(2024, 1, 29)
  put([segmentPath({ ...name, startedMs: midnightMs }, 'sealed')])
  t.same([-61, -59, 1].map(s => count(undefined, (midnightMs + s * 1000) * 1000)), [0, 1, 1], 'that may end before it') // prettier-ignore
  put([segmentPath({ ...name, startedMs: midnightMs - HOUR_MS }, 'sealed')])
  t.same([-1, 59, 61].map(s => count((midnightMs + s * 1000) * 1000, undefined)), [1, 1, 0], 'that may begin after it') // prettier-ignore
  t.end()
})
