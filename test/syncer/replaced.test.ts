import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readDataIdentity } from '../../platform/data-identity.js'
import { parseReplaced } from '../../formats/replacement.js'
import { replacedFiles } from '../../formats/replaced-files.js'
import {
  flipByte,
  handClock,
  HOUR_14,
  HOUR_MS,
  sha256,
  ShippedTree,
  testConfig,
  visibleBelow,
  passOnce,
} from '../fixtures/shipped-tree.js'
import { startTarget, type TargetKind } from '../fixtures/sync-targets.js'

const DATE = '2026-11-20'
const noticeOf = ({ dataDir }: ShippedTree) =>
  `superseded/date=${DATE}/superseded-h_${readDataIdentity(dataDir) ?? ''}.jsonl`

/** A tree of three converted hours, here and at a target. Their content is their rows, one a line. */
async function shippedHours(t: Test, kind: TargetKind) {
  const folder = t.testdir()
  const target = await startTarget(t, kind, folder)
  if (!target) return undefined
  const tree = new ShippedTree(join(folder, 'data'))
  const clock = handClock(HOUR_14 + 24 * HOUR_MS)
  const hours = [1, 2, 3].map(number => tree.hourOfOneRow(number))
  const config = testConfig(tree.dataDir, { ...target.sync, graceMinutes: 0 }, { keepHours: 1000 })
  const once = () => passOnce(config, clock)
  t.match(await once(), { error: undefined, verifiedFiles: 9 })
  const place = dirname(hours[0] ?? '')
  return { tree, target, hours, place, day: `${place}/day-h.parquet`, once }
}

/** What the compactor does, in its order: the folder, what it replaced, the receipts. */
function rollUp({ dataDir }: ShippedTree, place: string, hours: readonly string[], name = 'day-h.parquet'): void {
  const day = `${place}/${name}`
  const had = existsSync(join(dataDir, day)) ? readFileSync(join(dataDir, day), 'utf8') : ''
  const rows = had + hours.map(path => readFileSync(join(dataDir, path), 'utf8')).join('')
  mkdirSync(join(dataDir, 'state/compactor'), { recursive: true })
  writeFileSync(join(dataDir, 'state/compactor/switch.json'), '{}')
  writeFileSync(join(dataDir, place, '.new'), rows)
  renameSync(join(dataDir, place, '.new'), join(dataDir, day))
  for (const path of hours) rmSync(join(dataDir, path))
  appendFileSync(
    join(dataDir, `state/compactor/superseded-${DATE}.jsonl`),
    `${JSON.stringify({ by: [day], paths: hours })}\n`,
  )
  const done = join(dataDir, `state/compactor/done-${DATE}.jsonl`)
  const receipts = readFileSync(done, 'utf8').split('\n').filter(Boolean)
  const output = { path: day, rows: 3, bytes: rows.length, sha256: sha256(rows) }
  for (const line of receipts) {
    const receipt = JSON.parse(line) as { outputs: { path: string }[] }
    if (!receipt.outputs.some(({ path }) => hours.includes(path) || path === day)) continue
    appendFileSync(done, `${JSON.stringify({ ...receipt, outputs: [output] })}\n`)
  }
  rmSync(join(dataDir, 'state/compactor/switch.json'))
}

t.test('at a folder the day takes the place of its hours in one step', async t => {
  const world = await shippedHours(t, 'folder')
  if (!world) return
  const { tree, target, hours, place, day, once } = world
  const foreign = `${place}/15-other-abc-1.parquet`
  new ShippedTree(target.root).write(foreign, 'row of another host\n')
  rollUp(tree, place, hours)
  const state = { ended: false }
  const seen = new Set<string>()
  const syncing = once().finally(() => (state.ended = true))
  let looks = 0
  for (; !state.ended; looks++) {
    seen.add(rowsSeen(join(target.root, place)))
    await setImmediate()
  }
  t.match(await syncing, { error: undefined, problemFiles: 0, shippedFiles: 1, verifiedFiles: 1 })
  const rows = ['row 1', 'row 2', 'row 3', 'row of another host'].join(', ')
  t.same([...seen], [rows], `each row once in each of ${looks} looks`)
  t.same(readdirSync(join(target.root, place)).sort(), ['15-other-abc-1.parquet', 'day-h.parquet'])
  t.notOk(existsSync(join(target.root, noticeOf(tree))), 'so nobody has to be told')
  t.same(readdirSync(join(target.root, '.edgetape-waiting')), [])
  t.ok(looks > 5)

  // A late hour, and the day made anew.
  const late = tree.hourOfOneRow(4)
  await once()
  t.ok(existsSync(join(target.root, late)))
  rollUp(tree, place, [late])
  t.match(await once(), { error: undefined, problemFiles: 0, shippedFiles: 1 })
  t.equal(rowsSeen(join(target.root, place)), ['row 1', 'row 2', 'row 3', 'row 4', 'row of another host'].join(', '))
  t.equal(visibleBelow(target.root).get(day), 'row 1\nrow 2\nrow 3\nrow 4\n')
})

