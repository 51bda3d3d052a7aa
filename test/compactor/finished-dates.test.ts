import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FinishedDates, type DateFolders } from '../../compactor/finished-dates.js'
import { CompactorProgress } from '../../compactor/progress.js'
import { Retries } from '../../compactor/retries.js'
import { finishedPath } from '../../formats/finished-mark.js'
import { readStatus } from '../../formats/status.js'
import { silent } from './fixtures/compacted.js'
import type { Conversion } from '../../compactor/segment/convert.js'
import type { Receipt } from '../../formats/receipt.js'

const DAY = 'raw/exchange=deribit/channel=quote/date=2026-11-20'
const TABLE = 'parquet/exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=2026-11-20'
const FOLDERS: DateFolders = { raw: [DAY], parquet: [TABLE, `${TABLE}x`] }
const DATE = '2026-11-20'

/** A date with an hour and a table; its folders changed at this second of long ago. */
function makeDate(dataDir: string, second = 0): void {
  for (const folder of [`${DAY}/hour=14`, TABLE]) mkdirSync(join(dataDir, folder), { recursive: true })
  writeFileSync(join(dataDir, `${DAY}/hour=14/a`), '123')
  writeFileSync(join(dataDir, TABLE, 'b'), '12345')
  touch(dataDir, second)
}

function touch(dataDir: string, second: number, folders = [`${DAY}/hour=14`, DAY, TABLE]): void {
  for (const folder of folders) utimesSync(join(dataDir, folder), second, second)
}

t.test('a date is finished as long as its folders are as they were, also after another start', t => {
  const dataDir = t.testdir({ state: { compactor: {} } })
  makeDate(dataDir)
  const finished = new FinishedDates(dataDir)
  t.notOk(finished.has(DATE, FOLDERS, true))
  finished.addIf(DATE, FOLDERS, () => true)
  t.ok(finished.isMarked(DATE))
  finished.save()
  const later = new FinishedDates(dataDir)
  t.ok(later.has(DATE, FOLDERS, false) && later.has(DATE, FOLDERS, true))
  t.match(JSON.parse(readFileSync(finishedPath(dataDir), 'utf8')), {
    [DATE]: { raw: { files: 1, bytes: 3 }, parquet: { files: 1, bytes: 5 } },
  })
  touch(dataDir, 9, [`${DAY}/hour=14`])
  t.ok(later.has(DATE, FOLDERS, false), 'from afar an hour is not looked at')
  t.notOk(later.has(DATE, FOLDERS, true), 'closely it is')
  t.notOk(later.isMarked(DATE), 'and then it is finished no more')
  t.end()
})

t.test('of those that look again and again each second asks a date', t => {
  const dataDir = t.testdir({ state: { compactor: {} } })
  makeDate(dataDir)
  const first = new FinishedDates(dataDir)
  first.addIf(DATE, FOLDERS, () => true)
  first.save()
  const seenAt = (looks: number) => {
    const finished = new FinishedDates(dataDir)
    for (let look = 0; look < looks; look++) finished.turn(look)
    return !finished.has(DATE, FOLDERS, false)
  }
  touch(dataDir, 5, [DAY])
  t.ok(seenAt(1), 'the first one of all')
  t.same([2, 3, 4, 5].map(seenAt).filter(Boolean).length, 2, 'then half of them')
  t.not(seenAt(2), seenAt(3))
  t.end()
})

t.test('whatever comes or goes in a folder of the date is seen', t => {
  for (const [name, change] of Object.entries({
    'a table': (dataDir: string) => touch(dataDir, 5, [TABLE]),
    'the day': (dataDir: string) => touch(dataDir, 5, [DAY]),
    'a table that went': (dataDir: string) => rmSync(join(dataDir, TABLE), { recursive: true }),
    'a table that came': (dataDir: string) => mkdirSync(join(dataDir, `${TABLE}x`)),
    'the day that went': (dataDir: string) => rmSync(join(dataDir, DAY), { recursive: true }),
  })) {
    const dataDir = t.testdir({ state: { compactor: {} } })
    makeDate(dataDir)
    const finished = new FinishedDates(dataDir)
    finished.addIf(DATE, FOLDERS, () => true)
    t.ok(finished.has(DATE, FOLDERS, true))
    change(dataDir)
    t.notOk(finished.has(DATE, FOLDERS, true), name)
  }
  t.end()
})

