/** What the heads of zstd frames and their blocks tell, and what is left of a segment that was torn anywhere. */
import assert from 'node:assert/strict'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { decodedLines, decodeSegment } from '../../formats/decode-segment.js'
import { firstFrameFrom } from '../../formats/first-frame.js'
import { lineHead } from '../../formats/raw-line.js'
import { scanSegment, type SegmentScan } from '../../formats/segment-scan.js'
import { SLACK_US } from '../../formats/segment-span.js'
import { blockEnds, parseZstdFrameHead, zstdFrameStarts } from '../../formats/zstd-frame.js'
import { EndDirective, frameCompressor } from '../../platform/zstd.js'
import { seeded } from '../fixtures/dice.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { holds } from '../fixtures/holds.js'

const folder = memoryFolder(t)

/** One zstd frame whose blocks end where each of the texts does; it is ended or not. */
function frameOf(texts: readonly Buffer[], isEnded = true): Buffer {
  const context = frameCompressor(1)
  const output = Buffer.alloc(4096 + 2 * texts.reduce((sum, { length }) => sum + length, 0))
  let length = 0
  for (const [at, text] of texts.entries()) {
    const how = isEnded && at === texts.length - 1 ? EndDirective.end : EndDirective.flush
    length += context.compressStream2(output.subarray(length), text, how)[1]
  }
  return Buffer.from(output.subarray(0, length))
}

function atFile<T>(bytes: Buffer, look: (fd: number, path: string) => T): T {
  const path = join(folder, 'file.jsonl.zst.open')
  writeFileSync(path, bytes)
  const fd = openSync(path, 'r')
  try {
    return look(fd, path)
  } finally {
    closeSync(fd)
  }
}

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 200 }).map(text => Buffer.from(text)),
  // One that compresses to a block of one byte said often, and one that does not compress.
  fc
    .tuple(fc.constantFrom(7, 65), fc.integer({ min: 1, max: 300_000 }))
    .map(([byte, length]) => Buffer.alloc(length, byte)),
  fc.uint8Array({ minLength: 1, maxLength: 3000 }).map(bytes => Buffer.from(bytes)),
)
const texts = fc.array(text, { minLength: 1, maxLength: 5 })

