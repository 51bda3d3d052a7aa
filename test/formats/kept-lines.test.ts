/** What parts keep in `state/` and beside the data, over appends, torn ends and new starts; a failure prints its seed. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { finishedPath, readFinishedMarks } from '../../formats/finished-mark.js'
import {
  ALL_OF_DATE,
  damageKnown,
  readProofState,
  writeProofState,
  type ProofRound,
} from '../../formats/proof-state.js'
import { appendReceipts, datesWithReceipts, readReceipts, readReceiptsOf, type Receipt } from '../../formats/receipt.js'
import { recorderState, reservesIn } from '../../formats/recorder-state.js'
import { replacedFiles, replacedListPath, writeReplacedList } from '../../formats/replaced-files.js'
import { appendReplacements, readReplaced, type Replacement } from '../../formats/replacement.js'
import { reportFiles, reportPath } from '../../formats/report-path.js'
import { matchAll } from '../fixtures/match-all.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { sha256 } from '../fixtures/shipped-tree.js'
import { holds } from '../fixtures/holds.js'

const root = memoryFolder(t)
const DATE = '2026-11-22'
const cleared = () => {
  for (const name of ['state', 'superseded', 'parquet', 'reports'])
    rmSync(join(root, name), { recursive: true, force: true })
}
/** What a crash may leave at the end of a file of lines. */
const torn = fc.constantFrom('', '{"path":"raw/x","byt', '{}', 'null\n', '\u0000\u0000', '[1,2]\n', '{"path":1}\n')
const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')

const receipt = fc
  .record({
    name,
    sum: name,
    written: fc.nat({ max: 99 }),
    duplicates: fc.nat({ max: 9 }),
    quarantined: fc.nat({ max: 9 }),
  })
  .map(({ name, sum, written, duplicates, quarantined }): Receipt => {
    const outputs = [{ path: `parquet/${name}.parquet`, rows: written, bytes: 7, sha256: sha256(sum) }]
    const counts = { written, duplicates, double_rows: 0, quarantined, known: 0, schema_version: 1 }
    const frames = written + duplicates + quarantined
    return { segment: `raw/${name}.jsonl.zst`, sha256: sha256(sum), outputs, rows: written, frames, ...counts }
  })

t.test('of each segment the last receipt counts, whatever was torn between them', t => {
  const dates = fc.constantFrom('2026-11-21', '2026-11-22', '2027-01-01')
  const step = fc.tuple(dates, fc.array(receipt, { maxLength: 3 }), torn)
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 8 }), steps => {
      cleared()
      const known = new Map<string, Map<string, Receipt>>()
      for (const [date, drawn, torn] of steps) {
        const receipts = drawn.map(one => ({ ...one, segment: one.segment.replace('raw/', `raw/${date}/`) }))
        appendReceipts(root, date, receipts)
        const own = known.get(date) ?? new Map<string, Receipt>()
        for (const one of receipts) own.set(one.segment, one)
        if (receipts.length > 0) known.set(date, own)
        if (known.has(date)) appendFileSync(join(root, `state/compactor/done-${date}.jsonl`), torn)
        assert.deepEqual(readReceiptsOf(root, date), own)
      }
      assert.deepEqual(datesWithReceipts(root), [...known.keys()].sort())
      assert.equal(
        readReceipts(root).size,
        [...known.values()].reduce((sum, { size }) => sum + size, 0),
      )
    }),
    { numRuns: 60 },
  )
  t.end()
})

const path = fc.constantFrom(...['0', '1', '2', 'day'].map(name => `parquet/date=${DATE}/${name}-h.parquet`))
const replacement = fc
  .record({
    by: fc.uniqueArray(path, { minLength: 1, maxLength: 2 }),
    paths: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }),
  })
  .map(({ by, paths }): Replacement => ({ by, paths: paths.filter(path => !by.includes(path)) }))

