import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Backlog } from '../../recorder/storage/backlog.js'
import { BatchQueue } from '../../recorder/storage/batch-queue.js'
import type { Append } from '../../recorder/storage/messages.js'
import { FailingDisk, type DiskCall } from '../fixtures/failing-disk.js'
import { rawFiles } from '../fixtures/recorder-process.js'
import {
  batchOf,
  sealedNumbers,
  SLOT_FROM_US,
  SLOT_TO_US,
  storeOptions,
  StoreRun,
  upTo,
} from '../fixtures/store-run.js'
import { matchAll } from '../fixtures/match-all.js'

t.jobs = 4

/** What goes wrong while lines are appended, and then no longer does. */
const faults: { name: string; calls: DiskCall[]; code: string; takesHalf?: boolean }[] = [
  { name: 'a disk error on write', calls: ['write'], code: 'EIO' },
  { name: 'a disk error in the middle of a write', calls: ['write'], code: 'EIO', takesHalf: true },
  { name: 'a disk error that cannot be undone', calls: ['write', 'truncate', 'remove'], code: 'EIO', takesHalf: true },
  { name: 'a disk error on sync', calls: ['sync'], code: 'EIO' },
  { name: 'a disk error on sync of the folder', calls: ['syncFolder'], code: 'EIO' },
  { name: 'a full disk in the middle of a write', calls: ['write'], code: 'ENOSPC', takesHalf: true },
  { name: 'a quota used up', calls: ['write'], code: 'EDQUOT', takesHalf: true },
  { name: 'a quota that shows at sync', calls: ['sync'], code: 'EDQUOT' },
  {
    name: 'a file system that was made read-only',
    calls: ['open', 'write', 'truncate', 'rename', 'remove', 'makeFolder', 'sync'],
    code: 'EROFS',
  },
  { name: 'no file descriptors', calls: ['open'], code: 'EMFILE' },
]

for (const { name, calls, code, takesHalf = false } of faults) {
  t.test(`${name}: every line is there once when it is over`, async t => {
    const dataDir = t.testdir({})
    const disk = new FailingDisk()
    disk.takesHalf = takesHalf
    const run = new StoreRun(storeOptions(dataDir), disk)
    for (const family of ['trades', 'quote']) run.store.handle(batchOf(family, 1, 50))
    await run.until('first lines', () => run.storedFrames() === 100)
    for (const call of calls) disk.failing.set(call, code)
    for (const family of ['trades', 'quote', 'book']) run.store.handle(batchOf(family, family === 'book' ? 1 : 51, 100))
    await run.until('trouble', () => run.of('failed').length > 0)
    t.match(run.of('failed')[0]?.message, code)
    disk.failing.clear()
    await run.until('all lines', () => run.storedFrames() === 300)
    for (const family of ['trades', 'quote', 'book']) run.store.handle(batchOf(family, 101, 120))
    await run.until('more lines', () => run.storedFrames() === 360)
    t.same(await run.close(), [], 'everything is sealed')
    const found = sealedNumbers(dataDir)
    for (const family of ['trades', 'quote', 'book']) t.same(found.get(family), upTo(120), family)
    t.equal(run.of('lost').length, 0)
    t.equal(disk.openFiles, 0, 'no descriptor is left behind')
    const litter = rawFiles(dataDir).filter(path => !/\.jsonl\.zst$|\.json$/.test(path))
    t.same(litter, [], 'and no litter')
  })
}

t.test('one family that cannot be written does not hold up the others', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  disk.only = /channel=book/
  disk.failing.set('open', 'EACCES')
  const run = new StoreRun(storeOptions(dataDir), disk)
  for (let n = 1; n < 100; n += 10) {
    run.store.handle(batchOf('book', n, n + 9))
    run.store.handle(batchOf('quote', n, n + 9))
  }
  await run.until('the others are stored', () => run.storedFrames('quote') === 100)
  t.equal(run.storedFrames('book'), 0)
  disk.failing.clear()
  await run.until('it goes on', () => run.storedFrames('book') === 100)
  await run.close()
  t.same(sealedNumbers(dataDir).get('book'), upTo(100), 'in order')
})

