/** What is seen of the files of a dataDir, whatever lies there. */
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { SCHEMA_VERSION } from '../../../compactor/tables.js'
import { segmentPath, withState, type SegmentName } from '../../../formats/raw-path.js'
import { writePulseFile } from '../../fixtures/written-pulse.js'
import { writeProofState } from '../../../formats/proof-state.js'
import { STANDS_STILL_MS } from '../../../formats/pulse.js'
import { writeStatus } from '../../../formats/status.js'
import { archiveOf } from '../../../monitor/observe/archive-seen.js'
import { diskOf, growthPerDay } from '../../../monitor/observe/disk-growth.js'
import { diskUseOf, spaceOf, type DiskUse } from '../../../monitor/observe/disk-use.js'
import { JournalFollower } from '../../../monitor/observe/journal-follower.js'
import { reportOf, reportsOf, titleOf } from '../../../monitor/observe/parts.js'
import { versionsOf, versionsText } from '../../../monitor/observe/versions-seen.js'
import { writeJournalHour } from '../../fixtures/journal-hour.js'
import { holds } from '../../fixtures/holds.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const AT_MS = Date.parse('2026-11-22T14:30:00Z')
const HOUR_14_MS = Date.parse('2026-11-22T14:00:00Z')

const nameAt = (startedMs: number, number: number, given: Partial<SegmentName> = {}): SegmentName => ({
  ...{ exchange: 'deribit', channel: 'quote', host: 'vps1_abcdefgh', run: 'r1', startedMs, number },
  ...given,
})

function put(dataDir: string, path: string, bytes: number): void {
  mkdirSync(join(dataDir, path, '..'), { recursive: true })
  writeFileSync(join(dataDir, path), 'x'.repeat(bytes))
}

t.test('all that lies there is counted once, open segments by recorder, and links are not followed', t => {
  const dataDir = t.testdir({ elsewhere: { 'large.bin': 'x'.repeat(5000) } })
  put(dataDir, segmentPath(nameAt(HOUR_14_MS - HOUR_MS, 1), 'sealed'), 100)
  put(dataDir, segmentPath(nameAt(HOUR_14_MS - HOUR_MS, 1), 'manifest'), 10)
  put(dataDir, segmentPath(nameAt(HOUR_14_MS + 1000, 2), 'open'), 30)
  put(dataDir, segmentPath(nameAt(HOUR_14_MS + 2000, 3), 'open'), 5)
  put(dataDir, segmentPath(nameAt(HOUR_14_MS, 1, { exchange: 'okx', host: 'vps2' }), 'open'), 7)
  put(dataDir, 'raw/exchange=deribit/channel=quote/date=2026-11-22/hour=14/of-nobody.txt', 1000)
  put(dataDir, 'parquet/exchange=deribit/table=quote/date=2026-11-22/14-vps1-r1-1.parquet', 40)
  put(dataDir, 'quarantine/exchange=deribit/channel=quote/date=2026-11-22/x.jsonl', 3)
  symlinkSync(join(dataDir, 'elsewhere'), join(dataDir, 'raw/exchange=linked'))
  symlinkSync('..', join(dataDir, 'raw/exchange=deribit/channel=round'))
  symlinkSync('/nowhere/at/all', join(dataDir, 'raw/exchange=dangling'))
  const use = diskUseOf(dataDir, AT_MS)
  t.equal(use.raw.files, 6 + 3, 'a link is a file of its own')
  t.ok(use.raw.bytes >= 1152 && use.raw.bytes < 1400, `${use.raw.bytes} bytes`)
  t.same(use.open, { files: 3, bytes: 42 })
  t.same(use.openBy, [
    { exchange: 'deribit', host: 'vps1', segments: 2 },
    { exchange: 'okx', host: 'vps2', segments: 1 },
  ])
  t.same(
    [use.parquet, use.quarantine],
    [
      { files: 1, bytes: 40 },
      { files: 1, bytes: 3 },
    ],
  )
  t.same([...use.rawByHour], [[HOUR_14_MS - HOUR_MS, 110], [HOUR_14_MS, 42]], 'what is ours by its hour') // prettier-ignore
  t.equal(use.firstMs, HOUR_14_MS - HOUR_MS)
  t.end()
})