t.test('a date is not marked where something is left to do, came meanwhile, or just now', t => {
  const dataDir = t.testdir({ state: { compactor: {} } })
  makeDate(dataDir)
  const finished = new FinishedDates(dataDir)
  finished.addIf(DATE, FOLDERS, () => false)
  t.notOk(finished.isMarked(DATE))
  finished.addIf(DATE, FOLDERS, () => {
    touch(dataDir, 7)
    return true
  })
  t.notOk(finished.isMarked(DATE), 'while it was asked')
  touch(dataDir, Date.now() / 1000)
  finished.addIf(DATE, FOLDERS, () => true)
  t.notOk(finished.isMarked(DATE), 'within a tick of the clock another change would not be seen')
  touch(dataDir, Date.now() / 1000 + 3600)
  finished.addIf(DATE, FOLDERS, () => true)
  t.notOk(finished.isMarked(DATE), 'nor where the clock was set back')
  t.end()
})

t.test('each date has its turn to be looked at closely, however many there are', t => {
  const count = 300
  const dates = Array.from({ length: count }, (_, day) =>
    new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
  )
  const mark = { days: 'x', all: 'x' }
  const dataDir = t.testdir({ state: { compactor: { 'finished.json': JSON.stringify(Object.fromEntries(dates.map(date => [date, mark]))) } } }) // prettier-ignore
  const finished = new FinishedDates(dataDir)
  const seen = new Set<string>()
  let nowMs = 1000
  for (let step = 0; step < 40; step++, nowMs += 60_000) {
    const turn = finished.turn(nowMs)
    if (step === 0) t.ok(turn, 'at once after a start')
    t.ok((turn?.size ?? 0) <= 64, 'some at a time')
    for (const date of turn ?? []) seen.add(date)
    if (nowMs >= 1_201_000) break
  }
  t.equal(seen.size, count, 'all within 20 minutes')
  finished.keepOnly(new Set(dates.slice(0, 3)))
  t.same(
    dates.filter(date => finished.isMarked(date)),
    dates.slice(0, 3),
  )
  nowMs += 1_200_000
  t.equal(finished.turn(nowMs)?.size, 3)
  t.equal(finished.turn(nowMs + 1), undefined)
  const none = new FinishedDates(t.testdir({}))
  t.equal(none.turn(0)?.size, 0)
  t.end()
})

t.test('marks that are spoilt are no marks, and a disk that takes none is no reason to stop', t => {
  for (const text of ['', '{"2026', 'null', '[]', '{"2026-11-20":5}']) {
    const dataDir = t.testdir({ state: { compactor: { 'finished.json': text } } })
    makeDate(dataDir)
    const finished = new FinishedDates(dataDir)
    t.notOk(finished.isMarked(DATE), text)
    finished.addIf(DATE, FOLDERS, () => true)
    finished.save()
    t.ok(new FinishedDates(dataDir).isMarked(DATE))
  }
  const dataDir = t.testdir({})
  makeDate(dataDir)
  const finished = new FinishedDates(dataDir)
  finished.addIf(DATE, FOLDERS, () => true)
  finished.save()
  t.ok(new FinishedDates(dataDir).isMarked(DATE), 'state/ was taken away meanwhile: it is made again')
  finished.forget(DATE)
  rmSync(join(dataDir, 'state'), { recursive: true })
  symlinkSync('/proc/1/fdinfo', join(dataDir, 'state'))
  t.doesNotThrow(() => finished.save(), 'a place where nothing can be made')
  rmSync(join(dataDir, 'state'))
  finished.save()
  t.notOk(new FinishedDates(dataDir).isMarked(DATE), 'it is written later')
  t.end()
})

