/** From lines to the file they stand in, while the disk refuses now and then: all that was taken is there, once. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { decodeSegment } from '../../formats/decode-segment.js'
import { LineHead, lineHead } from '../../formats/raw-line.js'
import { BATCH_BYTES, LineBatch } from '../../recorder/line-batch.js'
import { OpenWriters } from '../../recorder/storage/open-writers.js'
import { Room } from '../../recorder/storage/room.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { FailingDisk } from '../fixtures/failing-disk.js'
import { FIRST_RECV_US, quoteLine, seal, sealedLines, SEGMENT_NAME } from '../fixtures/segments.js'
import { holds } from '../fixtures/holds.js'

/** What it did is not to outlive a power cut: a sync takes longer than all else. */
class QuickDisk extends FailingDisk {
  override sync(): void {
    if (this.failing.has('sync')) throw Object.assign(new Error('EIO: sync'), { code: 'EIO' })
  }
  override syncFolder(): void {
    // As `sync`.
  }
}

function textIn(file: string): string {
  const pieces: Buffer[] = []
  for (const { bytes } of decodeSegment(file)) pieces.push(Buffer.from(bytes))
  return Buffer.concat(pieces).toString()
}

const step = fc.oneof(
  fc.record({ do: fc.constant('append' as const), lines: fc.integer({ min: 1, max: 5 }), fails: fc.constantFrom('', '', 'at once', 'half') }),
  fc.record({ do: fc.constantFrom('park' as const, 'endFrame' as const, 'sync' as const) }),
) // prettier-ignore

t.test('whatever the disk refuses, a segment holds the lines that were taken, readable at every moment', t => {
  const root = t.testdir()
  let run = 0
  holds(t, fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 3_600_000), (steps, frameMs) => {
      const dataDir = join(root, `run${run++}`)
      mkdirSync(dataDir)
      const disk = new QuickDisk()
      const writer = new SegmentWriter(disk, dataDir, SEGMENT_NAME, Infinity, frameMs)
      const taken: string[] = []
      let next = 1
      for (const one of steps) {
        if (one.do === 'append') {
          const numbers = Array.from({ length: one.lines }, (_, n) => next + n)
          const lines = numbers.map(n => `${quoteLine(n)}\n`)
          const span = { firstRecvUs: FIRST_RECV_US + next, lastRecvUs: FIRST_RECV_US + next + lines.length - 1 }
          const append = () => writer.append({ bytes: new Uint8Array(Buffer.from(lines.join(''))), frames: lines.length, ...span })
          if (one.fails !== '') {
            disk.takesHalf = one.fails === 'half'
            disk.failing.set('write', 'ENOSPC')
            assert.throws(append, { code: 'ENOSPC' })
            disk.failing.clear()
            assert.equal(textIn(join(dataDir, writer.path)), taken.join(''), 'none of them counts')
          }
          append()
          taken.push(...lines)
          next += lines.length
        } else writer[one.do]()
        assert.equal(textIn(join(dataDir, writer.path)), taken.join(''))
        assert.equal(statSync(join(dataDir, writer.path)).size, writer.holds.compressedBytes)
      }
      assert.ok(!writer.isTorn)
      assert.equal(writer.holds.frames, taken.length)
      writer.close()
      if (taken.length === 0) return
      seal(dataDir, writer.path)
      const path = writer.path.replace(/\.open$/, '')
      assert.deepEqual(sealedLines(dataDir, path), taken.map(line => line.slice(0, -1)))
      const manifest = join(dataDir, path.replace(/\.jsonl\.zst$/, '.json'))
      assert.ok(existsSync(manifest))
    }),
    { numRuns: 40 },
  ) // prettier-ignore
  t.end()
})

t.test('a file that somebody else wrote to while it was closed is not gone on with', t => {
  const dataDir = t.testdir()
  const disk = new QuickDisk()
  const writer = new SegmentWriter(disk, dataDir, SEGMENT_NAME, Infinity)
  const lines = { bytes: new Uint8Array(Buffer.from(`${quoteLine(1)}\n`)), frames: 1, firstRecvUs: 1, lastRecvUs: 1 }
  writer.append(lines)
  writer.park()
  const fd = disk.open(join(dataDir, writer.path), 'append')
  disk.write(fd, Buffer.from('x'))
  disk.close(fd)
  t.throws(() => writer.append(lines), { code: 'SEGMENT_CHANGED' })
  t.equal(disk.openFiles, 0, 'and is not left open')
  t.end()
})