t.test('where nothing is, or a file in place of a folder, nothing is seen', t => {
  const dataDir = t.testdir({ raw: 'a file', parquet: {} })
  for (const folder of [dataDir, join(dataDir, 'nowhere')]) {
    const use = diskUseOf(folder, AT_MS)
    t.same([use.raw, use.open, use.openBy, use.firstMs], [{ files: 0, bytes: 0 }, { files: 0, bytes: 0 }, [], Infinity])
    t.equal(growthPerDay(use), undefined)
  }
  t.equal(spaceOf(join(dataDir, 'nowhere')), undefined)
  const space = spaceOf(dataDir)
  t.ok(space && space.freeBytes > 0 && space.sizeBytes >= space.freeBytes && !space.isReadOnly)
  t.end()
})

const useOf = (rawByHour: [hourMs: number, bytes: number][], parquetBytes = 0, firstMs = -Infinity): DiskUse => {
  const none = { files: 0, bytes: 0 }
  const raw = { files: 1, bytes: rawByHour.reduce((sum, [, bytes]) => sum + bytes, 0) }
  const parquet = { files: 1, bytes: parquetBytes }
  return { ...{ atMs: AT_MS, raw, open: none, openBy: [], parquet, quarantine: none }, rawByHour: new Map(rawByHour), firstMs }
} // prettier-ignore

t.test('what a day adds: by whole hours once there are two, by the time it ran before', t => {
  const cases: [string, DiskUse, number | undefined][] = [
    ['two whole hours: the first may have begun in its middle', useOf([[HOUR_14_MS - 2 * HOUR_MS, 1], [HOUR_14_MS - HOUR_MS, 100], [HOUR_14_MS, 999]]), 2400],
    ['in whatever order', useOf([[HOUR_14_MS - HOUR_MS, 100], [HOUR_14_MS - 2 * HOUR_MS, 1]]), 2400],
    ['half an hour', useOf([[HOUR_14_MS, 100]], 0, HOUR_14_MS), 4800],
    ['begun five minutes ago', useOf([[HOUR_14_MS, 100]], 0, AT_MS - 300_000), 28_800],
    ['a moment ago', useOf([[HOUR_14_MS, 100]], 0, AT_MS - 59_000), undefined],
    ['days ago', useOf([[HOUR_14_MS - 3 * DAY_MS, 100], [HOUR_14_MS - 4 * DAY_MS, 100]]), undefined],
    ['with the Parquet beside it', useOf([[HOUR_14_MS, 100]], 50, HOUR_14_MS), 7200],
    ['of which raw was deleted before: no more than three times as much', useOf([[HOUR_14_MS, 100]], 1e6, HOUR_14_MS), 19_200],
    ['hours of a clock that was ahead', useOf([[HOUR_14_MS + 5 * HOUR_MS, 100]], 0, HOUR_14_MS + 5 * HOUR_MS), undefined],
  ] // prettier-ignore
  for (const [what, use, bytes] of cases) t.equal(growthPerDay(use), bytes, what)
  t.end()
})

t.test('growth is never negative, and more of every hour is more a day', t => {
  const hours = fc.uniqueArray(fc.tuple(fc.integer({ min: -40, max: 3 }), fc.nat(1e9)), { selector: ([hour]) => hour })
  holds(t, fc.property(hours, fc.nat(1e9), fc.nat(100), (hours, parquetBytes, sinceH) => {
      const use = useOf(hours.map(([hour, bytes]) => [HOUR_14_MS + hour * HOUR_MS, bytes]), parquetBytes, AT_MS - sinceH * HOUR_MS) // prettier-ignore
      const perDay = growthPerDay(use)
      if (perDay === undefined) return
      assert.ok(perDay >= 0 && Number.isFinite(perDay))
      const twice = { ...use, raw: { ...use.raw, bytes: 2 * use.raw.bytes }, parquet: { files: 1, bytes: 2 * parquetBytes } }
      const more = growthPerDay({ ...twice, rawByHour: new Map([...use.rawByHour].map(([hour, bytes]) => [hour, 2 * bytes])) })
      assert.ok(Math.abs((more ?? 0) - 2 * perDay) <= 1e-6 * perDay)
      const { daysLeft } = diskOf(use, { freeBytes: 1e9, sizeBytes: 1e10, isReadOnly: false })
      assert.ok(daysLeft === undefined ? perDay === 0 : daysLeft > 0)
    }),
  ) // prettier-ignore
  t.end()
})