t.test('while the disk is full the journal is written into the reserve, and nothing else', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  const reserve = join(dataDir, 'state/recorder-deribit-vps1.reserve/0')
  const run = new StoreRun(storeOptions(dataDir), disk)
  run.store.handle(batchOf('quote', 1, 10))
  run.store.handle(batchOf('journal', 1, 10))
  await run.until('first lines', () => run.storedFrames() === 20)
  t.ok(existsSync(reserve), 'the reserve is held')
  disk.failing.set('write', 'ENOSPC')
  run.store.handle(batchOf('quote', 11, 20))
  await run.until('the disk is full', () => run.of('failed').length > 0)
  t.notOk(existsSync(reserve), 'the reserve is released')
  disk.failing.clear()
  disk.only = /reserve/
  disk.failing.set('open', 'ENOSPC')
  run.store.handle(batchOf('journal', 11, 20))
  await run.until('the journal goes on', () => run.storedFrames('journal') === 20)
  t.equal(run.storedFrames('quote'), 10, 'nothing else does')
  disk.failing.clear()
  await run.until('room again', () => run.of('roomAgain').length === 1)
  await run.until('the rest', () => run.storedFrames('quote') === 20)
  t.ok(existsSync(reserve), 'the reserve is held again')
  await run.close()
  t.same(
    sealedNumbers(dataDir),
    new Map([
      ['journal', upTo(20)],
      ['quote', upTo(20)],
    ]),
  )
})

t.test('before frames are given up, a disk that was full is tried once more', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  const run = new StoreRun(storeOptions(dataDir), disk)
  disk.failing.set('write', 'ENOSPC')
  disk.failing.set('open', 'ENOSPC')
  run.store.handle(batchOf('quote', 1, 10))
  await run.until('the disk is full', () => run.of('failed').length > 0)
  await delay(50)
  disk.failing.clear()
  run.store.handle({ type: 'tryNow' })
  run.store.handle({ type: 'giveUp' })
  t.equal(run.storedFrames(), 10, 'there is room by now')
  t.same(run.of('dropped'), [])
  await run.close()
  t.same(sealedNumbers(dataDir).get('quote'), upTo(10))
})

t.test('removed by someone while it is open: written anew', async t => {
  const dataDir = t.testdir({})
  const run = new StoreRun(storeOptions(dataDir))
  run.store.handle(batchOf('quote', 1, 50))
  await run.until('first lines', () => run.storedFrames() === 50)
  rmSync(join(dataDir, 'raw'), { recursive: true })
  run.store.handle(batchOf('quote', 51, 60))
  await run.until('it is noticed', () =>
    run.of('failed').some(({ message }) => message.includes('removed by another program')),
  )
  run.store.handle(batchOf('quote', 61, 70))
  await run.until('all lines', () => run.storedFrames() === 70)
  await run.close()
  t.same(sealedNumbers(dataDir).get('quote'), upTo(70))
})

t.test('removed after its end, before it is sealed: lost, and told exactly', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  const run = new StoreRun(storeOptions(dataDir), disk)
  run.store.handle(batchOf('quote', 1, 50))
  await run.until('first lines', () => run.storedFrames() === 50)
  disk.failing.set('rename', 'EIO')
  run.store.handle({ type: 'tick', nowUs: SLOT_TO_US + 10e6 })
  await run.until('its seal is stuck', () => run.of('failed').length > 0)
  rmSync(join(dataDir, 'raw'), { recursive: true })
  disk.failing.clear()
  await run.until('it is told', () => run.of('lost').length > 0)
  matchAll(t, run.of('lost'), [
    { loss: { channel: 'quote', frames: 50, fromUs: SLOT_TO_US - 3600e6 + 1, toUs: SLOT_TO_US - 3600e6 + 50 } },
  ])
  await run.close()
})

t.test('moved away by someone: what comes next goes to a new segment', async t => {
  const dataDir = t.testdir({})
  const run = new StoreRun(storeOptions(dataDir))
  run.store.handle(batchOf('quote', 1, 50))
  await run.until('first lines', () => run.storedFrames() === 50)
  renameSync(join(dataDir, 'raw'), join(dataDir, 'moved'))
  run.store.handle(batchOf('quote', 51, 60))
  await run.until('it is noticed', () =>
    run.of('failed').some(({ message }) => message.includes('moved by another program')),
  )
  run.store.handle(batchOf('quote', 61, 70))
  await run.until('all lines', () => run.storedFrames() === 70)
  await run.close()
  t.same(sealedNumbers(dataDir).get('quote'), upTo(70).slice(60))
})

t.test('many segments, few open files', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  const run = new StoreRun(storeOptions(dataDir, { openFilesMax: 4, fsyncMs: 60_000 }), disk)
  const families = upTo(40).map(n => `family${n}`)
  for (let n = 1; n < 30; n += 10) for (const family of families) run.store.handle(batchOf(family, n, n + 9))
  await run.until('all lines', () => run.storedFrames() === 1200)
  t.ok(disk.openFilesSeen <= 6, `${disk.openFilesSeen} open files at once, folders included`)
  t.equal(rawFiles(dataDir).length, 40, 'one open segment each')
  disk.failing.set('open', 'EMFILE')
  run.store.handle(batchOf('family40', 31, 40))
  await run.until('an open file needs no descriptor', () => run.storedFrames() === 1210)
  disk.failing.clear()
  await run.close()
  const found = sealedNumbers(dataDir)
  for (const family of families) t.same(found.get(family), upTo(family === 'family40' ? 40 : 30), family)
})

