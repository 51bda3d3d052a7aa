import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { localDisk } from '../../platform/disk.js'
import { withState } from '../../formats/raw-path.js'
import { Room } from '../../recorder/storage/room.js'
import { removeVerifiedSegments } from '../../recorder/storage/verified-segments.js'
import { runSyncer } from '../../syncer/main.js'
import { HOUR_14, HOUR_MS, MINUTE_MS, handClock, ShippedTree, testConfig } from '../fixtures/shipped-tree.js'
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
  return { tree, first, second, third, late }
}

t.test('only what is verified and compacted goes, the oldest first, a segment with its manifest', async t => {
  const { tree, first, second, third, late } = await verifiedTree(t.testdir({}))
  const isHere = (path: string) => existsSync(join(tree.dataDir, path))
  t.same(removeVerifiedSegments(localDisk, tree.dataDir, 0).files, [], 'nothing is asked for')
  const gone = removeVerifiedSegments(localDisk, tree.dataDir, 11)
  t.same(gone.files, [first, withState(first, 'manifest')])
  t.ok(gone.bytes > 11)
  t.same(removeVerifiedSegments(localDisk, tree.dataDir, 1e9).files, [third, withState(third, 'manifest')])
  t.notOk(isHere(first) || isHere(third))
  t.ok(isHere(second) && isHere(withState(second, 'manifest')), 'what is not compacted stays')
  t.ok(isHere(late) && isHere(withState(late, 'manifest')), 'what is only shipped stays')
})

t.test('what changed since it was verified stays', async t => {
  const { tree, first, third } = await verifiedTree(t.testdir({}))
  appendFileSync(join(tree.dataDir, first), 'more')
  appendFileSync(join(tree.dataDir, withState(third, 'manifest')), ' ')
  t.same(removeVerifiedSegments(localDisk, tree.dataDir, 1e9).files, [])
})

t.test('what one of several targets has not stays', async t => {
  const { tree } = await verifiedTree(t.testdir({}))
  tree.write('state/syncer/ledger-0123456789ab/2026-11-20.jsonl', '')
  t.same(removeVerifiedSegments(localDisk, tree.dataDir, 1e9).files, [])
})

t.test('without a syncer nothing goes', async t => {
  const tree = new ShippedTree(t.testdir({}))
  tree.compacted(tree.segment(1), 1)
  t.same(removeVerifiedSegments(localDisk, tree.dataDir, 1e9), { files: [], bytes: 0 })
})

t.test('a full disk asks for room before anything else', async t => {
  const folder = t.testdir({})
  const disk = new FailingDisk()
  const asked: number[] = []
  let free = 0
  const room = new Room(
    {
      disk: Object.assign(disk, { free: () => ({ bytes: free, files: Infinity }) }),
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
  t.equal(disk.openFiles, 0)
})
