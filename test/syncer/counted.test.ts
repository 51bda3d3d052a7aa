/** What the syncer says of itself: how far it is, what is left, what went wrong; in sums that hold. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { FileRecord } from '../../formats/ledger.js'
import { syncerStatus } from '../../formats/part-status.js'
import type { Receipt } from '../../formats/receipt.js'
import { EdgeError } from '../../platform/edge-error.js'
import { addSummaries, summaryOf, type DateSummary } from '../../syncer/date-summary.js'
import { graceOf } from '../../syncer/grace.js'
import type { LocalFile } from '../../syncer/local-tree.js'
import { pauseAfter } from '../../syncer/pace.js'
import { planDate } from '../../syncer/plan.js'
import { indexReceipts } from '../../syncer/receipts.js'
import { sortItems } from '../../syncer/replacements.js'
import { addProblem, emptyReport, isClean } from '../../syncer/report.js'
import { emptyTotals, statusOf, withPass } from '../../syncer/status.js'
import { isSent, parseItem, verdictOf } from '../../syncer/targets/rsync-lines.js'
import type { UploadItem } from '../../syncer/upload.js'
import { hoursOf, verifiedThrough, type HoursOfDate } from '../../syncer/verified-through.js'
import { HOUR_14, HOUR_MS } from '../fixtures/shipped-tree.js'
import { holds } from '../fixtures/holds.js'

const hour = fc.integer({ min: 0, max: 23 })

/** A Parquet file of an hour, known as it is or not. */
const file = fc.record({
  hour,
  state: fc.constantFrom('none', 'shipped', 'verified', 'wrong', 'missing'),
  isCurrent: fc.boolean(),
  bytes: fc.nat(1000),
  ageH: fc.nat(30),
})

function datesOf(files: readonly { hour: number; state: string; isCurrent: boolean; bytes: number; ageH: number }[]) {
  const records = new Map<string, FileRecord>()
  const local = files.map(({ hour, state, isCurrent, bytes, ageH }, n): LocalFile => {
    const path = `parquet/${n}`
    const mtimeMs = HOUR_14 - ageH * HOUR_MS
    const known = { path, bytes, mtimeMs: isCurrent ? mtimeMs : 1, sha256: '', md5: '' }
    if (state !== 'none') records.set(path, { ...known, state: state as 'shipped', atMs: HOUR_14 })
    const hourMs = HOUR_14 + hour * HOUR_MS
    return { ...{ path, bytes, mtimeMs, kind: 'parquet', date: '2026-11-20', hourMs, hourEndMs: hourMs + HOUR_MS } }
  })
  const isDone = ({ state, isCurrent }: (typeof files)[number]) => state === 'verified' && isCurrent
  return { local, recordOf: (path: string) => records.get(path), isDone }
}

