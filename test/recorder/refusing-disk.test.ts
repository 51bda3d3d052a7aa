/** The store on a disk that refuses this and that, in any order: each line is there once when it is over, and told once. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LineHead } from '../../formats/raw-line.js'
import { BATCH_BYTES, LineBatch } from '../../recorder/line-batch.js'
import type { Append } from '../../recorder/storage/messages.js'
import { FailingDisk, type DiskCall } from '../fixtures/failing-disk.js'
import { matchAll } from '../fixtures/match-all.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { rawFiles, until } from '../fixtures/recorder-process.js'
import {
  batchOf,
  sealedNumbers,
  SLOT_FROM_US,
  SLOT_TO_US,
  storeOptions,
  StoreRun,
  upTo,
} from '../fixtures/store-run.js'
import { holds } from '../fixtures/holds.js'

const FAMILIES = ['trades', 'quote', 'journal'] as const
const CALLS: DiskCall[] = ['open', 'write', 'truncate', 'sync', 'rename', 'remove', 'makeFolder', 'syncFolder']

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      family: fc.constantFrom(...FAMILIES),
      lines: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      calls: fc.subarray(CALLS, { minLength: 1 }),
      code: fc.constantFrom('EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EROFS'),
      takesHalf: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('heal' as const, 'try' as const, 'hour' as const) }) },
)

/** Lets the store do what it can do now. */
async function someTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

t.test('whatever the disk refuses in whatever order, each line is there once when it is over', async t => {
  const root = memoryFolder(t)
  let number = 0
  await holds(
    t,
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 14 }),
      fc.nat(3),
      fc.nat(4),
      async (steps, turns, aside) => {
        const dataDir = join(root, `run${number++}`)
        mkdirSync(dataDir)
        const disk = new FailingDisk()
        disk.turnsAside = aside
        const options = storeOptions(dataDir, { rotateBytes: 1500, openFilesMax: 2, fsyncMs: 1, frameMs: 1000 })
        const run = new StoreRun(options, disk)
        const counts = new Map<string, number>()
        for (const one of steps) {
          if (one.do === 'append') {
            const before = counts.get(one.family) ?? 0
            run.store.handle(batchOf(one.family, before + 1, before + one.lines))
            counts.set(one.family, before + one.lines)
          } else if (one.do === 'fail') {
            disk.takesHalf = one.takesHalf
            for (const call of one.calls) disk.failing.set(call, one.code)
          } else if (one.do === 'heal') disk.failing.clear()
          else if (one.do === 'try') run.store.handle({ type: 'tryNow' })
          else run.store.handle({ type: 'tick', nowUs: SLOT_TO_US + 3e6 })
          await someTurns(turns)
        }
        disk.failing.clear()
        const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
        await until('all is stored', () => {
          run.store.handle({ type: 'tryNow' })
          return run.storedFrames() >= all
        })
        assert.equal(run.storedFrames(), all)
        assert.deepEqual(await run.close(), [], 'nothing is left open')
        assert.deepEqual(run.of('lost'), [])
        const found = sealedNumbers(dataDir)
        for (const [family, count] of counts) assert.deepEqual(found.get(family), upTo(count), family)
        assert.equal(disk.openFiles, 0, 'no descriptor is left behind')
        assert.deepEqual(rawFiles(dataDir).filter(path => !/\.jsonl\.zst$|\.json$/.test(path)), []) // prettier-ignore
      },
    ),
    { numRuns: 40 },
  )
})

t.test('a frame that is no JSON was told again at each try to write it', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  const run = new StoreRun(storeOptions(dataDir), disk)
  const lines = new LineBatch({ channel: 'quote' }, SLOT_FROM_US, SLOT_TO_US, Buffer.allocUnsafeSlow(BATCH_BYTES))
  const head = new LineHead('d1')
  for (const [n, frame] of ['{"n":1}', 'no JSON', '{"half":}'].entries())
    lines.add(SLOT_FROM_US + n, head, n + 1, Buffer.from(frame))
  const { bytes, spans } = lines.take()
  const batch: Append = {
    ...{
      type: 'append',
      channel: 'quote',
      group: 'channel=quote',
      slotFromUs: SLOT_FROM_US,
      slotToUs: SLOT_TO_US,
      frames: 3,
      bytes,
      spans,
    },
    ...{ firstRecvUs: lines.firstRecvUs, lastRecvUs: lines.lastRecvUs },
  }
  disk.failing.set('write', 'EIO')
  run.store.handle(batch)
  await until('it failed again and again', () => {
    run.store.handle({ type: 'tryNow' })
    return run.of('failed').length >= 3
  })
  t.equal(run.of('odd').length, 0)
  disk.failing.clear()
  await until('it is stored', () => {
    run.store.handle({ type: 'tryNow' })
    return run.storedFrames() === 3
  })
  matchAll(t, run.of('odd'), [{ channel: 'quote', encoding: 'text', frames: 2, broken: [{ head: '{"half":}' }] }])
  t.same(await run.close(), [])
})
