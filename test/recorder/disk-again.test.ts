/** A disk that refuses for a while: it is told, and so is its end, each time anew. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { Complaints } from '../../recorder/complaints.js'
import { ReceiveClock } from '../../recorder/receive-clock.js'
import { reportStorage } from '../../recorder/report-storage.js'
import { Storage } from '../../recorder/storage/storage.js'
import { FrameCounter, FrameRouter } from '../../recorder/frame-router.js'
import { until } from '../fixtures/recorder-process.js'
import { storeOptions } from '../fixtures/store-run.js'

t.test('a disk that took nothing was told once and never again, nor that it was over', async t => {
  const dataDir = t.testdir({})
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const settings = { queueBytes: 1e8, dropFirst: [], dropLast: [], syncTarget: undefined }
  const storage = new Storage({ ...storeOptions(dataDir), ...settings })
  const clock = new ReceiveClock()
  const router = new FrameRouter(storage, clock, 60)
  const nowUs = () => clock.nowUs()
  const foundBroken = () => undefined
  void reportStorage(
    storage,
    router,
    { log, complaints: new Complaints(router, log, nowUs), exchange: {}, foundBroken },
    () => undefined,
  ).catch((error: unknown) => t.fail(String(error)))
  storage.start()
  router.journal('maintenance', { conn: 'd1' })
  router.flush()
  await storage.written(30_000)
  t.equal(storage.storedFrames, 1, 'the first line is there before anything is asked of the exchange')

  const source = new FrameCounter('d1')
  const told = (text: string) => lines.filter(line => line.includes(text)).length
  const refused = () => told('cannot write, trying again')
  let refusals = 0
  storage.on('failed', () => refusals++)
  // Each time another family: a file that goes away before it was synced would be told besides, again and again.
  for (const [before, family] of ['quote', 'ticker'].entries()) {
    const time = before + 1
    const folder = join(dataDir, `raw/exchange=deribit/channel=${family}`)
    writeFileSync(folder, 'in the way')
    // Stored, and only counted: nobody asks for it before the refusal, and the tick does behind it.
    router.take('trades', source, nowUs(), Buffer.from('{"n":1}'))
    router.take(family, source, nowUs(), Buffer.from('{"n":2}'))
    router.flush()
    await until('it is refused', () => storage.refusal !== undefined)
    t.match(storage.refusal, { message: /EEXIST|ENOTDIR/ })
    await until('it is told', () => refused() === time)
    storage.tick(nowUs())
    const refusedBefore = refusals
    await until('it is refused again', () => refusals > refusedBefore)
    t.equal(told('the disk takes frames again'), before, 'what was stored before says nothing of it')
    t.equal(refused(), time)
    rmSync(folder)
    await until('it goes on', () => storage.refusal === undefined)
    await until('that is told, too', () => told('the disk takes frames again') === time)
  }
  router.flush()
  await storage.close(10_000)
  t.equal(storage.lostFrames, 0)
})
