import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeSegment } from '../../formats/decode-segment.js'
import { segmentFrames } from '../../reader/segment-frames.js'
import { localDisk, type Disk } from '../../platform/disk.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { FIRST_RECV_US, quoteLine, seal, sealedLines, SEGMENT_NAME } from '../fixtures/segments.js'

const SPAN = { frames: 1, firstRecvUs: FIRST_RECV_US, lastRecvUs: FIRST_RECV_US }
/** No frame ends by its age. */
const FRAME_MS = 3_600_000

const begin = (dataDir: string, disk: Disk) => new SegmentWriter(disk, dataDir, SEGMENT_NAME, Infinity, FRAME_MS)
const add = (writer: SegmentWriter, n: number) =>
  writer.append({ ...SPAN, bytes: new Uint8Array(Buffer.from(`${quoteLine(n)}\n`)) })
const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1)

function decoded(file: string) {
  const decoder = decodeSegment(file)
  const parts: Buffer[] = []
  for (;;) {
    const next = decoder.next()
    if (next.done) return { text: Buffer.concat(parts).toString(), ...next.value }
    parts.push(Buffer.from(next.value.bytes))
  }
}

/** The disk is full at the write of these numbers, of which it takes a few bytes. */
function fullAt(...writes: number[]): Disk {
  let count = 0
  let refusing = false
  return {
    ...localDisk,
    write: (fd, bytes) => {
      if (!refusing && !writes.includes(++count)) return localDisk.write(fd, bytes)
      refusing = !refusing
      if (refusing) return localDisk.write(fd, bytes.subarray(0, 3))
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    },
  }
}

t.test('lines of a zstd frame that is not ended are readable at once, and nothing is said to be torn', t => {
  const dataDir = t.testdir({})
  const writer = begin(dataDir, localDisk)
  const file = join(dataDir, writer.path)
  for (const n of numbers(5)) {
    add(writer, n)
    t.equal(
      decoded(file).text,
      numbers(n)
        .map(n => `${quoteLine(n)}\n`)
        .join(''),
      `${n} lines`,
    )
    t.equal(decoded(file).flushedBytes, writer.holds.compressedBytes)
  }
  t.ok(decoded(file).wholeBytes < writer.holds.compressedBytes, 'its frame is not ended')
  const torn: string[] = []
  const read = () => [...segmentFrames(file, SEGMENT_NAME, { torn: why => torn.push(why) })].flat().length
  t.equal(read(), 5)
  t.same(torn, [])
  writeFileSync(file, readFileSync(file).subarray(0, -1))
  t.equal(read(), 4)
  t.equal(torn.length, 1, 'a block that is cut is torn')
  writer.close()
  t.end()
})

t.test('a segment that was left with a frame not ended is sealed with all its lines, and nothing was cut', t => {
  const dataDir = t.testdir({})
  const writer = begin(dataDir, localDisk)
  for (const n of numbers(5)) add(writer, n)
  writer.close()
  const outcome = seal(dataDir, writer.path)
  if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
  t.same(sealedLines(dataDir, outcome.path), numbers(5).map(quoteLine))
  t.equal(outcome.manifest.recovered, undefined)
  t.end()
})

for (const writes of [[1], [3], [3, 4], [5]]) {
  t.test(`a disk that is full at write ${writes.join(' and ')}: the frame gets its end, and others follow`, t => {
    const dataDir = t.testdir({})
    const writer = begin(dataDir, fullAt(...writes))
    let refused = 0
    for (const n of numbers(6)) {
      for (;;) {
        try {
          add(writer, n)
          break
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('ENOSPC')) throw error
          refused++
        }
      }
    }
    writer.park()
    const file = join(dataDir, writer.path)
    t.equal(refused, writes.length)
    const { text, fault, wholeBytes } = decoded(file)
    t.equal(
      text,
      numbers(6)
        .map(n => `${quoteLine(n)}\n`)
        .join(''),
    )
    t.equal(fault, undefined, 'every checksum fits')
    t.equal(wholeBytes, writer.holds.compressedBytes)
    t.end()
  })
}

t.test('a segment whose name was removed goes on in a copy, its frame not ended', t => {
  const dataDir = t.testdir({})
  const writer = begin(dataDir, localDisk)
  for (const n of numbers(3)) add(writer, n)
  const name = { ...SEGMENT_NAME, number: SEGMENT_NAME.number + 1 }
  const copy = new SegmentWriter(localDisk, dataDir, name, Infinity, FRAME_MS)
  writer.copyTo(copy)
  for (const n of [4, 5]) add(copy, n)
  copy.park()
  const { text, fault } = decoded(join(dataDir, copy.path))
  t.equal(
    text,
    numbers(5)
      .map(n => `${quoteLine(n)}\n`)
      .join(''),
  )
  t.equal(fault, undefined)
  t.end()
})
