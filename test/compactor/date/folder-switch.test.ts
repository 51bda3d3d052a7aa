/** Folders that take the place of others: all of them or none, wherever it is cut off. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  clearWaiting,
  finishSwitch,
  switchFolders,
  waitingFolder,
  type FolderSwitch,
} from '../../../compactor/date/folder-switch.js'
import { readReceiptLines, readReceiptsOf, type Receipt } from '../../../formats/receipt.js'
import { isSwitching, readReplaced, switchPath, type Replacement } from '../../../formats/replacement.js'
import { holds } from '../../fixtures/holds.js'

const DATE = '2026-11-22'
const SHA256 = 'a'.repeat(64)
const pathOf = (n: number) => `parquet/table=t${n}/date=${DATE}/currency=BTC`

/** One place: what is there, and what is to be there. */
interface Place {
  before: boolean
  after: boolean
}

function writeFolder(path: string, text: string): void {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'rows'), text)
}

const rowsIn = (path: string) => (existsSync(path) ? readFileSync(join(path, 'rows'), 'utf8') : undefined)

const receiptOf = (n: number): Receipt => ({
  ...{ segment: `raw/${n}`, sha256: SHA256, outputs: [], rows: n, frames: n, written: n, duplicates: 0 },
  ...{ double_rows: 0, quarantined: 0, known: 0, schema_version: 1 },
})

/** A folder of data as it is before a switch, what is new waiting, and the plan. */
function prepared(dataDir: string, places: readonly Place[]): FolderSwitch {
  rmSync(dataDir, { recursive: true, force: true })
  clearWaiting(dataDir)
  const folders = places.map(({ before, after }, n) => {
    const waiting = join(waitingFolder(dataDir), String(n))
    if (before) writeFolder(join(dataDir, pathOf(n)), `old ${n}`)
    if (after) writeFolder(waiting, `new ${n}`)
    return { path: pathOf(n), inode: after ? statSync(waiting).ino : 0 }
  })
  const replacements: Replacement[] = places.flatMap(({ before, after }, n) =>
    before ? [{ by: after ? [`${pathOf(n)}/rows-new`] : [], paths: [`${pathOf(n)}/rows`] }] : [],
  )
  return { date: DATE, folders, receipts: places.map((_, n) => receiptOf(n)), replacements }
}

/** @throws where a place is not as it is to be, or what was said of it is not */
function requireSwitched(dataDir: string, places: readonly Place[], { replacements }: FolderSwitch): void {
  for (const [n, { after }] of places.entries())
    assert.equal(rowsIn(join(dataDir, pathOf(n))), after ? `new ${n}` : undefined, `place ${n}`)
  assert.deepEqual(
    [...readReceiptsOf(dataDir, DATE).values()],
    places.map((_, n) => receiptOf(n)),
  )
  assert.deepEqual(
    readReplaced(dataDir, DATE),
    new Map(replacements.flatMap(({ by, paths }) => paths.map(path => [path, by]))),
  )
  assert.equal(isSwitching(dataDir), false)
}

/** As one place is put in order, rename by rename, where nothing can exchange two names at once. @returns how many there were */
function cutOff(dataDir: string, { before, after }: Place, n: number, renames: number): void {
  const [waiting, place] = [join(waitingFolder(dataDir), String(n)), join(dataDir, pathOf(n))]
  const aside = `${waiting}.exchanged`
  const steps: [string, string][] = after
    ? before
      ? [
          [waiting, aside],
          [place, waiting],
          [aside, place],
        ]
      : [[waiting, place]]
    : before
      ? [[place, `${waiting}.removed`]]
      : []
  mkdirSync(dirname(place), { recursive: true })
  for (const [from, to] of steps.slice(0, renames)) renameSync(from, to)
}

const places = fc.array(fc.record({ before: fc.boolean(), after: fc.boolean() }), { minLength: 1, maxLength: 5 })