t.test('readers leave out what was replaced where all that holds its rows is there, and never anything else', t => {
  holds(
    t,
    fc.property(fc.array(replacement, { maxLength: 6 }), fc.uniqueArray(path), torn, (replacements, there, torn) => {
      cleared()
      /** Of each file, where its rows are now. */
      const model = new Map<string, readonly string[]>()
      for (const { by, paths } of replacements) {
        appendReplacements(root, DATE, [{ by, paths }])
        for (const path of paths) model.set(path, by)
        for (const path of by) model.delete(path)
      }
      if (replacements.length > 0) appendFileSync(join(root, `state/compactor/superseded-${DATE}.jsonl`), torn)
      const replaced = readReplaced(root, DATE)
      assert.deepEqual(replaced, model)
      for (const file of there) {
        mkdirSync(dirname(join(root, file)), { recursive: true })
        writeFileSync(join(root, file), '')
      }
      const list = replacedListPath(DATE, 'h_abcd1234')
      assert.equal(writeReplacedList(root, list, replaced), true)
      assert.equal(writeReplacedList(root, list, replaced), false, 'as it should be already')
      const out = [...model].flatMap(([path, by]) => ([path, ...by].every(one => there.includes(one)) ? [path] : []))
      assert.deepEqual(replacedFiles(root).sort(), out.map(path => join(root, path)).sort())
      assert.deepEqual(replacedFiles(root, { first: '2026-11-23', last: '2026-12-31' }), [], 'of other dates')
    }),
    { numRuns: 80 },
  )
  t.end()
})

t.test('a list of what was replaced that is damaged ended every query with a stack trace', t => {
  cleared()
  const list = replacedListPath(DATE, 'h')
  mkdirSync(dirname(join(root, list)), { recursive: true })
  const line = JSON.stringify({ path: 'a', by: ['b'] })
  for (const [text, number] of [
    [`${line}\n{"path":"a","by":["b`, 2],
    [`${line}\n\n${line}\n`, 2],
    ['\u0000\u0000\u0000', 1],
    ['{"path":"a"}\n', 1],
  ] as const) {
    writeFileSync(join(root, list), text)
    t.throws(() => replacedFiles(root), {
      code: 'REPLACED_LIST_DAMAGED',
      message: `${join(root, list)}: line ${number} is not as it was written`,
      hint: /copy it again/,
    })
  }
  writeFileSync(join(root, list), '')
  t.same(replacedFiles(root), [], 'one of nothing')
  t.end()
})

t.test('marks of finished dates are those of the file, and none can be had of one that is cut', t => {
  cleared()
  t.same(readFinishedMarks(root), new Map(), 'none yet')
  const marks = {
    '2026-11-21': { days: 'a', all: 'b' },
    '2026-11-22': { days: 'c', all: 'd', raw: { files: 2, bytes: 9 }, parquet: { files: 0, bytes: 0 } },
  }
  mkdirSync(dirname(finishedPath(root)), { recursive: true })
  const text = JSON.stringify(marks)
  writeFileSync(finishedPath(root), text)
  t.same(readFinishedMarks(root), new Map(Object.entries(marks)))
  for (let at = 0; at < text.length; at++) {
    writeFileSync(finishedPath(root), text.slice(0, at))
    if (readFinishedMarks(root) !== undefined) t.fail(`cut at ${at}`)
  }
  writeFileSync(finishedPath(root), '{"2026-11-21":{"days":1,"all":"b"}}')
  t.equal(readFinishedMarks(root), undefined)
  t.end()
})

const round = (date: string | undefined, key: string, ...faults: [code: string, path: string][]): ProofRound => ({
  ...{ begunMs: 1, facts: {}, found: {}, ...(date !== undefined && { at: { date, key } }) },
  faults: faults.map(([code, path]) => ({ code, path, message: code })),
})

