/** Lines are written while segments and seals wait for the disk. */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { localDisk, type Disk } from '../../platform/disk.js'
import { batchOf, sealedNumbers, SLOT_TO_US, StoreRun, storeOptions, upTo } from '../fixtures/store-run.js'

const MINUTE_US = 60_000_000

/** A disk whose syncs take until they are told to be over; those that happen at once are counted. */
function waitingDisk() {
  const waits: { of: string; end: () => void }[] = []
  const here: string[] = []
  const disk: Disk = {
    ...localDisk,
    sync: fd => {
      here.push('file')
      localDisk.sync(fd)
    },
    syncFolder: path => {
      here.push('folder')
      localDisk.syncFolder(path)
    },
    syncAside: (fd, done) => void waits.push({ of: 'file', end: () => localDisk.syncAside(fd, done) }),
    syncFolderAside: (path, done) => waits.push({ of: 'folder', end: () => localDisk.syncFolderAside(path, done) }),
  }
  return { disk, waits, here }
}

t.test('a line waited until each segment was synced, ended and sealed', async t => {
  const dataDir = t.testdir({})
  const { disk, waits, here } = waitingDisk()
  const run = new StoreRun(storeOptions(dataDir, { fsyncMs: 50 }), disk)
  run.store.handle(batchOf('quote', 1, 1))
  // The reserve is synced at the start.
  here.length = 0
  let lines = 1
  const of: string[] = []
  /** Lines come while the disk is waited for. */
  const whileWaiting = async () => {
    await run.until('the disk is waited for', () => waits.length > 0)
    const wait = waits.shift()
    of.push(wait?.of ?? '')
    lines++
    for (const family of ['quote', 'ticker']) run.store.handle(batchOf(family, lines, lines, lines * SLOT_TO_US))
    await run.until(`line ${lines} is stored`, () => run.storedFrames('ticker') === lines - 1)
    t.equal(run.storedFrames('quote'), lines)
    wait?.end()
  }
  for (let wait = 0; wait < 2; wait++) await whileWaiting()
  t.same(of, ['file', 'folder'], 'synced, with its name')
  run.store.handle({ type: 'tick', nowUs: SLOT_TO_US + 10 * MINUTE_US })
  while (run.of('sealed').length === 0 && lines < 100) {
    if (waits.length > 0) await whileWaiting()
    await delay(1)
  }
  t.equal(run.of('failed').length, 0)
  t.ok(of.length > 6, of.join(' '))
  t.notOk(here.includes('file'), 'none is synced where lines wait for it')
  const ended = setInterval(() => waits.shift()?.end(), 1)
  await run.close()
  clearInterval(ended)
  t.same(sealedNumbers(dataDir).get('quote'), upTo(lines))
})

t.test('what is written to a disk that does not answer may never be safe: it waits, until that answers', async t => {
  const { disk, waits } = waitingDisk()
  const run = new StoreRun(storeOptions(t.testdir({}), { fsyncMs: 20 }), disk)
  run.store.handle(batchOf('quote', 1, 1))
  await run.until('it is synced', () => waits.length > 0)
  await delay(1100)
  run.store.handle(batchOf('quote', 2, 2))
  run.store.handle(batchOf('ticker', 1, 1))
  await delay(200)
  t.equal(run.storedFrames(), 1)
  waits.shift()?.end()
  await run.until('all are stored', () => run.storedFrames() === 3)
  const ended = setInterval(() => waits.shift()?.end(), 1)
  await run.close()
  clearInterval(ended)
})