t.test('each folder takes its place, goes, or stays away, and what is then true is written down', t => {
  const dataDir = join(t.testdir({}), 'data')
  holds(
    t,
    fc.property(places, places => {
      const plan = prepared(dataDir, places)
      switchFolders(dataDir, plan)
      requireSwitched(dataDir, places, plan)
      assert.deepEqual(readdirSync(waitingFolder(dataDir)), [], 'nothing waits any more, and what was replaced is gone')
    }),
    { numRuns: 25 },
  )
  t.end()
})

t.test('cut off at any rename, whoever comes next finishes it, and so does who comes after', t => {
  const dataDir = join(t.testdir({}), 'data')
  holds(
    t,
    fc.property(places, fc.nat({ max: 5 }), fc.nat({ max: 3 }), fc.nat({ max: 2 }), (places, done, renames, said) => {
      const plan = prepared(dataDir, places)
      const first = Math.min(done, places.length)
      for (const [n, place] of places.slice(0, first + 1).entries())
        cutOff(dataDir, place, n, n < first ? Infinity : renames)
      writeFileSync(switchPath(dataDir), JSON.stringify(plan))
      assert.ok(isSwitching(dataDir))
      // Where all were in their place, some of what is then true may have been written down.
      if (first === places.length && said > 0) {
        const lines = plan.receipts.slice(0, said).map(receipt => `${JSON.stringify(receipt)}\n`)
        writeFileSync(join(dataDir, `state/compactor/done-${DATE}.jsonl`), lines.join(''))
      }
      for (let time = 0; time < 2; time++) {
        finishSwitch(dataDir)
        requireSwitched(dataDir, places, plan)
        assert.equal(existsSync(waitingFolder(dataDir)), false)
      }
      assert.ok(readReceiptLines(dataDir, DATE).length <= places.length + said, 'and is not said again and again')
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('what was prepared and not begun is thrown away', t => {
  const dataDir = join(t.testdir({}), 'data')
  holds(
    t,
    fc.property(places, places => {
      prepared(dataDir, places)
      finishSwitch(dataDir)
      for (const [n, { before }] of places.entries())
        assert.equal(rowsIn(join(dataDir, pathOf(n))), before ? `old ${n}` : undefined)
      assert.equal(existsSync(waitingFolder(dataDir)), false)
      assert.deepEqual(readReceiptLines(dataDir, DATE), [])
    }),
    { numRuns: 25 },
  )
  t.end()
})

t.test('a plan that cannot be read stops the compactor, and changes nothing', t => {
  const dataDir = join(t.testdir({}), 'data')
  for (const [what, text] of [
    ['torn', '{"date":"2026-11-22","folders":['],
    ['empty', ''],
    ['another form', '{"date":"2026-11-22"}'],
    [
      'an inode that is none',
      '{"date":"2026-11-22","folders":[{"path":"x","inode":"1"}],"receipts":[],"replacements":[]}',
    ],
  ] as const) {
    prepared(dataDir, [{ before: true, after: true }])
    writeFileSync(switchPath(dataDir), text)
    t.throws(() => finishSwitch(dataDir), what)
    t.equal(rowsIn(join(dataDir, pathOf(0))), 'old 0', what)
    t.equal(rowsIn(join(waitingFolder(dataDir), '0')), 'new 0', `${what}: what waits is all that there is of it`)
    t.ok(isSwitching(dataDir), what)
  }
  t.end()
})

t.test('where something else came to a place meanwhile, the plan still says whose it is', t => {
  const dataDir = join(t.testdir({}), 'data')
  const plan = prepared(dataDir, [
    { before: false, after: true },
    { before: false, after: false },
  ])
  writeFolder(join(dataDir, pathOf(0)), 'of somebody else')
  writeFileSync(switchPath(dataDir), JSON.stringify(plan))
  finishSwitch(dataDir)
  t.equal(rowsIn(join(dataDir, pathOf(0))), 'new 0')
  t.notOk(existsSync(join(dataDir, pathOf(1))), 'a place that nothing takes, and nothing had, is not made')
  t.end()
})