t.test('verified through is no later than the first hour with anything left, whatever is where', t => {
  holds(
    t,
    fc.property(fc.array(file, { maxLength: 12 }), fc.option(hour, { nil: undefined }), (files, openHour) => {
      const { local, recordOf, isDone } = datesOf(files)
      const openFromMs = openHour === undefined ? undefined : HOUR_14 + openHour * HOUR_MS
      const hours = hoursOf({ files: local, openFromMs }, recordOf)
      const throughMs = verifiedThrough([hours])
      if (files.length === 0) {
        assert.equal(throughMs, undefined)
        return
      }
      assert.ok(throughMs !== undefined)
      for (const [n, one] of files.entries())
        assert.ok(isDone(one) || throughMs <= (local[n]?.hourMs ?? 0), 'nothing before it is left')
      assert.ok(throughMs <= (openFromMs ?? Infinity), 'nor being written')
      if (openFromMs === undefined && files.every(isDone))
        assert.equal(throughMs, Math.max(...local.map(({ hourMs }) => hourMs)) + HOUR_MS)
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('of several dates the first that is not done counts, in whatever order they come', t => {
  const time = fc.option(fc.nat(100).map(n => HOUR_14 + n * HOUR_MS), { nil: undefined }) // prettier-ignore
  const hours: fc.Arbitrary<HoursOfDate> = fc.record({ newestEndMs: time, firstOpenMs: time })
  holds(
    t,
    fc.property(fc.array(hours, { maxLength: 8 }), dates => {
      const through = verifiedThrough(dates)
      assert.equal(verifiedThrough([...dates].reverse()), through)
      for (const { firstOpenMs } of dates) assert.ok((through ?? 0) <= (firstOpenMs ?? Infinity))
      assert.equal(through === undefined, dates.every(({ newestEndMs }) => newestEndMs === undefined)) // prettier-ignore
    }),
  )
  t.end()
})

t.test('what is left of all dates is the sum of what is left of each, and its age that of the oldest', t => {
  holds(t, fc.property(fc.array(fc.array(file, { maxLength: 6 }), { maxLength: 5 }), dates => {
      const report = emptyReport('nas')
      const summaries: DateSummary[] = []
      let left = 0
      let oldestMs = Infinity
      for (const files of dates) {
        const { local, recordOf, isDone } = datesOf(files)
        const date = { files: local, bytes: 5, openFromMs: undefined, links: [], tops: [], folders: [], bareFolders: [] }
        const plan = planDate(local, recordOf, HOUR_14, HOUR_MS)
        summaries.push(summaryOf(date, { get: recordOf } as never, plan))
        for (const [n, one] of files.entries()) {
          if (isDone(one)) continue
          left++
          oldestMs = Math.min(oldestMs, local[n]?.mtimeMs ?? 0)
        }
      }
      addSummaries(report, summaries)
      assert.equal(report.backlogFiles + report.unverifiedFiles, left)
      assert.equal(report.oldestUnverifiedMs ?? Infinity, oldestMs)
      assert.equal(report.backlogBytes, summaries.reduce((sum, { backlogBytes }) => sum + backlogBytes, 0))
    }),
    { numRuns: 200 },
  ) // prettier-ignore
  t.end()
})

t.test('a million files that wait are counted, too', t => {
  const summary = { backlogFiles: 1, backlogBytes: 2, unverifiedFiles: 3, hours: { newestEndMs: undefined, firstOpenMs: undefined }, bytes: 1 } // prettier-ignore
  const report = emptyReport('nas')
  addSummaries(
    report,
    Array.from({ length: 300_000 }, (_, n) => ({ ...summary, oldestUnverifiedMs: 300_000 - n })),
  )
  t.match(report, { backlogFiles: 300_000, backlogBytes: 600_000, unverifiedFiles: 900_000, oldestUnverifiedMs: 1 })
  for (let n = 0; n < 500; n++) addProblem(report, { path: `${n}`, reason: 'x' })
  t.equal(report.problemFiles, 500)
  t.equal(report.problems.length, 100, 'the first of them')
  t.notOk(isClean(report))
  t.ok(isClean({ ...emptyReport('nas'), unverifiedFiles: 9 }), 'what waits is no failure')
  t.end()
})

t.test('sums go on over passes, and only a pass that tried the target says anything of it', t => {
  const error = new EdgeError('SYNC_TARGET_FULL', 'full', { hint: 'make room' })
  const pass = (given: object) => ({ ...emptyReport('nas'), shippedFiles: 1, retiredBytes: 10, ...given })
  let totals = emptyTotals()
  totals = withPass(totals, pass({}), 1000)
  totals = withPass(totals, pass({ error }), 2000)
  totals = withPass(totals, pass({ error }), 3000)
  const before = totals
  totals = withPass(totals, pass({ error, tried: false }), 4000)
  t.same(totals, { ...before, shippedFiles: 4, retiredBytes: 40 })
  t.match(totals, { failuresInARow: 2, lastSuccessMs: 1000, lastError: { atMs: 3000, code: 'SYNC_TARGET_FULL' } })
  totals = withPass(totals, pass({}), 5000)
  t.match(totals, { failuresInARow: 0, lastSuccessMs: 5000, lastError: { atMs: 3000 } }, 'the last error is remembered')
  t.end()
})

t.test('a status is read as it was written, every field of it', t => {
  const report = {
    ...emptyReport('nas'),
    backlogFiles: 3,
    oldestUnverifiedMs: 5000,
    verifiedThroughMs: HOUR_14,
    problemFiles: 20,
  }
  for (let n = 0; n < 20; n++) report.problems.push({ path: `${n}`, reason: 'x' })
  const error = new EdgeError('CODE', 'what went wrong')
  const totals = withPass(emptyTotals(), { ...report, wrongFiles: 2, error }, HOUR_14)
  const told = syncerStatus.parse(JSON.parse(JSON.stringify(statusOf('idle', report, totals, 65_000))))
  t.match(told, {
    ...{ state: 'idle', target: 'nas', backlog_files: 3, oldest_unverified_age_s: 60, verified_through: HOUR_14 },
    ...{
      wrong_copies: 2,
      problem_files: 20,
      failures_in_a_row: 1,
      last_error: 'what went wrong',
      last_error_code: 'CODE',
    },
  })
  t.equal(told.problems.length, 10)
  t.equal(statusOf('idle', report, totals, 1000)['oldest_unverified_age_s'], 0, 'of a clock that was set back')
  t.same(
    [told.last_success, syncerStatus.parse(statusOf('x', emptyReport('n'), emptyTotals(), 0)).last_error],
    [undefined, undefined],
  )
  t.end()
})

t.test('a target is left alone longer and longer, and never for ever but for a changed key', t => {
  const codes = ['SYNC_TARGET_UNREACHABLE', 'SYNC_TARGET_FULL', 'SYNC_TARGET_REFUSED', 'SYNC_TARGET_HANGS', 'X']
  holds(
    t,
    fc.property(fc.constantFrom(...codes), fc.integer({ min: 1, max: 1e9 }), fc.nat(1440), (code, failures, every) => {
      const error = new EdgeError(code, '')
      const pause = pauseAfter(error, failures, every)
      assert.ok(pause >= 5000 && pause <= 900_000)
      assert.ok(pauseAfter(error, failures + 1, every) >= pause)
      assert.equal(pauseAfter(undefined, failures, every), Math.max(1000, 60_000 * every))
    }),
  )
  t.equal(pauseAfter(new EdgeError('SYNC_TARGET_SUSPECT', ''), 1, 5), Infinity)
  t.same([true, false].map(syncsToDisk => graceOf({ graceMinutes: 15 }, { syncsToDisk })), [900_000, 1_800_000]) // prettier-ignore
  t.end()
})

const receiptOf = (segment: number, outputs: readonly (readonly [path: number, content: number])[]): Receipt => ({
  ...{ segment: `s${segment}`, sha256: 'a', rows: 1, frames: 1, written: 1, duplicates: 0, double_rows: 0 },
  ...{ quarantined: 0, known: 0, schema_version: 1 },
  outputs: outputs.map(([path, content]) => ({ path: `p${path}`, rows: 1, bytes: 1, sha256: `c${content}` })),
})

t.test('of receipts the last word on a segment counts, and no content that a file ever had is forgotten', t => {
  const output = fc.tuple(fc.nat(3), fc.nat(3))
  const line = fc.tuple(fc.nat(3), fc.uniqueArray(output, { maxLength: 3, selector: ([path]) => path }))
  holds(t, fc.property(fc.array(line, { maxLength: 12 }), lines => {
      const { bySegment, byOutput, made } = indexReceipts(lines.map(([segment, outputs]) => receiptOf(segment, outputs)))
      const last = new Map(lines)
      assert.deepEqual([...bySegment.keys()].sort(), [...last.keys()].map(n => `s${n}`).sort())
      for (const [path, { segments }] of byOutput)
        assert.deepEqual([...segments].sort(), [...last].filter(([, outputs]) => outputs.some(([p]) => `p${p}` === path)).map(([n]) => `s${n}`).sort())
      for (const [, outputs] of lines) for (const [path, content] of outputs) assert.ok(made.get(`p${path}`)?.has(`c${content}`))
    }),
    { numRuns: 200 },
  ) // prettier-ignore
  t.end()
})

t.test('what takes the place of others goes with them, folder by folder; all else by itself', t => {
  const folder = (n: number) => `parquet/date=${n}`
  const item = (path: string, datePass: object) =>
    ({ file: { path }, replace: false, datePass }) as unknown as UploadItem
  const datePass = {
    local: { files: [{ path: `${folder(1)}/still-here` }] },
    ledger: { get: (path: string) => (path.endsWith('00-h') ? { sha256: 'brought' } : undefined) },
    receipts: () => ({ made: new Map([[`${folder(1)}/00-h`, new Set(['first', 'second'])]]) }),
    replaced: new Map([
      [`${folder(1)}/00-h`, [`${folder(1)}/day`]],
      [`${folder(1)}/01-h`, [`${folder(1)}/day`, `${folder(1)}/day-2`]],
      [`${folder(1)}/still-here`, [`${folder(1)}/day`]],
      [`${folder(2)}/00-h`, [`${folder(1)}/day`]],
    ]),
  }
  const items = ['day', 'other', 'day-2'].map(name => item(`${folder(1)}/${name}`, datePass))
  const { plain, replacing } = sortItems(items)
  t.same(plain, [items[1]])
  t.equal(replacing.length, 1)
  t.same(replacing[0]?.items, [items[0], items[2]])
  t.same(
    [...(replacing[0]?.gone ?? [])].map(([name, contents]) => [name, [...contents]]),
    [['00-h', ['first', 'second', 'brought']], ['01-h', []]],
    'what is still here is not gone, and what lies in another folder is none of its business',
  ) // prettier-ignore
  t.same(sortItems([]), { plain: [], replacing: [] })
  t.end()
})

t.test('a line of rsync proves a copy only where nothing differs and the sums are ours', t => {
  const expected = { bytes: 12, md5: 'ab' }
  const path = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter(text => !/[\r\n\u2028\u2029]/.test(text))
  holds(
    t,
    fc.property(path, path => {
      assert.equal(parseItem(`.f         |12|ab|${path}`)?.path, path, 'whatever is in a name, bars too')
      assert.equal(parseItem(`.d         |12|ab|${path}`), undefined)
    }),
  )
  for (const [change, verdict] of [
    ['.f         ', 'same'],
    ['.f..t......', 'same'],
    ['.f   p     ', 'same'],
    ['<f+++++++++', 'missing'],
    ['>f+++++++++', 'missing'],
    ['<fcst......', 'wrong'],
    ['.f.s.......', 'wrong'],
    ['.fc........', 'wrong'],
    ['cf         ', 'wrong'],
  ] as const) {
    const item = parseItem(`${change}|12|ab|x`)
    t.ok(item, change)
    t.equal(item && verdictOf(item, expected), verdict, change)
    t.equal(item && isSent(item), /^[<>]/.test(change))
    for (const other of [
      { bytes: 13, md5: 'ab' },
      { bytes: 12, md5: '' },
    ])
      t.equal(item && verdictOf(item, other), undefined, 'nothing was learnt')
  }
  for (const line of [
    '',
    'sent 1 byte',
    '.f|12|ab',
    '.f |x|ab|x',
    '.f |12|XY|x',
    '*deleting  |0||x',
    'cL+++++++++|3||link',
  ])
    t.equal(parseItem(line), undefined, line)
  t.end()
})