t.test('what failed is left alone ever longer, up to an hour, until it is done', t => {
  let nowMs = 0
  const retries = new Retries(60_000, () => nowMs)
  t.same([retries.size, retries.lastError, retries.isPaused('a')], [0, undefined, false])
  const pauses = Array.from({ length: 1200 }, () => retries.failed('a', 'full'))
  t.same(
    pauses.slice(0, 8),
    [1, 2, 4, 8, 16, 32, 60, 60].map(minutes => minutes * 60_000),
  )
  t.ok(
    pauses.slice(6).every(pause => pause === 3_600_000),
    'whatever the number of failures',
  )
  t.ok(retries.isPaused('a'))
  nowMs += 3_599_999
  t.ok(retries.isPaused('a'))
  nowMs += 1
  t.notOk(retries.isPaused('a'), 'its pause is over')
  t.equal(retries.size, 1, 'and it stands as failed')
  retries.failed('b', 'gone')
  t.equal(retries.lastError, 'gone')
  retries.failed('a', 'full again')
  t.equal(retries.lastError, 'full again', 'what failed last, though it failed first before')
  retries.succeeded('a')
  retries.succeeded('never failed')
  t.same([retries.size, retries.lastError, retries.isPaused('a')], [1, 'gone', false])
  t.equal(retries.failed('a', 'anew'), 60_000, 'what was done begins again')
  const once = new Retries(Infinity, () => nowMs)
  t.equal(once.failed('a', 'x'), Infinity)
  nowMs = Number.MAX_SAFE_INTEGER
  t.ok(once.isPaused('a'), 'where there is to be no second try, there is none')
  t.equal(new Retries(7_200_000, () => 0).failed('a', 'x'), 7_200_000, 'a first pause longer than an hour is kept')
  t.end()
})

t.test('progress counts what was done, says what is at work, and does without a status that cannot be written', t => {
  const dataDir = t.testdir({ state: {} })
  const retries = new Retries(1000)
  const seen: number[] = []
  const progress = new CompactorProgress(dataDir, retries, {
    log: silent,
    onProgress: ({ backlog }) => seen.push(backlog),
  })
  t.equal(progress.did, 'looked for segments')
  progress.started('raw/a', 2)
  t.equal(progress.did, 'began to convert raw/a')
  t.match(readStatus(dataDir, 'compactor'), { current_segment: 'raw/a', backlog_segments: 2 })
  const receipt = { segment: 'raw/a', frames: 10, double_rows: 1, quarantined: 2, known: 3 } as Receipt
  const part = { temporary: '', partition: { kind: 'none', currency: 'none' } as const }
  const conversion = { parts: [{ ...part, table: 'quote', rows: 4 }, { ...part, table: 'quote', rows: 1 }, { ...part, table: 'frames', rows: 2 }] } // prettier-ignore
  progress.converted(receipt, conversion as unknown as Conversion)
  t.equal(progress.did, 'converted raw/a')
  progress.started('raw/b', 1)
  t.equal(progress.failed('raw/b', 'full'), 1000)
  t.same(progress.summary(), {
    ...{ segments: 1, failed: 1, failing: 1, backlog: 1, frames: 10, rows: { quote: 5, frames: 2 } },
    ...{ duplicates: 1, quarantined: 2, known: 3, lastError: 'raw/b: full' },
  })
  t.same(seen, [1, 1])
  const summary = progress.summary()
  summary.rows['quote'] = 99
  t.equal(progress.summary().rows['quote'], 5, 'a summary is a copy')
  rmSync(join(dataDir, 'state'), { recursive: true })
  symlinkSync('/proc/1/fdinfo', join(dataDir, 'state'))
  t.doesNotThrow(() => progress.idle(0))
  rmSync(join(dataDir, 'state'))
  progress.ended()
  t.match(readStatus(dataDir, 'compactor'), { stopped: true, failing: 1, last_error: 'raw/b: full' })
  t.equal(progress.summary().backlog, 0)
  t.end()
})