t.test('a part is what its own last words and its own signs say', t => {
  const dataDir = t.testdir({ state: { 'compactor.json': '{"pid": 1', 'syncer.json': 'null' } })
  t.equal(reportOf('compactor', dataDir).state, 'never ran', 'cut off in the middle')
  t.equal(reportOf('syncer', dataDir).state, 'never ran', 'no object')
  const cases: [string, { pid?: number; at?: number }, boolean, string][] = [
    ['no sign: of an earlier version', {}, true, 'running'],
    ['a sign just now', { at: AT_MS - 1000 }, true, 'running'],
    ['as late as it may be', { at: AT_MS - STANDS_STILL_MS }, true, 'running'],
    ['later', { at: AT_MS - STANDS_STILL_MS - 1 }, true, 'stands still'],
    ['of a process before it', { at: AT_MS - HOUR_MS, pid: 4 }, true, 'running'],
    ['gone', { at: AT_MS - 1000 }, false, 'dead'],
  ]
  for (const [what, { pid = 77, at }, isAlive, state] of cases) {
    writeStatus(dataDir, 'syncer', { pid: 77 })
    if (at === undefined) rmSync(join(dataDir, 'state', 'pulse-syncer.json'), { force: true })
    else writePulseFile(dataDir, 'syncer', { pid, at: new Date(at).toISOString() })
    t.equal(reportOf('syncer', dataDir, undefined, () => isAlive, AT_MS).state, state, what)
  }
  writeFileSync(join(dataDir, 'state', 'pulse-syncer.json'), '{"pid":77,"at":"soon"}')
  t.equal(
    reportOf('syncer', dataDir, undefined, () => true, AT_MS).pulse,
    undefined,
    'a sign that cannot be read is none',
  )
  t.end()
})

t.test('a monitor that never ran is nobody whose absence is told', t => {
  const dataDir = t.testdir()
  const titles = () => reportsOf(dataDir, ['deribit', 'okx']).map(titleOf)
  t.same(titles(), ['recorder of deribit', 'recorder of okx', 'compactor', 'syncer'])
  writeStatus(dataDir, 'monitor', {})
  t.same(titles().at(-1), 'monitor')
  t.end()
})

const events = (count: number, begin = 0) =>
  Array.from({ length: count }, (_, n) => [
    (begin + n) / 10,
    {
      event: 'gap',
      conn: 'd1',
      cause: `${begin + n}`,
      from_us: 1,
      to_us: 2,
      families: ['quote'],
      channels: ['a', 'b'],
    },
  ]) as [number, object][]
const journalAt = (startedMs: number, number: number) => ({ startedMs, host: 'vps1', run: 'r1', number })

t.test('of the journal only what grew is read again, and what went away is forgotten', t => {
  const dataDir = t.testdir()
  writeJournalHour(dataDir, journalAt(HOUR_14_MS - HOUR_MS, 1), events(3))
  const follower = new JournalFollower(dataDir)
  const first = follower.since(0)
  t.equal(first.length, 4, 'three gaps, and when the run was heard of last')
  writeJournalHour(dataDir, journalAt(HOUR_14_MS, 2), events(2))
  const second = follower.since(0)
  t.strictSame(first.map(entry => second.indexOf(entry)), [0, 1, 2, 3], 'those of before are the very same') // prettier-ignore
  t.equal(second.length, 7)
  t.same(follower.since(HOUR_14_MS * 1000 + 50_000).map(({ event }) => event), ['gap', 'heard'], 'from a moment on') // prettier-ignore
  rmSync(join(dataDir, segmentPath({ ...nameAt(HOUR_14_MS - HOUR_MS, 1), channel: 'journal', host: 'vps1', run: 'r1' }, 'sealed')))
  t.equal(follower.since(0).length, 3)
  rmSync(join(dataDir, 'raw'), { recursive: true })
  t.same(follower.since(0), [])
  t.end()
}) // prettier-ignore