t.test('damage of a date was forgotten as soon as a new round began on that date', t => {
  const paths = (state: Parameters<typeof damageKnown>[0]) => damageKnown(state).map(({ path }) => path)
  const [a, b, c] = ['21', '22', '23'].map(day => `raw/date=2026-11-${day}/x`) as [string, string, string]
  const last = round(
    '2026-11-23',
    ALL_OF_DATE,
    ['ROTTEN', a],
    ['COPY_ROTTEN', b],
    ['COPY_MISSING', c],
    ['NO_MANIFEST', `${c}2`],
  )
  t.same(paths({ last, round: undefined }), [a, b, c], 'what says no more than that it was not proven is none')
  t.same(paths({ last, round: round(undefined, '') }), [a, b, c], 'a round that has just begun knows nothing better')
  t.same(paths({ last, round: round('2026-11-22', 'here raw/0') }), [b, c], 'its own date is not behind it yet')
  t.same(paths({ last, round: round('2026-11-22', ALL_OF_DATE) }), [c])
  t.same(paths({ last, round: round('2026-11-22', 'there z', ['ROTTEN', b]) }), [b, c], 'found again, told once')
  t.same(paths({ last: undefined, round: round('2026-11-22', 'x', ['ROTTEN', a]) }), [a])
  t.same(paths({ last: round('2026-11-23', ALL_OF_DATE, ['ROTTEN', 'targets/x.json']), round: round('2026-11-23', ALL_OF_DATE) }), ['targets/x.json'], 'what lies under no date') // prettier-ignore
  t.end()
})

t.test('how far a proof is belongs to its place and date, and to nobody else', t => {
  cleared()
  mkdirSync(join(root, 'state'), { recursive: true })
  const state = { writtenMs: 5, startedMs: 4, round: round('2026-11-22', 'x') }
  writeProofState(root, 'bits', state)
  matchAll(t, readProofState(root, 'bits'), { place: root, ...state })
  t.equal(readProofState(root, 'parquet'), undefined)
  t.equal(readProofState(root, 'bits', '2026-11-22'), undefined, 'of a single day nothing is known by that')
  writeProofState(root, 'bits', { ...state, date: '2026-11-21' })
  t.equal(readProofState(root, 'bits', '2026-11-22'), undefined, 'nor by another one')
  matchAll(t, readProofState(root, 'bits', '2026-11-21'), state)
  matchAll(t, readProofState(root, 'bits'), state)
  const file = join(root, 'state/verify/bits.json')
  const text = readFileSync(file, 'utf8')
  // A dataDir that was copied with its state is another place.
  for (const changed of [text.slice(0, -9), text.replace(root, `${root}2`), '[]', ''])
    t.equal((writeFileSync(file, changed), readProofState(root, 'bits')), undefined)
  t.end()
})

t.test('what is a recorder’s own is found by its host, with or without an identity, and reports by their day', t => {
  cleared()
  t.equal(recorderState(root, 'okx', 'h1_abcd1234', 'lock'), recorderState(root, 'okx', 'h1', 'lock'))
  t.not(recorderState(root, 'okx', 'h1', 'lock'), recorderState(root, 'bybit', 'h1', 'lock'))
  mkdirSync(recorderState(root, 'okx', 'h1', 'reserve'), { recursive: true })
  writeFileSync(recorderState(root, 'bybit', 'h1', 'volumes'), '')
  t.same(reservesIn(root), [{ reserve: recorderState(root, 'okx', 'h1', 'reserve'), lock: recorderState(root, 'okx', 'h1', 'lock') }]) // prettier-ignore
  const days = ['2026-11-21', '2026-12-31', '2027-01-01']
  for (const day of days) mkdirSync(join(root, `reports/date=${day}`), { recursive: true })
  for (const day of days) writeFileSync(join(root, reportPath(day, 'h1_abcd1234')), '')
  writeFileSync(join(root, 'reports/date=2026-12-31/report-h1.html.tmp'), '')
  mkdirSync(join(root, 'reports/other'))
  t.same(
    reportFiles(root).map(({ date }) => date),
    [...days].reverse(),
    'the newest first',
  )
  t.equal(reportFiles(root)[0]?.path, reportPath('2027-01-01', 'h1_abcd1234'))
  t.end()
})
