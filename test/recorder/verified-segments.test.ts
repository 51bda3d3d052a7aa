import { appendFileSync, existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { localDisk } from '../../platform/disk.js'
import { withState } from '../../formats/raw-path.js'
import { readReceiptsOf } from '../../formats/receipt.js'
import { Room } from '../../recorder/storage/room.js'
import { removeVerifiedSegments } from '../../recorder/storage/verified-segments.js'
import { runSyncer } from '../../syncer/main.js'
import { HOUR_14, HOUR_MS, MINUTE_MS, handClock, sha256, ShippedTree, testConfig } from '../fixtures/shipped-tree.js'
import { FailingDisk } from '../fixtures/failing-disk.js'

/** A tree whose first three segments are verified at the target, as a real syncer says; a fourth is only shipped. */
async function verifiedTree(folder: string) {
  const tree = new ShippedTree(join(folder, 'data'))
  const segments = [3, 1, 2].map(n => tree.segment(n, `segment ${n}\n`, HOUR_14 + n * HOUR_MS)).sort()
  const [first = '', second = '', third = ''] = segments
  tree.compacted(first, 1)
  tree.compacted(third, 3)
  const clock = handClock(HOUR_14 + 9 * HOUR_MS)
  const config = testConfig(tree.dataDir, { target: join(folder, 'nas'), graceMinutes: 15 }, { keepHours: 1000 })
  const once = () =>
    runSyncer({ config, log: pino({ level: 'silent' }), once: true, signal: new AbortController().signal, clock })
  await once()
  clock.advance(20 * MINUTE_MS)
  const late = tree.segment(4, 'segment 4\n', HOUR_14 + 4 * HOUR_MS)
  tree.compacted(late, 4)
  await once()
  const shipping = { dataDir: tree.dataDir, syncTarget: join(folder, 'nas') }
  /** A pass with another target. */
  const passTo = (target: string) =>
    runSyncer({
      config: { ...config, sync: { ...config.sync, target } },
      log: pino({ level: 'silent' }),
      once: true,
      signal: new AbortController().signal,
      clock,
    })
  return { tree, first, second, third, late, shipping, clock, passTo }
}

t.test('only what is verified and compacted goes, the oldest first, a segment with its manifest', async t => {
  const { tree, first, second, third, late, shipping } = await verifiedTree(t.testdir({}))
  const isHere = (path: string) => existsSync(join(tree.dataDir, path))
  t.same(removeVerifiedSegments(localDisk, shipping, 0).files, [], 'nothing is asked for')
  const gone = removeVerifiedSegments(localDisk, shipping, 11)
  t.same(gone.files, [first, withState(first, 'manifest')])
  t.ok(gone.bytes > 11)
  t.same(removeVerifiedSegments(localDisk, shipping, 1e9).files, [third, withState(third, 'manifest')])
  t.notOk(isHere(first) || isHere(third))
  t.ok(isHere(second) && isHere(withState(second, 'manifest')), 'what is not compacted stays')
  t.ok(isHere(late) && isHere(withState(late, 'manifest')), 'what is only shipped stays')
})

t.test('what changed since it was verified stays', async t => {
  const { tree, first, third, shipping } = await verifiedTree(t.testdir({}))
  appendFileSync(join(tree.dataDir, first), 'more')
  appendFileSync(join(tree.dataDir, withState(third, 'manifest')), ' ')
  t.same(removeVerifiedSegments(localDisk, shipping, 1e9).files, [])
})

t.test('a segment stays whose Parquet there is not what was made of it last', async t => {
  const { tree, first, third, shipping } = await verifiedTree(t.testdir({}))
  const { outputs } = readReceiptsOf(tree.dataDir, '2026-11-20').get(first) ?? { outputs: [] }
  const made = outputs.map(output => ({ ...output, sha256: sha256('made anew') }))
  tree.receipt('2026-11-20', { segment: first, sha256: sha256(tree.read(first)), outputs: made })
  t.same(removeVerifiedSegments(localDisk, shipping, 1e9).files, [third, withState(third, 'manifest')])
})

t.test('what was deleted for room is gone for good before it is told', async t => {
  const { tree, first, shipping } = await verifiedTree(t.testdir({}))
  const synced: string[] = []
  const disk = { ...localDisk, syncFolder: (path: string) => synced.push(path) }
  removeVerifiedSegments(disk, shipping, 1)
  t.same(synced, [join(tree.dataDir, dirname(first))])
})

t.test('a target that was once unreachable does not end the rescue of a full disk for good', async t => {
  const { tree, first, third, shipping } = await verifiedTree(t.testdir({}))
  // What a pass leaves behind that never met its target: ledgers without a record.
  tree.write('state/syncer/ledger-0123456789ab/2026-11-20.jsonl', '')
  const { files } = removeVerifiedSegments(localDisk, shipping, 1e9)
  t.same(files, [first, withState(first, 'manifest'), third, withState(third, 'manifest')])
})

t.test('a target that was changed has an account of its own, and the old one ends', async t => {
  const folder = t.testdir({})
  const { tree, first, shipping, clock, passTo } = await verifiedTree(folder)
  const other = { ...shipping, syncTarget: join(folder, 'other') }
  t.same(removeVerifiedSegments(localDisk, other, 1e9).files, [], 'the new one was never met')
  t.same(removeVerifiedSegments(localDisk, { ...shipping, syncTarget: undefined }, 1e9).files, [])

  await passTo(join(folder, 'no', 'where'))
  t.same(removeVerifiedSegments(localDisk, shipping, 1e9).files, [], 'the config names another target now')

  await passTo(other.syncTarget)
  t.same(removeVerifiedSegments(localDisk, other, 1e9).files, [], 'shipped there, not verified there')
  clock.advance(20 * MINUTE_MS)
  await passTo(other.syncTarget)
  t.equal(readdirSync(join(tree.dataDir, 'state/syncer')).filter(name => name.startsWith('ledger-')).length, 1)
  t.same(removeVerifiedSegments(localDisk, other, 1).files.slice(0, 1), [first])
})

t.test('without a syncer nothing goes', async t => {
  const tree = new ShippedTree(t.testdir({}))
  tree.compacted(tree.segment(1), 1)
  const shipping = { dataDir: tree.dataDir, syncTarget: '/mnt/nas' }
  t.same(removeVerifiedSegments(localDisk, shipping, 1e9), { files: [], bytes: 0 })
})

t.test('a full disk asks for room before anything else', async t => {
  const folder = t.testdir({})
  const disk = new FailingDisk()
  const asked: number[] = []
  let free = 0
  let files = Infinity
  const room = new Room(
    {
      disk: Object.assign(disk, { free: () => ({ bytes: free, files }) }),
      reserveFolder: join(folder, 'reserve'),
      reserveBytes: 1000,
      makeRoom: bytes => {
        asked.push(bytes)
        free += bytes
      },
    },
    0,
  )
  t.notOk(room.isFull)
  room.noRoom(1000)
  t.ok(room.isFull)
  t.equal(room.lookAgain(1500), 500, 'room was made, and the reserve is held again')
  t.same(asked, [4000])
  room.noRoom(2000)
  files = 10
  t.equal(room.lookAgain(3000), undefined, 'ten inodes are no room')
  files = 1000
  t.equal(room.lookAgain(4000), 2000)
  t.equal(disk.openFiles, 0)
})