t.test('a batch never overtakes one of its segment that failed and is to be tried again at once', t => {
  const queue = new BatchQueue()
  for (const first of [1, 11]) for (const family of ['trades', 'quote']) queue.push(batchOf(family, first, first + 9))
  const tried: string[] = []
  const write = ({ channel, firstRecvUs }: Append) => {
    tried.push(`${channel} ${firstRecvUs - SLOT_FROM_US}`)
    return channel === 'trades' && tried.length === 1 ? 0 : undefined
  }
  queue.drain(0, () => true, write)
  t.same(tried, ['trades 1', 'quote 1', 'quote 11'])
  queue.drain(0, () => true, write)
  t.same(tried.slice(3), ['trades 1', 'trades 11'])
  t.end()
})

t.test('a segment that cannot be sealed does not hold up the others', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  disk.only = /channel=trades/
  disk.failing.set('rename', 'EIO')
  const run = new StoreRun(storeOptions(dataDir), disk)
  for (const family of ['trades', 'quote', 'book']) run.store.handle(batchOf(family, 1, 10))
  await run.until('all lines', () => run.storedFrames() === 30)
  run.store.handle({ type: 'tick', nowUs: SLOT_TO_US + 10e6 })
  await run.until('the others are sealed', () => run.of('sealed').length === 2)
  disk.failing.clear()
  await run.until('and that one later', () => run.of('sealed').length === 3)
  t.same(await run.close(), [])
})

t.test('frames that come up to 2 s after their slot go to its segment', async t => {
  const dataDir = t.testdir({})
  const run = new StoreRun(storeOptions(dataDir), new FailingDisk())
  run.store.handle(batchOf('trades', 1, 10))
  await run.until('first lines', () => run.storedFrames() === 10)
  run.store.handle({ type: 'tick', nowUs: SLOT_TO_US + 1.9e6 })
  run.store.handle(batchOf('trades', 11, 20))
  await run.until('more lines', () => run.storedFrames() === 20)
  run.store.handle({ type: 'tick', nowUs: SLOT_TO_US + 2e6 })
  await run.until('sealed', () => run.of('sealed').length > 0)
  t.same(
    run.of('sealed').map(({ manifest }) => manifest.frames),
    [20],
  )
  t.same(await run.close(), [])
})

t.test('in memory, families are dropped in the declared order, the oldest batches first', t => {
  const waiting = new Backlog(['ticker', 'book'], ['trades', 'journal'], 1)
  for (const first of [1, 11])
    for (const family of ['journal', 'trades', 'book', 'quote', 'ticker'])
      waiting.push(batchOf(family, first, first + 9))
  const order = waiting.dropOldest(Infinity).map(({ channel, firstRecvUs }) => [channel, firstRecvUs - SLOT_FROM_US])
  t.same(
    order,
    ['ticker', 'book', 'quote', 'trades', 'journal'].flatMap(family => [
      [family, 1],
      [family, 11],
    ]),
  )
  waiting.push(batchOf('quote', 1, 10))
  waiting.push(batchOf('ticker', 1, 10))
  t.same(
    waiting.dropOldest(1).map(({ channel }) => channel),
    ['ticker'],
    'and no more than is needed',
  )
  t.end()
})

t.test('what waits is counted once, here and with the storage thread', t => {
  const backlog = new Backlog([], [], 1)
  const [first, second] = [batchOf('book', 1, 10), batchOf('book', 11, 20)]
  const bytes = first.bytes.buffer.byteLength
  for (const batch of [first, second]) backlog.push(batch)
  const sent = [...backlog.takeToSend('book')]
  t.same(sent, [first], 'the thread gets no more than it may hold')
  t.same([...backlog.takeToSend('book')], [])
  t.equal(backlog.bytes, bytes + second.bytes.buffer.byteLength, 'what is on its way waits still')
  t.same(backlog.dropOldest(Infinity), [second], 'what is on its way cannot be given up')
  t.equal(backlog.bytes, bytes)
  t.ok(backlog.has('book'))
  backlog.release('book', bytes)
  t.equal(backlog.bytes, 0)
  t.notOk(backlog.has('book'))
  t.end()
})
