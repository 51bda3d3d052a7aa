/** A long segment is sealed with a table as large as its lines need, and holds the same lines with either. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lineHead } from '../../formats/raw-line.js'
import { withState } from '../../formats/raw-path.js'
import { parseZstdFrameHead } from '../../formats/zstd-frame.js'
import { localDisk } from '../../platform/disk.js'
import { atOnce } from '../../platform/disk-steps.js'
import { compressBound, frameCompressor, SEAL_LEVEL, SEAL_SEARCH, type Search } from '../../platform/zstd.js'
import { ASKED_FROM_BYTES, SAMPLE_BYTES, searchFor } from '../../recorder/storage/seal-reach.js'
import { sealSegment } from '../../recorder/storage/seal-segment.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { FIRST_RECV_US, SEGMENT_NAME, sealedLines } from '../fixtures/segments.js'

/** What is said of an instrument each time, alike to that of no other. */
const stateOf = (index: number) => createHash('sha512').update(`${index}`).digest('base64').repeat(4)

/** Lines of so many instruments in turns: of each a state of so many bytes, and prices below `dearest`. */
function linesOf(instruments: number, stateBytes: number, dearest: number): string[] {
  const states = Array.from({ length: instruments }, (_, index) => stateOf(index).slice(0, stateBytes))
  const lines: string[] = []
  let chance = 1
  const drawn = (below: number) => {
    chance = (Math.imul(chance, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((chance / 2 ** 32) * below)
  }
  for (let seq = 1, made = 0; made < ASKED_FROM_BYTES; seq++) {
    const index = seq % instruments
    const prices = `"bid":${drawn(dearest)},"ask":${drawn(dearest)}`
    const frame = `{"channel":"quote.${index}","state":"${states[index] ?? ''}",${prices}}`
    const line = `${lineHead(FIRST_RECV_US + seq, `d${1 + (seq % 3)}`, seq, 'frame')}${frame}}`
    made += line.length + 1
    lines.push(line)
  }
  return lines
}

const textOf = (lines: readonly string[]) => Buffer.from(`${lines.join('\n')}\n`)
const sampleOf = (lines: readonly string[]) => textOf(lines).subarray(0, SAMPLE_BYTES)

/** In one piece, as any other program would. */
function sealedBytes(lines: readonly string[], search: Search): number {
  const text = textOf(lines)
  return frameCompressor(SEAL_LEVEL, search).compress2(Buffer.alloc(compressBound(text.length)), text)
}

const VERY_NEAR = linesOf(60, 20, 1e4)
const NEAR = linesOf(10, 20, 1e7)
const FAR = linesOf(400, 200, 1e7)

t.test('a few instruments do with a small table, hundreds that repeat themselves need the large one', t => {
  const [veryNear, near, far] = [VERY_NEAR, NEAR, FAR].map(lines => searchFor(sampleOf(lines)))
  if (!veryNear || !near || !far) throw new Error('three were asked for')
  t.strictSame(far, SEAL_SEARCH)
  t.ok(near.hashLog < far.hashLog && near.searchLog === far.searchLog, 'a small table')
  t.ok(veryNear.hashLog < far.hashLog && veryNear.searchLog < far.searchLog, 'and fewer places')
  t.ok(sealedBytes(VERY_NEAR, veryNear) <= 1.01 * sealedBytes(VERY_NEAR, far), 'which costs no size')
  t.ok(sealedBytes(NEAR, near) <= 1.01 * sealedBytes(NEAR, far), 'nor here')
  t.ok(sealedBytes(FAR, near) > 2 * sealedBytes(FAR, far), 'where it would')
  t.end()
})

t.test('bytes that repeat nothing are no reason to fail', t => {
  const sample = Buffer.alloc(SAMPLE_BYTES)
  for (let at = 0; at < sample.length; at += 64) createHash('sha512').update(`${at}`).digest().copy(sample, at)
  t.ok(searchFor(sample).hashLog <= SEAL_SEARCH.hashLog)
  t.end()
})

for (const [what, lines] of [
  ['very near', VERY_NEAR],
  ['near', NEAR],
  ['far', FAR],
  ['near, and too few to be asked', NEAR.slice(0, 5000)],
] as const) {
  t.test(`lines that repeat what is ${what}, sealed`, t => {
    const dataDir = t.testdir()
    const writer = new SegmentWriter(localDisk, dataDir, SEGMENT_NAME, Infinity)
    for (let at = 0; at < lines.length; at += 700) {
      const own = lines.slice(at, at + 700)
      const span = { firstRecvUs: FIRST_RECV_US + at + 1, lastRecvUs: FIRST_RECV_US + at + own.length }
      writer.append({ bytes: textOf(own), frames: own.length, ...span })
    }
    writer.close()
    const { path } = writer
    const openBytes = statSync(join(dataDir, path)).size
    const rawBytes = textOf(lines).length
    const options = { disk: localDisk, dataDir, path, level: SEAL_LEVEL, gaps: [], rawBytes }
    const outcome = atOnce(localDisk, sealSegment(options))
    if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
    const bytes = readFileSync(join(dataDir, withState(path, 'sealed')))
    t.ok(sealedLines(dataDir, outcome.path).join('\n') === lines.join('\n'), 'the same lines')
    t.equal(parseZstdFrameHead(bytes)?.contentBytes, rawBytes)
    t.ok(bytes.length <= openBytes, `${bytes.length} bytes, ${openBytes} when it was open`)
    const search = rawBytes < ASKED_FROM_BYTES ? SEAL_SEARCH : searchFor(sampleOf(lines))
    // In pieces it finds a little less than in one.
    const ratio = bytes.length / sealedBytes(lines, search)
    t.ok(Math.abs(ratio - 1) < 0.005, `${ratio} of what it should be`)
    const seqs = (conn: number) => lines.flatMap((_, index) => ((index + 1) % 3 === conn - 1 ? [index + 1] : []))
    t.match(outcome.manifest, {
      frames: lines.length,
      bytes_raw: rawBytes,
      bytes_compressed: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      md5: createHash('md5').update(bytes).digest('hex'),
      first_recv_us: FIRST_RECV_US + 1,
      last_recv_us: FIRST_RECV_US + lines.length,
    })
    for (const conn of [1, 2, 3]) {
      const own = seqs(conn)
      const expected = { frames: own.length, first_seq: own[0], last_seq: own.at(-1) }
      t.strictSame(outcome.manifest.connections[`d${conn}`], expected)
    }
    t.end()
  })
}
