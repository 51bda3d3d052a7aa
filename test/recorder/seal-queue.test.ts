/** Segments that wait to be sealed: one after the other, whatever fails, each to its end or told. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { withState } from '../../formats/raw-path.js'
import type { StorageEvent } from '../../recorder/storage/messages.js'
import { Room } from '../../recorder/storage/room.js'
import { SealQueue, type SealTask } from '../../recorder/storage/seal-queue.js'
import { FailingDisk, type DiskCall } from '../fixtures/failing-disk.js'
import { matchAll } from '../fixtures/match-all.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { rawFiles } from '../fixtures/recorder-process.js'
import { quoteLine, sealedLines, writeOpenSegment } from '../fixtures/segments.js'
import { holds } from '../fixtures/holds.js'

const LINES = 5

function scene(dataDir: string, segments: number) {
  mkdirSync(dataDir, { recursive: true })
  const disk = new FailingDisk()
  const events: StorageEvent[] = []
  const emit = (event: StorageEvent) => void events.push(event)
  const room = new Room(
    { disk, reserveFolder: join(dataDir, 'reserve'), reserveBytes: 1000, makeRoom: () => undefined },
    0,
  )
  const paths = Array.from({ length: segments }, (_, n) => writeOpenSegment(dataDir, LINES, 2, n + 1))
  const tasks = paths.map((path): SealTask => ({
    ...{ path, gaps: [], recovered: false },
    holds: { channel: 'quote', frames: LINES, fromUs: 1, toUs: 9 },
  }))
  const queue = new SealQueue({ disk, dataDir, room, emit, wake: () => undefined }, [])
  for (const task of tasks) queue.add(task)
  const of = <T extends StorageEvent['type']>(type: T) =>
    events.filter((event): event is Extract<StorageEvent, { type: T }> => event.type === type)
  return { disk, room, queue, paths, of }
}

/** Steps until nothing is to be done now. */
function run(queue: SealQueue, nowMs: number): void {
  for (let steps = 0; queue.step(9, nowMs); steps++) assert.ok(steps < 10_000, 'it comes to an end')
}

const CALLS: DiskCall[] = ['open', 'write', 'truncate', 'sync', 'rename', 'remove', 'syncFolder']
const fault = fc.record({
  calls: fc.subarray(CALLS, { minLength: 1 }),
  code: fc.constantFrom('EIO', 'ENOSPC', 'EMFILE', 'EROFS'),
  steps: fc.integer({ min: 0, max: 8 }),
})

t.test('whatever fails at whatever step, each is sealed once in the end, with all of its lines', t => {
  const root = memoryFolder(t)
  let number = 0
  holds(
    t,
    fc.property(fc.integer({ min: 1, max: 3 }), fc.array(fault, { maxLength: 4 }), (segments, faults) => {
      const dataDir = join(root, `run${number++}`)
      const { disk, room, queue, paths, of } = scene(dataDir, segments)
      let nowMs = 0
      for (const { calls, code, steps } of faults) {
        for (const call of calls) disk.failing.set(call, code)
        for (let step = 0; step < steps; step++) queue.step(9, nowMs)
        disk.failing.clear()
        nowMs += 500
        queue.step(9, nowMs)
      }
      room.hurry()
      room.lookAgain(nowMs)
      run(queue, nowMs + 2000)
      assert.deepEqual(queue.waiting, [])
      assert.equal(queue.nextMs, undefined)
      assert.deepEqual(of('sealed').map(({ path }) => path).sort(), paths.map(path => withState(path, 'sealed')).sort()) // prettier-ignore
      assert.deepEqual(of('lost'), [])
      const lines = Array.from({ length: LINES }, (_, n) => quoteLine(n + 1))
      for (const path of paths) assert.deepEqual(sealedLines(dataDir, withState(path, 'sealed')), lines)
      assert.deepEqual(rawFiles(dataDir).filter(path => !/\.jsonl\.zst$|\.json$/.test(path)), []) // prettier-ignore
      assert.equal(disk.openFiles, 0)
    }),
    { numRuns: 40 },
  )
  t.end()
})

t.test('one that fails goes to the end, and is tried again after a second or when that is asked for', t => {
  const dataDir = t.testdir({})
  const { disk, queue, paths, of } = scene(dataDir, 3)
  disk.only = new RegExp(`${paths[0]?.slice(-25) ?? ''}|rewriting`)
  disk.failing.set('rename', 'EIO')
  while (of('failed').length === 0) queue.step(9, 1000)
  t.same(queue.waiting, [paths[1], paths[2], paths[0]])
  t.equal(queue.nextMs, 2000)
  t.equal(queue.step(9, 1999), false)
  disk.failing.clear()
  queue.retryNow()
  run(queue, 1999)
  t.same(of('sealed').map(({ path }) => path), [paths[1], paths[2], paths[0]].map(path => withState(path ?? '', 'sealed'))) // prettier-ignore
  t.end()
})

t.test('while the disk is full nothing is begun: the room that is left belongs to the journal', t => {
  const dataDir = t.testdir({})
  const { room, queue, of } = scene(dataDir, 1)
  room.noRoom(0)
  t.equal(queue.step(9, 0), false)
  t.equal(queue.step(9, 999), false)
  room.hurry()
  t.ok(room.lookAgain(1000) !== undefined)
  run(queue, 1000)
  t.equal(of('sealed').length, 1)
  t.same(of('failed'), [])
  t.end()
})

t.test('lines of a file that was found empty were lost, and nobody was told', t => {
  const dataDir = t.testdir({})
  const { queue, paths, of } = scene(dataDir, 3)
  const [removed = '', emptied = ''] = paths
  rmSync(join(dataDir, removed))
  writeFileSync(join(dataDir, emptied), '')
  run(queue, 0)
  matchAll(t, of('lost'), [
    { loss: { channel: 'quote', frames: LINES, fromUs: 1, toUs: 9, cause: `${removed} was removed` } },
    { loss: { channel: 'quote', frames: LINES, fromUs: 1, toUs: 9, cause: `the end of ${emptied} cannot be read` } },
  ])
  t.equal(of('sealed').length, 1, 'what holds nothing is no segment')
  t.notOk(existsSync(join(dataDir, emptied)))
  t.end()
})

t.test('a folder that could not be synced behind the last rename kept its segment waiting for ever', t => {
  const dataDir = t.testdir({})
  const { disk, queue, paths, of } = scene(dataDir, 1)
  const sealed = withState(paths[0] ?? '', 'sealed')
  const sync = disk.syncFolder.bind(disk)
  disk.syncFolder = folder => {
    if (existsSync(join(dataDir, sealed)) && of('failed').length === 0)
      throw Object.assign(new Error('EIO: fsync'), { code: 'EIO' })
    sync(folder)
  }
  run(queue, 0)
  t.same([of('failed').length, of('sealed').length], [1, 0])
  run(queue, 1000)
  t.same([of('failed').length, of('sealed').map(({ path }) => path)], [1, [sealed]])
  t.same(queue.waiting, [])
  t.end()
})

t.test('what is given up in the middle stays as it is, without a copy in the making', t => {
  const dataDir = t.testdir({})
  const { disk, queue, paths } = scene(dataDir, 2)
  const before = rawFiles(dataDir)
  queue.step(9, 0)
  t.same(queue.leave(), paths)
  t.same(rawFiles(dataDir), before)
  t.equal(disk.openFiles, 0)
  t.equal(queue.step(9, 0), false)
  t.same(queue.leave(), [])
  t.end()
})
