/** Lines go to the storage thread one by one or in batches, as many come; they are written in their order all the same. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { decodedLines } from '../../formats/decode-segment.js'
import { parseLine } from '../../formats/raw-line.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { HAND_OVER_MS } from '../../recorder/line-batch.js'
import { ReceiveClock } from '../../recorder/receive-clock.js'
import { Storage, type StorageSettings } from '../../recorder/storage/storage.js'
import { FrameCounter, FrameRouter } from '../../recorder/frame-router.js'
import { seeded } from '../fixtures/dice.js'
import { rawFiles, until } from '../fixtures/recorder-process.js'
import { storeOptions } from '../fixtures/store-run.js'

t.setTimeout(120_000)

const FAMILIES = ['quote', 'trades', 'ticker']

function recording(t: Test, more: Partial<StorageSettings> = {}) {
  const dataDir = t.testdir({})
  const settings = { queueBytes: 1e8, dropFirst: [], dropLast: [], syncTarget: undefined, ...more }
  const storage = new Storage({ ...storeOptions(dataDir), fsyncMs: 1000, ...settings })
  const clock = new ReceiveClock()
  const router = new FrameRouter(storage, clock, 60, undefined, HAND_OVER_MS)
  const sources = new Map(FAMILIES.map(family => [family, new FrameCounter(family)]))
  let taken = 0
  const take = (family: string, bytes: number) => {
    const source = sources.get(family)
    if (!source) throw new Error(family)
    router.take(family, source, clock.nowUs(), Buffer.from(`"${'x'.repeat(bytes)}"`))
    taken++
  }
  const end = async () => {
    router.flush()
    await storage.settle(20_000)
    await storage.sealAll(20_000)
    await storage.close(20_000)
    return taken
  }
  return { dataDir, storage, clock, router, take, end }
}

/** Numbers of the lines of each family, in the order in which they stand in its segments. */
function numbersIn(dataDir: string): Map<string, number[]> {
  const numbers = new Map<string, number[]>()
  for (const path of rawFiles(dataDir)) {
    const parsed = parseSegmentPath(path)
    if (parsed?.state !== 'sealed' && parsed?.state !== 'open') continue
    const { channel } = parsed.name
    const found = [...decodedLines(join(dataDir, path))].map(line => parseLine(line)?.seq ?? -1)
    numbers.set(channel, [...(numbers.get(channel) ?? []), ...found])
  }
  return numbers
}

t.test('one by one, in bursts and in between: all is written, once, in its order', async t => {
  const { dataDir, storage, router, take, end } = recording(t, { rotateBytes: 1e12 })
  const seed = Date.now() % 2 ** 31
  t.comment(`seed ${seed}`)
  const dice = seeded(seed)
  storage.start()
  const ways: Record<string, () => unknown> = {
    few: () => Array.from({ length: 5 }, () => take(FAMILIES[Math.floor(dice() * 3)] ?? '', 200)),
    'more than is cheap one by one': () => Array.from({ length: 300 }, () => take(FAMILIES[Math.floor(dice() * 2)] ?? '', 1000)),
    'a long one': () => take('quote', 100_000),
    'longer than a batch': () => take('ticker', 400_000),
    flush: () => router.flush(),
    'a message': () => storage.noteGap(['trades'], { from_us: 1, to_us: 2, conn: 'd1', cause: 'dropped' }),
    tick: () => storage.tick(Date.now() * 1000),
    wait: () => delay(dice() * 40),
    'wait for long': () => delay(dice() * 200),
  } // prettier-ignore
  const all = Object.values(ways)
  for (let n = 0; n < 300; n++) {
    await all[Math.floor(dice() * all.length)]?.()
    if (dice() < 0.3) take(FAMILIES[Math.floor(dice() * 3)] ?? '', 300)
  }
  const taken = await end()
  t.same({ stored: storage.storedFrames, lost: storage.lostFrames, waiting: storage.waitingBytes }, { stored: taken, lost: 0, waiting: 0 }) // prettier-ignore
  const numbers = numbersIn(dataDir)
  for (const family of FAMILIES) {
    const found = numbers.get(family) ?? []
    t.equal(found.findIndex((n, index) => n !== index + 1), -1, `${found.length} of ${family}`) // prettier-ignore
  }
  t.equal([...numbers.values()].flat().length, taken)
})

t.test('few lines are written without a message for each hand-over, and soon where none came for long', async t => {
  const { storage, router, take, end } = recording(t)
  let messages = 0
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this`
  const post = Worker.prototype.postMessage
  Worker.prototype.postMessage = function (...sent: Parameters<typeof post>) {
    messages++
    post.apply(this, sent)
  }
  t.teardown(() => (Worker.prototype.postMessage = post))
  storage.start()
  take('quote', 100)
  router.flush()
  await storage.written(30_000)
  t.equal(storage.storedFrames, 1, 'the first says what is to be known of its family')
  messages = 0
  for (let n = 0; n < 40; n++) {
    take('quote', 100)
    await delay(20)
  }
  t.ok(messages <= 1, `${messages} messages in 800 ms`)
  await storage.written(30_000)
  await delay(25 * HAND_OVER_MS)
  messages = 0
  take('quote', 100)
  t.equal(messages, 1, 'who sleeps is woken')
  const before = performance.now()
  await until('it is written', () => storage.waitingBytes === 0)
  t.ok(performance.now() - before < 40 * HAND_OVER_MS)
  t.equal(storage.storedFrames, 42)
  await end()
})

t.test('what waits is counted, as long as it does', async t => {
  const { storage, take, end } = recording(t)
  take('quote', 1000)
  await delay(2 * HAND_OVER_MS)
  t.ok(storage.waitingBytes > 1000, 'before there is a thread')
  storage.start()
  await storage.written(30_000)
  take('quote', 2000)
  t.ok(storage.waitingBytes > 2000 && storage.isUnderWay('quote'))
  await until('it is written', () => !storage.isUnderWay('quote'))
  t.same([storage.waitingBytes, storage.storedFrames], [0, 2])
  await end()
})