t.test('a batch is the lines of its frames, whatever these hold, and says where each stands', t => {
  const frame = fc.oneof(
    fc.json(),
    fc.string(),
    fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  )
  const line = fc.record({
    frame,
    recvUs: fc.integer({ min: 1, max: 2 ** 52 }),
    seq: fc.integer({ min: 1, max: 2 ** 40 }),
  })
  holds(t, fc.property(fc.array(line, { maxLength: 150 }), fc.integer({ min: 0, max: 2000 }), (lines, bytes) => {
      const batch = new LineBatch({ channel: 'quote' }, 0, Infinity, Buffer.allocUnsafeSlow(bytes))
      const head = new LineHead('d1')
      const wanted: Buffer[] = []
      for (const { frame, recvUs, seq } of lines) {
        const own = Buffer.from(frame as string)
        batch.add(recvUs, head, seq, own)
        wanted.push(Buffer.concat([Buffer.from(lineHead(recvUs, 'd1', seq, 'frame')), own, Buffer.from('}\n')]))
      }
      const stamps = lines.map(({ recvUs }) => recvUs)
      assert.equal(batch.frames, lines.length)
      if (lines.length > 0) {
        assert.equal(batch.firstRecvUs, Math.min(...stamps))
        assert.equal(batch.lastRecvUs, Math.max(...stamps))
      }
      const { bytes: all, spans } = batch.take()
      assert.deepEqual(Buffer.from(all), Buffer.concat(wanted))
      lines.forEach(({ frame }, n) => assert.deepEqual(Buffer.from(all.subarray(spans[2 * n], spans[2 * n + 1])), Buffer.from(frame as string)))
    }),
    { numRuns: 80 },
  ) // prettier-ignore
  t.end()
})

t.test('a batch that is mostly empty is copied, and its memory filled again without changing what was taken', t => {
  const memory = Buffer.allocUnsafeSlow(BATCH_BYTES)
  const fill = (text: string, count: number) => {
    const batch = new LineBatch({ channel: 'quote' }, 100, 200, memory)
    for (let n = 0; n < count; n++) batch.add(100 + n, new LineHead('d1'), n + 1, Buffer.from(text))
    return batch
  }
  const { bytes, reusable } = fill('{"a":1}', 3).take()
  t.equal(reusable, memory)
  const before = Buffer.from(bytes).toString()
  fill('{"b":2}', 5)
  t.equal(Buffer.from(bytes).toString(), before)
  t.equal(fill(`"${'x'.repeat(BATCH_BYTES / 2)}"`, 1).take().reusable, undefined, 'a full one is handed on itself')
  const slot = fill('1', 1)
  t.same([99, 100, 199, 200].map(us => slot.covers(us)), [false, true, true, false]) // prettier-ignore
  t.end()
})

/** What has its file open, and is closed by `park`. */
class FileOf {
  isParked = true
  parked = 0
  fails = false
  park(): void {
    if (this.fails) throw Object.assign(new Error('EIO'), { code: 'EIO' })
    this.isParked = true
    this.parked++
  }
}

const anyOne = () => true

t.test('of thousands of segments only so many files are open, those that were used last', t => {
  holds(t, fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(11), { maxLength: 60 }), (max, uses) => {
      const writers = new OpenWriters(max, anyOne, () => assert.fail('none fails'))
      const files = Array.from({ length: 12 }, () => new FileOf())
      files.forEach((file, n) => writers.set(`${n}`, file as unknown as SegmentWriter))
      for (const [at, n] of uses.entries()) {
        const file = files[n]
        assert.ok(file)
        if (file.isParked) writers.withFile(`${n}`, () => (file.isParked = false))
        writers.set(`${n}`, file as unknown as SegmentWriter)
        assert.ok(writers.openFiles <= max)
        const lately = new Set(uses.slice(0, at + 1).reverse().filter((one, place, all) => all.indexOf(one) === place).slice(0, max))
        for (const [key, one] of files.entries()) assert.equal(one.isParked, !lately.has(key), `${key} after ${at}`)
      }
      assert.equal(writers.size, 12)
    }),
    { numRuns: 100 },
  ) // prettier-ignore
  t.end()
})

t.test('one that may not be synced yet stays open, where more than so many are then, too', t => {
  const files = [new FileOf(), new FileOf(), new FileOf()]
  const waits = new Set<unknown>(files)
  const writers = new OpenWriters(
    2,
    writer => !waits.has(writer),
    () => assert.fail('none fails'),
  )
  for (const [n, file] of files.entries()) {
    file.isParked = true
    writers.set(`${n}`, file as unknown as SegmentWriter)
    writers.withFile(`${n}`, () => (file.isParked = false))
  }
  t.equal(writers.openFiles, 3)
  waits.delete(files[1])
  writers.set('3', new FileOf() as unknown as SegmentWriter)
  writers.withFile('3', () => undefined)
  t.same(
    files.map(({ isParked }) => isParked),
    [false, true, false],
  )
  t.end()
})

