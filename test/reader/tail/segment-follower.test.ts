import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { compress } from 'zstd-napi'
import { lineHead } from '../../../formats/raw-line.js'
import { segmentPath } from '../../../formats/raw-path.js'
import { SegmentFollower } from '../../../reader/tail/segment-follower.js'
import { TreeWatch } from '../../../reader/tail/tree-watch.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { holds } from '../../fixtures/holds.js'

const root = memoryFolder(t)
const name = { exchange: 'deribit', channel: 'quote', startedMs: 1_790_000_000_000, host: 'h', run: 'r1', number: 1 }
const [open, sealed] = [join(root, segmentPath(name, 'open')), join(root, segmentPath(name, 'sealed'))]
mkdirSync(dirname(open), { recursive: true })

const lineOf = (seq: number, size: number) => `${lineHead(name.startedMs * 1000 + seq, 'd1', seq, 'frame')}{"a":"${'x'.repeat(size)}"}}\n` // prettier-ignore

/** What becomes of an append, and when somebody looks. */
const append = fc.record({
  sizes: fc.array(fc.oneof(fc.nat({ max: 40 }), fc.constant(200_000)), { minLength: 1, maxLength: 6 }),
  /** The disk takes some of it first, or something else; it is taken back, and done again. */
  fails: fc.constantFrom('no', 'no', 'part', 'noise'),
  at: fc.nat(),
  looks: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  /** A line on its own that is none of ours. */
  hasStranger: fc.nat({ max: 9 }).map(chance => chance === 0),
})

t.test('each line is given once, whole and in order, however it came onto the disk', t => {
  holds(
    t,
    fc.property(fc.array(append, { maxLength: 8 }), fc.nat(), (appends, sealsAfter) => {
      writeFileSync(open, '')
      rmSync(sealed, { force: true })
      const follower = new SegmentFollower(open, name)
      const seen: number[] = []
      const look = () => {
        for (const frames of follower.drain())
          for (const { seq, line } of frames) {
            assert.ok(line.toString().endsWith('"}}'), 'a whole line')
            seen.push(seq)
          }
      }
      let [seq, bytes] = [0, 0]
      try {
        for (const { sizes, fails, at, looks, hasStranger } of appends) {
          const lines = sizes.map(size => lineOf(++seq, size))
          if (hasStranger) lines.push('none of ours\n')
          const frame = compress(Buffer.from(lines.join('')))
          if (looks[0]) look()
          if (fails !== 'no') {
            appendFileSync(
              open,
              fails === 'part' ? frame.subarray(0, at % frame.length) : Buffer.alloc(1 + (at % 50), 0xa7),
            )
            if (looks[1]) look()
            truncateSync(open, bytes)
          }
          appendFileSync(open, frame)
          bytes += frame.length
          if (looks[2]) look()
        }
        assert.ok(!follower.isOver)
        // Sealing puts one frame with the same lines in its place.
        if (sealsAfter % 2 === 0) renameSync(open, sealed)
        look()
        assert.deepEqual(
          seen,
          Array.from({ length: seq }, (_, index) => index + 1),
        )
        assert.equal(follower.isOver, sealsAfter % 2 === 0)
      } finally {
        follower.close()
      }
    }),
    { numRuns: 80 },
  )
  t.end()
})

t.test('who begins to follow what was sealed meanwhile gets its lines all the same', t => {
  for (const path of [open, sealed]) rmSync(path, { force: true })
  const follower = new SegmentFollower(open, name)
  t.same([...follower.drain()], [], 'neither is there')
  writeFileSync(sealed, compress(Buffer.from(lineOf(1, 3) + lineOf(2, 3))))
  t.equal([...follower.drain()].flat().length, 2)
  t.same([...follower.drain()], [])
  t.ok(follower.isOver)
  follower.close()
  follower.close()
  t.end()
})

const NEVER_MS = 60_000

t.test('a change that comes while nobody waits is not missed, and the next wait sleeps', async t => {
  const folder = t.testdir({ a: {} })
  const watch = new TreeWatch()
  watch.listen(new Set([join(folder, 'a'), join(folder, 'gone')]))
  t.ok(watch.takeNews(), 'what came before it was listened to is news')
  t.notOk(watch.takeNews())
  await watch.change(undefined, NEVER_MS)
  writeFileSync(join(folder, 'a/new'), '')
  await watch.change(undefined, NEVER_MS)
  while (!watch.takeNews()) await watch.change(undefined, NEVER_MS)
  t.pass('a name that came is news')
  const stop = new AbortController()
  const waiting = watch.change(stop.signal, NEVER_MS)
  stop.abort()
  await waiting
  await watch.change(stop.signal, NEVER_MS)
  t.pass('a signal ends a wait, also one that was given before it')
  watch.close()
  await watch.change(undefined, 1)
})