/** All rows below a folder as a reader finds them, who asks again when a file goes away under his hands. */
function rowsSeen(folder: string): string {
  for (;;) {
    try {
      const texts = readdirSync(folder).map(name =>
        name.startsWith('.') ? '' : readFileSync(join(folder, name), 'utf8'),
      )
      return texts.join('').split('\n').filter(Boolean).sort().join(', ')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
}

t.test('through rsync nothing is deleted, and readers are told before they find the day', async t => {
  const world = await shippedHours(t, 'daemon')
  if (!world) return
  const { tree, target, hours, place, day, once } = world
  rollUp(tree, place, hours)
  const state = { ended: false, dayWithoutNotice: 0, looks: 0 }
  const syncing = once().finally(() => (state.ended = true))
  while (!state.ended) {
    if (existsSync(join(target.root, day)) && !existsSync(join(target.root, noticeOf(tree)))) state.dayWithoutNotice++
    state.looks++
    await setImmediate()
  }
  t.match(await syncing, { error: undefined, problemFiles: 0, shippedFiles: 2, verifiedFiles: 2, backlogFiles: 0 })
  t.equal(state.dayWithoutNotice, 0, `in ${state.looks} looks`)
  const there = visibleBelow(target.root)
  for (const path of hours) t.ok(there.has(path), 'the hours stay')
  const lines = (there.get(noticeOf(tree)) ?? '').trim().split('\n')
  t.same(
    lines.map(line => JSON.parse(line) as unknown),
    [...hours].sort().map(path => ({ path, by: [day] })),
  )

  const late = tree.hourOfOneRow(4)
  await once()
  rollUp(tree, place, [late])
  t.match(await once(), { error: undefined, problemFiles: 0, shippedFiles: 2, backlogFiles: 0 })
  t.match(visibleBelow(target.root).get(noticeOf(tree)), late)
})

t.test('where readers cannot be told, the day waits', async t => {
  const world = await shippedHours(t, 'daemon')
  if (!world) return
  const { tree, target, hours, place, day, once } = world
  rollUp(tree, place, hours)
  new ShippedTree(target.root).write(noticeOf(tree), 'of somebody else\n')
  t.match(await once(), { problemFiles: 1, shippedFiles: 0 })
  t.notOk(existsSync(join(target.root, day)), 'its rows would be there twice')
  rmSync(join(target.root, noticeOf(tree)))
  t.match(await once(), { problemFiles: 0, shippedFiles: 2 })
})

t.test('while the compactor switches files, Parquet waits', async t => {
  const world = await shippedHours(t, 'folder')
  if (!world) return
  const { tree, target, hours, place, day, once } = world
  rollUp(tree, place, hours)
  tree.write('state/compactor/switch.json', '{}')
  t.match(await once(), { shippedFiles: 0, backlogFiles: 1, problemFiles: 0 })
  t.notOk(existsSync(join(target.root, day)))
  rmSync(join(tree.dataDir, 'state/compactor/switch.json'))
  t.match(await once(), { shippedFiles: 1, backlogFiles: 0 })
})

t.test(
  'a folder was replaced though one of its new files is spoilt here, and the rows of that one were gone',
  async t => {
    const world = await shippedHours(t, 'folder')
    if (!world) return
    const { tree, target, hours, place, day, once } = world
    rollUp(tree, place, hours.slice(0, 2))
    rollUp(tree, place, hours.slice(2), 'day-g.parquet')
    flipByte(join(tree.dataDir, place, 'day-g.parquet'))
    t.match(await once(), { shippedFiles: 0, problemFiles: 1 })
    t.same(
      [...visibleBelow(join(target.root, place)).values()],
      ['row 1\n', 'row 2\n', 'row 3\n'],
      'all stays until all of them can take its place',
    )
    flipByte(join(tree.dataDir, place, 'day-g.parquet'))
    t.match(await once(), { shippedFiles: 2, problemFiles: 0 })
    t.same([...visibleBelow(join(target.root, place)).keys()], ['day-g.parquet', 'day-h.parquet'])
    t.ok(existsSync(join(target.root, day)))
  },
)

t.test('a file that two others replace is left out where both are there, not where one is', t => {
  const root = t.testdir({ old: '', one: '', superseded: { [`date=${DATE}`]: {} } })
  const notice = { path: 'old', by: ['one', 'other'] }
  writeFileSync(join(root, `superseded/date=${DATE}/superseded-h.jsonl`), `${JSON.stringify(notice)}\n`)
  t.same(replacedFiles(root), [])
  writeFileSync(join(root, 'other'), '')
  t.same(replacedFiles(root), [join(root, 'old')])
  t.end()
})

t.test('what replaces others is in use again', t => {
  const entry = (by: string[], paths: string[]) => JSON.stringify({ by, paths })
  const first = entry(['day'], ['a', 'b'])
  t.same(
    [...parseReplaced(`${first}\n`)],
    [
      ['a', ['day']],
      ['b', ['day']],
    ],
  )
  t.same([...parseReplaced(`${first}\n${entry(['a', 'b'], ['day'])}\n{"by":`)], [['day', ['a', 'b']]])
  t.end()
})