t.test('where the system has no more files, others are closed until it has; and one that cannot be is told', t => {
  const told: string[] = []
  const writers = new OpenWriters(100, anyOne, key => told.push(key))
  const files = ['a', 'b', 'c'].map(key => {
    const file = new FileOf()
    file.isParked = false
    writers.set(key, file as unknown as SegmentWriter)
    return file
  })
  const [first] = files
  if (first) first.fails = true
  const noFiles = (left: number) => () => {
    if (writers.openFiles > left) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' })
    return 'opened'
  }
  t.equal(writers.withFile('d', noFiles(1)), 'opened')
  t.same(told, ['a'], 'it is no longer among these')
  t.equal(writers.get('a'), undefined)
  t.same(files.map(({ isParked }) => isParked), [false, true, false]) // prettier-ignore
  t.throws(() => writers.withFile('c', noFiles(-1)), { code: 'EMFILE' }, 'none is left but its own')
  t.throws(() => writers.withFile('c', () => { throw new Error('other') }), { message: 'other' }) // prettier-ignore
  t.end()
})

/** A disk of a size, in which what is written takes room; what is kept free is real. */
class SizedDisk extends QuickDisk {
  freeBytes: number
  freeFiles = 1000
  readonly reserve: string
  constructor(freeBytes: number, reserve: string) {
    super()
    this.freeBytes = freeBytes
    this.reserve = reserve
  }
  #held = () => statSync(join(this.reserve, '0'), { throwIfNoEntry: false })?.size ?? 0
  override write(fd: number, bytes: Uint8Array): number {
    if (this.#held() + bytes.length > this.freeBytes) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    return super.write(fd, bytes)
  }
  override free(): { bytes: number; files: number } {
    return { bytes: this.freeBytes - this.#held(), files: this.freeFiles }
  }
}

t.test(
  'who holds the reserve has proof that there is room; without it the disk is full until it could be taken again',
  t => {
    const reserveFolder = join(t.testdir(), 'reserve')
    const asked: number[] = []
    const disk = new SizedDisk(500_000, reserveFolder)
    const room = new Room({ disk, reserveFolder, reserveBytes: 100_000, makeRoom: bytes => asked.push(bytes) }, 0)
    t.notOk(room.isFull)
    t.equal(disk.free().bytes, 400_000)
    t.ok(room.hasRoomFor(300_000))
    t.notOk(room.hasRoomFor(300_001), 'beside the reserve')

    room.noRoom(1000)
    t.ok(room.isFull)
    t.equal(disk.free().bytes, 500_000, 'given back, for the journal')
    t.notOk(room.hasRoomFor(1))
    disk.freeBytes = 150_000
    t.equal(room.lookAtMs, 1000)
    t.equal(room.lookAgain(1000), undefined)
    t.same(asked, [400_000], 'what may go is asked for')
    t.equal(room.lookAgain(1999), undefined)
    t.equal(asked.length, 1, 'once a second')
    disk.freeBytes = 500_000
    disk.freeFiles = 10
    t.equal(room.lookAgain(2000), undefined, 'no inodes')
    disk.freeFiles = 1000
    room.hurry()
    t.equal(room.lookAgain(2500), 1500, 'how long it was full')
    t.notOk(room.isFull)
    t.equal(room.lookAtMs, undefined)
    t.equal(disk.free().bytes, 400_000)
    t.equal(room.lookAgain(9000), undefined)
    t.end()
  },
)

t.test('a start on a disk without room is a start on a full disk; one that finds its reserve keeps it', t => {
  const reserveFolder = join(t.testdir(), 'reserve')
  const options = (freeBytes: number) => ({
    ...{ disk: new SizedDisk(freeBytes, reserveFolder), reserveFolder, reserveBytes: 100_000 },
    makeRoom: () => undefined,
  })
  t.ok(new Room(options(50_000), 0).isFull)
  t.equal(new SizedDisk(0, reserveFolder).free().bytes, 0, 'what was taken of it is given back')
  t.notOk(new Room(options(1_000_000), 0).isFull)
  t.notOk(new Room(options(50_000), 0).isFull, 'it holds it already')
  const odd = options(1_000_000)
  odd.disk.failing.set('open', 'EACCES')
  rmReserve(odd.disk, reserveFolder)
  t.notOk(new Room(odd, 0).isFull, 'what is refused for another reason is no want of room')
  t.end()
})

function rmReserve(disk: FailingDisk, folder: string): void {
  for (let n = 0; n < 8; n++) disk.remove(join(folder, `${n}`))
}