t.test('a journal in trouble fills no memory: the last of each hour, without their lists of channels', t => {
  const dataDir = t.testdir()
  writeJournalHour(dataDir, journalAt(HOUR_14_MS, 1), events(5200))
  const entries = new JournalFollower(dataDir).since(0)
  t.equal(entries.length, 5001)
  t.match(entries[0]?.detail, { cause: '200' }, 'the oldest go')
  t.equal(entries.at(-1)?.event, 'heard')
  t.notOk(entries.some(({ detail }) => 'channels' in detail))
  t.end()
})

t.test('a segment of the journal that is sealed between two looks is told once', t => {
  const dataDir = t.testdir()
  writeJournalHour(dataDir, journalAt(HOUR_14_MS, 1), events(3))
  const sealed = segmentPath({ ...nameAt(HOUR_14_MS, 1), channel: 'journal', host: 'vps1', run: 'r1' }, 'sealed')
  const open = withState(sealed, 'open')
  renameSync(join(dataDir, sealed), join(dataDir, open))
  const follower = new JournalFollower(dataDir)
  const before = follower.since(0)
  renameSync(join(dataDir, open), join(dataDir, sealed))
  t.same(follower.since(0), before)
  t.equal(before.length, 4)
  t.end()
})

t.test('which versions lie here, of the first and the last day, and from a file that is cut off', t => {
  const dataDir = t.testdir({ state: { compactor: {} } })
  t.same(versionsOf(dataDir).tablesHere, [])
  const receipt = (version: number | undefined, more = '') => {
    const counts = { rows: 1, frames: 1, written: 1, quarantined: 0, known: 0, outputs: [] }
    const known = version === undefined ? {} : { schema_version: version }
    return `${JSON.stringify({ segment: `raw/${more}`, sha256: 'a'.repeat(64), ...counts, ...known })}\n`
  }
  const done = (date: string) => join(dataDir, 'state', 'compactor', `done-${date}.jsonl`)
  writeFileSync(done('2025-01-01'), receipt(77))
  writeFileSync(done('2025-06-01'), receipt(78))
  writeFileSync(done('2026-11-22'), '')
  t.same(versionsOf(dataDir).tablesHere, [77], 'days between are not looked at')
  appendFileSync(done('2026-11-22'), receipt(undefined, 'x'.repeat(9000)).repeat(3))
  t.same(
    versionsOf(dataDir).tablesHere,
    [1, 77],
    'one that says none is of the first; and what is looked at ends in the middle of a line',
  )
  t.match(versionsText(versionsOf(dataDir)), new RegExp(`schema version ${SCHEMA_VERSION}, here also of version 77$`))
  rmSync(done('2025-01-01'))
  rmSync(done('2025-06-01'))
  t.match(versionsText(versionsOf(dataDir)), /schema version \d+$/)
  t.end()
})

t.test('what rotted is told until a newer round has passed it', t => {
  const dataDir = t.testdir({ state: {} })
  t.equal(archiveOf(dataDir), undefined)
  const fault = (date: string, code = 'ROTTEN') => ({ code, path: `raw/date=${date}/x`, message: 'another sha256' })
  const last = { begunMs: 1, endedMs: 5, facts: { files: 9, bytes: 90 }, found: {}, faults: [fault('2026-11-01'), fault('2026-11-20'), fault('2026-11-21', 'BUSY')] } // prettier-ignore
  const stateWith = (at?: string) => ({
    ...{ writtenMs: 7, startedMs: 6, last },
    ...(at !== undefined && { round: { begunMs: 6, facts: {}, found: {}, faults: [], at: { date: at, key: 'k' }, datesDone: 3, dates: 8 } }),
  }) // prettier-ignore
  const rottenWith = (at?: string) => {
    writeProofState(dataDir, 'bits', stateWith(at))
    const seen = archiveOf(dataDir)
    t.match(seen, { workedMs: 7, lastEndedMs: 5, lastFiles: 9, lastBytes: 90, throughDate: at })
    return seen?.rotten.map(({ path }) => path.slice(9, 19))
  }
  t.same(rottenWith(), ['2026-11-01', '2026-11-20'], 'what could not be looked at is no damage')
  t.same(rottenWith('2026-11-10'), ['2026-11-20'])
  t.same(rottenWith('2026-11-20'), ['2026-11-20'], 'it is in that day, and may not have come to it')
  t.same(rottenWith('2026-11-21'), [])
  t.end()
})