t.test('frames of any content begin where the one before ends, and a torn one is counted by its head', t => {
  holds(
    t,
    fc.property(fc.array(texts, { minLength: 1, maxLength: 5 }), fc.nat(), (frames, cut) => {
      const parts = frames.map(texts => frameOf(texts))
      const ends: number[] = []
      for (const { length } of parts) ends.push((ends.at(-1) ?? 0) + length)
      const whole = Buffer.concat(parts)
      const starts = [0, ...ends.slice(0, -1)]
      assert.deepEqual(atFile(whole, zstdFrameStarts), starts)
      const at = cut % whole.length
      const begun = starts.filter(start => start < at)
      const found = atFile(whole.subarray(0, at), zstdFrameStarts)
      // Of the last one there may be too little to know it for one.
      assert.ok(found.length >= begun.length - 1 && found.length <= begun.length, `${found.join()} of ${begun.join()}`)
      assert.deepEqual(found, begun.slice(0, found.length))
      assert.deepEqual(atFile(Buffer.concat([whole, Buffer.from('none of ours')]), zstdFrameStarts), starts)
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('a frame in progress is whole at the end of each of its blocks and nowhere else', t => {
  holds(
    t,
    fc.property(texts, fc.nat(), (texts, cut) => {
      const frame = frameOf(texts, false)
      const ends = [...blockEnds(frame)]
      assert.equal(ends[0], parseZstdFrameHead(frame)?.length)
      assert.equal(ends.at(-1), frame.length)
      for (const [at, text] of texts.entries()) {
        const upTo = frameOf(texts.slice(0, at + 1), false).length
        assert.ok(ends.includes(upTo), `the ${at + 1}. text of ${text.length} bytes`)
      }
      const at = cut % frame.length
      assert.deepEqual(
        [...blockEnds(frame.subarray(0, at))],
        at < 6 ? [] : ends.filter(end => end <= at),
        `cut at ${at}`,
      )
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('a head says how long the content is where the writer knew it', t => {
  // All lengths at which the head spells it in another number of bytes.
  for (const length of [0, 1, 255, 256, 257, 65_535, 65_536, 65_791, 65_792, 70_000, 2 ** 20]) {
    const target = Buffer.alloc(4096)
    const frame = target.subarray(0, frameCompressor(9).compress2(target, Buffer.alloc(length, 'x')))
    t.match(parseZstdFrameHead(frame), { hasChecksum: true, contentBytes: length })
    for (let at = 0; at < 6; at++) t.equal(parseZstdFrameHead(frame.subarray(0, at)), undefined)
  }
  t.equal(parseZstdFrameHead(frameOf([Buffer.from('x')], false))?.contentBytes, undefined, 'one in progress')
  for (const bytes of ['', '28b52f', '28b52ffd', '28b52ffd04', '502a4d1800000000', '7b22726563765f7573'])
    t.equal(parseZstdFrameHead(Buffer.from(bytes, 'hex')), undefined, bytes)
  t.equal(parseZstdFrameHead(Buffer.from('28b52ffd6400', 'hex')), undefined, 'cut within its size')
  t.same(parseZstdFrameHead(Buffer.from('28b52ffd640000', 'hex')), { length: 7, hasChecksum: true, contentBytes: 256 })
  t.end()
})

interface Line {
  recvUs: number
  conn: string
  seq: number
  bytes: Buffer
}

const BASE_US = 1_700_000_000_000_000

/** Lines as a recorder writes them: each connection counts, times mostly go on. */
const lines = fc
  .array(
    fc.record({
      us: fc.integer({ min: 0, max: 40_000_000 }),
      conn: fc.constantFrom('d1', 'd2', 'http'),
      frame: fc.json({ maxDepth: 1 }),
      isText: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((drawn): Line[] => {
    const seqs = new Map<string, number>()
    let recvUs = BASE_US
    return drawn.map(({ us, conn, frame, isText }) => {
      recvUs += us
      const seq = (seqs.get(conn) ?? 0) + 1
      seqs.set(conn, seq)
      const payload = isText ? JSON.stringify(frame) : frame
      const bytes = Buffer.from(`${lineHead(recvUs, conn, seq, isText ? 'text' : 'frame')}${payload}}\n`)
      return { recvUs, conn, seq, bytes }
    })
  })

/** The lines in zstd frames of several blocks each. */
function segmentOf(lines: readonly Line[], perBlock: number, perFrame: number, isEnded: boolean): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < lines.length; at += perFrame) {
    const own = lines.slice(at, at + perFrame)
    const blocks: Buffer[] = []
    for (let from = 0; from < own.length; from += perBlock)
      blocks.push(Buffer.concat(own.slice(from, from + perBlock).map(({ bytes }) => bytes)))
    // A frame is flushed at the end of each batch, and ended with nothing more.
    const isLast = at + perFrame >= lines.length
    parts.push(frameOf(isEnded || !isLast ? [...blocks, Buffer.alloc(0)] : blocks, isEnded || !isLast))
  }
  return Buffer.concat(parts)
}

function factsOf(lines: readonly Line[]): SegmentScan['facts'] {
  const connections: SegmentScan['facts']['connections'] = {}
  for (const { conn, seq } of lines) {
    const { first_seq: first = seq, frames = 0 } = connections[conn] ?? {}
    connections[conn] = { frames: frames + 1, first_seq: first, last_seq: seq }
  }
  return {
    frames: lines.length,
    bytes_raw: lines.reduce((sum, { bytes }) => sum + bytes.length, 0),
    first_recv_us: lines[0]?.recvUs ?? 0,
    last_recv_us: lines.at(-1)?.recvUs ?? 0,
    connections,
  }
}

function scan(path: string, to?: number): SegmentScan {
  const scanning = scanSegment(path, to)
  for (;;) {
    const step = scanning.next()
    if (step.done) return step.value
  }
}

const layout = fc.record({
  perBlock: fc.integer({ min: 1, max: 6 }),
  perFrame: fc.integer({ min: 1, max: 20 }),
  isEnded: fc.boolean(),
})
/** What may stand behind a cut: nothing, zeros of a disk that lost power, or anything. */
const litter = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.nat({ max: 5000 }).map(length => Buffer.alloc(length)),
  fc.uint8Array({ maxLength: 50 }).map(bytes => Buffer.from(bytes)),
)

t.test(
  'of a segment torn anywhere, whatever stands behind it, all that was flushed is found and nothing is made up',
  t => {
    holds(
      t,
      fc.property(lines, layout, fc.nat(), litter, (lines, { perBlock, perFrame, isEnded }, cut, litter) => {
        const whole = segmentOf(lines, perBlock, perFrame, isEnded)
        const at = cut % (whole.length + 1)
        const bytes = Buffer.concat([whole.subarray(0, at), litter])
        const { facts, decode } = atFile(bytes, (_fd, path) => scan(path))
        assert.deepEqual(facts, factsOf(lines.slice(0, facts.frames)), 'the leading lines')
        let flushed = 0
        for (let frames = perFrame, done = 0; done < lines.length; done += perFrame, frames += perFrame)
          for (let upTo = done + 1; upTo <= Math.min(frames, lines.length); upTo++) {
            const isBlock = (upTo - done) % perBlock === 0 || upTo === Math.min(frames, lines.length)
            const end = isBlock ? segmentOf(lines.slice(0, upTo), perBlock, perFrame, false).length : Infinity
            if (end <= at) flushed = upTo
          }
        assert.ok(facts.frames >= flushed, `${facts.frames} lines of ${flushed} flushed`)
        assert.ok(decode.wholeBytes <= decode.flushedBytes && decode.flushedBytes <= bytes.length)
        const read = atFile(bytes, (_fd, path) => [...decodedLines(path)])
        assert.deepEqual(
          read.slice(0, facts.frames).map(line => line.toString()),
          lines.slice(0, facts.frames).map(({ bytes }) => bytes.toString().slice(0, -1)),
        )
      }),
      { numRuns: 60 },
    )
    t.end()
  },
)

t.test('of a frame larger than is read at once, all that was flushed comes once, whatever stands behind it', t => {
  // It does not compress, so that its blocks fill more than one read.
  const random = seeded(7)
  const blocks = Array.from({ length: 40 }, () =>
    Buffer.from(Array.from({ length: 70_000 }, () => Math.floor(256 * random()))),
  )
  const frame = frameOf(blocks, false)
  for (const litter of [Buffer.alloc(0), Buffer.alloc(9000, 0xff), frameOf([Buffer.from('x')])]) {
    const parts: Buffer[] = []
    const flushed = atFile(Buffer.concat([frame, litter]), (_fd, path) => {
      const decoding = decodeSegment(path)
      for (;;) {
        const next = decoding.next()
        if (next.done) return next.value.flushedBytes
        parts.push(Buffer.from(next.value.bytes))
      }
    })
    t.ok(Buffer.concat(parts).equals(Buffer.concat(blocks)), `${litter.length} bytes behind it`)
    t.equal(flushed, frame.length)
  }
  t.end()
})

t.test('what lies behind an offset does not count, as if the file ended there', t => {
  holds(
    t,
    fc.property(lines, layout, fc.nat(), (lines, { perBlock, perFrame }, cut) => {
      const whole = segmentOf(lines, perBlock, perFrame, false)
      const at = cut % (whole.length + 1)
      const bounded = atFile(whole, (_fd, path) => scan(path, at))
      const short = atFile(whole.subarray(0, at), (_fd, path) => scan(path))
      assert.deepEqual(bounded.facts, short.facts)
      assert.deepEqual(bounded.decode.wholeBytes, short.decode.wholeBytes)
    }),
    { numRuns: 40 },
  )
  t.end()
})

t.test('read from the frame that a time leads to, no line of that time or later is passed over', t => {
  holds(
    t,
    fc.property(lines, layout, fc.integer({ min: -200, max: 1800 }), (lines, { perBlock, perFrame, isEnded }, s) => {
      const bytes = segmentOf(lines, perBlock, perFrame, isEnded)
      const fromUs = BASE_US + s * 1_000_000
      const read = atFile(bytes, (_fd, path) => {
        const from = firstFrameFrom(path, fromUs)
        const parts: Buffer[] = []
        for (const { bytes } of decodeSegment(path, from)) parts.push(Buffer.from(bytes))
        return Buffer.concat(parts).toString()
      })
      const asked = lines.filter(({ recvUs }) => recvUs >= fromUs - SLACK_US)
      assert.ok(read.endsWith(asked.map(({ bytes }) => bytes.toString()).join('')))
      // Nor are more frames read than the one in which it may begin.
      const needless = read.split('\n').length - 1 - asked.length
      assert.ok(needless <= perFrame, `${needless} lines before it`)
    }),
    { numRuns: 60 },
  )
  t.end()
})
