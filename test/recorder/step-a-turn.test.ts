import t from 'tap'
import { localDisk } from '../../platform/disk.js'
import type { StorageRequest } from '../../recorder/storage/messages.js'
import { batchOf, SLOT_TO_US, StoreRun, storeOptions } from '../fixtures/store-run.js'

const FAMILIES = ['quote', 'ticker', 'book', 'trades', 'perpetual']
const MINUTE_US = 60_000_000

/** How often the disk was waited for by a line that came in one of these waits: at worst, as often as there are segments. */
async function waitsOfALine(dataDir: string, fsyncMs: number, then: StorageRequest[]): Promise<number> {
  let waits: number | undefined
  let isWatched = false
  const waited = () => {
    if (!isWatched) return
    if (waits !== undefined) waits++
    else {
      waits = 0
      run.store.handle(batchOf('late', 1, 1, 2 * SLOT_TO_US))
    }
  }
  const disk = {
    ...localDisk,
    sync: (fd: number) => {
      localDisk.sync(fd)
      waited()
    },
  }
  const run = new StoreRun(storeOptions(dataDir, { fsyncMs }), disk, event => {
    if (event.type === 'stored' && event.channel === 'late') isWatched = false
  })
  for (const family of FAMILIES) run.store.handle(batchOf(family, 1, 1))
  await run.until('all are stored', () => run.storedFrames() === FAMILIES.length)
  isWatched = true
  for (const request of then) run.store.handle(request)
  await run.until('the late one is stored', () => run.storedFrames('late') === 1)
  await run.close()
  return waits ?? NaN
}

t.test('a line waited until each segment was made safe against a power cut', async t => {
  t.ok((await waitsOfALine(t.testdir({}), 300, [])) < FAMILIES.length - 2)
})

t.test('a line waited until each segment of an hour was ended', async t => {
  const tick: StorageRequest = { type: 'tick', nowUs: SLOT_TO_US + 10 * MINUTE_US }
  t.ok((await waitsOfALine(t.testdir({}), 60_000, [tick])) < FAMILIES.length - 2)
})
