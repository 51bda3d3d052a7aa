import { mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { isDone, SegmentFinder } from '../../compactor/backlog.js'
import { dropPastState } from '../../compactor/date/past-state.js'
import { endWish, wishAnew, wishedAnew } from '../../compactor/date/wishes.js'
import { KnownReceipts } from '../../compactor/known-receipts.js'
import { appendReceipts, compactorState, type Receipt } from '../../formats/receipt.js'
import { rawLines, sealSegment, START_MS } from './fixtures/segments.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LONG_AGO = new Date('2026-11-01T00:00:00Z')
const lines = rawLines(['{}'])
const DATE = '2026-11-22'

/** A folder looks as if nothing had happened there for long; how long differs by `seconds`. */
const settle = (dataDir: string, path: string, seconds = 0) =>
  utimesSync(join(dataDir, dirname(path)), LONG_AGO, new Date(LONG_AGO.getTime() + seconds * 1000))

t.test('segments are found oldest first, whatever their family, date and hour', t => {
  const dataDir = t.testdir()
  const of = (channel: string, hours: number, number: number) =>
    sealSegment(dataDir, channel, lines, { startedMs: START_MS + hours * HOUR_MS, number }).segment
  const [late, early, middle, other] = [of('trades', 30, 3), of('quote', -20, 1), of('book', 2, 2), of('trades', 2, 4)]
  const finder = new SegmentFinder(dataDir)
  t.same(
    finder.find().map(({ path }) => path),
    [early, middle, other, late],
  )
  t.same(
    [...finder.dates(({ date }) => date === DATE)].map(({ date, sealed }) => [date, sealed.length]),
    [
      ['2026-11-21', 1],
      ['2026-11-23', 1],
    ],
    'dates that are passed over are not looked into',
  )
  t.equal(finder.date('2026-11-20'), undefined)
  t.same(
    finder.date(DATE)?.sealed.map(({ path }) => path),
    [middle, other],
  )
  t.end()
})

t.test(
  'a folder that did not change is not read again; one that changed is, and so is one that changed just now',
  t => {
    const dataDir = t.testdir()
    const { segment } = sealSegment(dataDir, 'quote', lines)
    settle(dataDir, segment)
    const finder = new SegmentFinder(dataDir)
    t.equal(finder.find().length, 1)
    const second = sealSegment(dataDir, 'quote', lines, { number: 2 }).segment
    settle(dataDir, segment)
    t.equal(finder.find().length, 1, 'as if nothing had happened: the folder says so')
    settle(dataDir, segment, 1)
    t.equal(finder.find().length, 2, 'its time changed')
    // Within a tick of the file system's clock, a second change would not be seen by the time.
    const now = new Date()
    utimesSync(join(dataDir, dirname(segment)), now, now)
    t.equal(finder.find().length, 2)
    rmSync(join(dataDir, second))
    utimesSync(join(dataDir, dirname(segment)), now, now)
    t.equal(finder.find().length, 1, 'what changed just now is looked at each time')
    const soon = new Date(Date.now() + DAY_MS)
    utimesSync(join(dataDir, dirname(segment)), soon, soon)
    t.equal(finder.find().length, 1)
    sealSegment(dataDir, 'quote', lines, { number: 3 })
    utimesSync(join(dataDir, dirname(segment)), soon, soon)
    t.equal(finder.find().length, 2, 'nor is a time believed that lies ahead of the clock')
    rmSync(join(dataDir, 'raw'), { recursive: true })
    t.same(finder.find(), [], 'a tree that went away has none')
    t.end()
  },
)

t.test('a date is quiet while nothing is open in it, or left behind of a rewriting', t => {
  const dataDir = t.testdir()
  const { segment } = sealSegment(dataDir, 'quote', lines)
  const finder = new SegmentFinder(dataDir)
  t.match(finder.date(DATE), { isQuiet: true, date: DATE })
  for (const ending of ['.open', '.rewriting']) {
    const path = join(dataDir, segment.replace('-1.jsonl.zst', `-2.jsonl.zst${ending}`))
    writeFileSync(path, '')
    t.equal(finder.date(DATE)?.isQuiet, false, ending)
    t.equal(finder.date(DATE)?.sealed.length, 1, 'and no segment')
    rmSync(path)
  }
  writeFileSync(join(dataDir, dirname(segment), 'of somebody else'), '')
  t.equal(finder.date(DATE)?.isQuiet, true, 'what is none of ours does not count')
  t.end()
})

const receiptOf = (segment: string, sha256: string, more: Partial<Receipt> = {}): Receipt => ({
  ...{ segment, sha256, outputs: [], rows: 1, frames: 1, written: 1, duplicates: 0, double_rows: 0 },
  ...{ quarantined: 0, known: 0, schema_version: 1, ...more },
})

t.test('a segment is done where its receipt is of this content and all that came of it is there', t => {
  const dataDir = t.testdir({ parquet: { a: '' } })
  const outputs = [{ path: 'parquet/a', rows: 1, bytes: 1, sha256: '' }]
  t.notOk(isDone(dataDir, undefined, 'x'))
  t.ok(isDone(dataDir, receiptOf('s', 'x'), 'x'), 'it had no rows')
  t.ok(isDone(dataDir, receiptOf('s', 'x', { outputs }), 'x'))
  t.notOk(isDone(dataDir, receiptOf('s', 'y', { outputs }), 'x'), 'another segment of this name')
  rmSync(join(dataDir, 'parquet/a'))
  t.notOk(isDone(dataDir, receiptOf('s', 'x', { outputs }), 'x'))
  t.end()
})

t.test('receipts are those of the files, however many dates are asked for by turns', t => {
  const dataDir = t.testdir()
  const paths = Array.from({ length: 7 }, (_, day) =>
    sealSegment(dataDir, 'quote', lines, { startedMs: START_MS - day * DAY_MS }),
  )
  for (const { segment, sha256 } of paths.slice(0, 6))
    appendReceipts(dataDir, /date=([^/]+)/.exec(segment)?.[1] ?? '', [receiptOf(segment, sha256)])
  const known = new KnownReceipts(dataDir)
  for (let round = 0; round < 3; round++)
    for (const [at, { segment, sha256 }] of paths.entries())
      t.equal(known.get(segment)?.sha256, at < 6 ? sha256 : undefined, `round ${round}, date ${at}`)
  t.equal(known.get('no path of a segment'), undefined)
  t.same([...known.byDate()].map(([date, receipts]) => [date, receipts.size]).sort().length, 6)
  const [first] = paths
  if (!first) throw new Error('no segment')
  known.set(receiptOf(first.segment, 'f'.repeat(64)))
  t.equal(known.get(first.segment)?.sha256, 'f'.repeat(64), 'what was written since is known')
  t.end()
})

t.test('what is known of a date goes when nothing of it is here, and not before it may still come', t => {
  const nowMs = Date.UTC(2026, 10, 22, 12)
  const names = (dataDir: string) => [
    ...new Set(['2026-11-01', '2026-11-10', '2026-11-18', '2026-11-20', '2026-13-40'].filter(date => {
      try {
        return readFileSync(join(compactorState(dataDir), `done-${date}.jsonl`), 'utf8') === ''
      } catch {
        return false
      }
    })),
  ] // prettier-ignore
  const file = (date: string) => ({ [`done-${date}.jsonl`]: '', [`superseded-${date}.jsonl`]: '' })
  const dataDir = t.testdir({
    quarantine: { 'exchange=deribit': { 'channel=quote': { 'date=2026-11-10': { 'x.jsonl': '' } } } },
    state: {
      compactor: {
        ...{ ...file('2026-11-01'), ...file('2026-11-10'), ...file('2026-11-18'), ...file('2026-11-20') },
        ...{ 'done-2026-13-40.jsonl': '', 'finished.json': '{}', 'done-2026-11-01.jsonl.tmp': '' },
      },
    },
  })
  const asked: string[] = []
  const isHere = (date: string) => asked.push(date) > 0 && date === '2026-11-18'
  t.same(dropPastState(dataDir, isHere, nowMs), ['2026-11-01'])
  t.same([...new Set(asked)], ['2026-11-01', '2026-11-10', '2026-11-18'], 'of young dates nobody is asked')
  t.same(names(dataDir), ['2026-11-10', '2026-11-18', '2026-11-20', '2026-13-40'])
  t.same(dropPastState(dataDir, isHere, nowMs), [], 'and nothing is left to do')
  t.same(
    dropPastState(dataDir, () => false, nowMs - 365 * DAY_MS),
    [],
    'a clock that was set back drops nothing',
  )
  t.same(
    dropPastState(join(dataDir, 'none'), () => false, nowMs),
    [],
  )
  t.end()
})

t.test('dates that are to be made anew are wished until somebody ends it', t => {
  const dataDir = t.testdir()
  t.same(wishedAnew(dataDir), [])
  for (const date of ['2026-11-22', '2026-11-20', '2026-11-22']) wishAnew(dataDir, date)
  mkdirSync(join(compactorState(dataDir), 'anew-2026-11-19'))
  writeFileSync(join(compactorState(dataDir), 'anew-2026-11-18.tmp'), '')
  t.same(wishedAnew(dataDir).sort(), ['2026-11-20', '2026-11-22'])
  endWish(dataDir, '2026-11-20')
  endWish(dataDir, '2026-11-20')
  t.same(wishedAnew(dataDir), ['2026-11-22'])
  renameSync(compactorState(dataDir), join(dataDir, 'moved'))
  t.same(wishedAnew(dataDir), [])
  t.end()
})
