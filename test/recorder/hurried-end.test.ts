import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeLines, batches } from '../../bench/segments/made-lines.js'
import { localDisk } from '../../platform/disk.js'
import { atOnce } from '../../platform/disk-steps.js'
import { QUICK_SEAL_LEVEL } from '../../platform/zstd.js'
import { sealSegment } from '../../recorder/storage/seal-segment.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { FIRST_RECV_US, SEGMENT_NAME } from '../fixtures/segments.js'
import { batchOf, storeOptions, StoreRun } from '../fixtures/store-run.js'

const LINES = 20_000
/** A zstd frame of an open segment, in lines. */
const PER_FRAME = 600

for (const family of ['book', 'ticker', 'quote', 'trades'] as const) {
  t.test(`a segment of ${family} that is sealed in no time is no larger than it was open`, t => {
    const dataDir = t.testdir({})
    const writer = new SegmentWriter(localDisk, dataDir, SEGMENT_NAME, Infinity)
    const span = { firstRecvUs: FIRST_RECV_US, lastRecvUs: FIRST_RECV_US }
    for (const lines of batches(makeLines(family, LINES, 1700), PER_FRAME, Infinity))
      writer.append({ ...span, frames: lines.length, bytes: new Uint8Array(Buffer.concat(lines)) })
    writer.park()
    const openBytes = statSync(join(dataDir, writer.path)).size
    const options = { disk: localDisk, dataDir, path: writer.path, level: QUICK_SEAL_LEVEL, gaps: [] }
    const outcome = atOnce(localDisk, sealSegment(options))
    if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
    const sealedBytes = outcome.manifest.bytes_compressed
    t.ok(sealedBytes <= openBytes, `${sealedBytes} of ${openBytes} bytes`)
    t.end()
  })
}

t.test('a stop in the middle of a seal leaves the open segment, and no copy in the making beside it', async t => {
  const dataDir = t.testdir({})
  let begun = false
  const run: StoreRun = new StoreRun(storeOptions(dataDir), {
    ...localDisk,
    open: (path, how) => {
      if (path.endsWith('.rewriting')) {
        begun = true
        run.store.handle({ type: 'close', withinMs: 0 })
      }
      return localDisk.open(path, how)
    },
  })
  run.store.handle(batchOf('trades', 1, LINES))
  await run.until('it is stored', () => run.storedFrames() === LINES)
  run.store.handle({ type: 'sealAll', withinMs: 20_000 })
  await run.until('it ended', () => run.of('closed').length > 0)
  t.ok(begun)
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter(path => path.includes('.jsonl.zst'))
  t.equal(files.length, 1, files.join(' '))
  t.ok(files[0]?.endsWith('.jsonl.zst.open'))
})
