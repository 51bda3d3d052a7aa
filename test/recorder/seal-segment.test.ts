import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { localDisk } from '../../platform/disk.js'
import { atOnce } from '../../platform/disk-steps.js'
import { parseManifest } from '../../formats/manifest.js'
import { withState } from '../../formats/raw-path.js'
import { findOpenSegments } from '../../recorder/storage/open-segments.js'
import { sealSegment } from '../../recorder/storage/seal-segment.js'
import { FIRST_RECV_US, quoteLine, seal, sealedLines, writeOpenSegment } from '../fixtures/segments.js'

const LINES = 60
const PER_FRAME = 10
const expected = (count: number) => Array.from({ length: count }, (_, index) => quoteLine(index + 1))

t.test('a sealed segment is one zstd frame with a manifest that is true', t => {
  const dataDir = t.testdir()
  const path = writeOpenSegment(dataDir, LINES, PER_FRAME)
  const outcome = seal(dataDir, path)
  if (outcome.kind !== 'sealed') throw new Error(outcome.kind)
  t.same(sealedLines(dataDir, outcome.path), expected(LINES))
  const bytes = readFileSync(join(dataDir, outcome.path))
  const manifestPath = withState(path, 'manifest')
  const manifest = parseManifest(readFileSync(join(dataDir, manifestPath), 'utf8'), manifestPath)
  t.match(manifest, {
    frames: LINES,
    bytes_raw: Buffer.byteLength(expected(LINES).join('\n')) + 1,
    bytes_compressed: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    first_recv_us: FIRST_RECV_US + 1,
    last_recv_us: FIRST_RECV_US + LINES,
    connections: { d1: { frames: LINES, first_seq: 1, last_seq: LINES } },
  })
  t.equal(manifest.recovered, undefined)
  t.same(readdirSync(join(dataDir, dirname(path))).length, 2, 'nothing else is left')
  t.end()
})

/** Recovers the damaged segment as the next start would, and gives the lines that survive. */
function recover(dataDir: string): string[] {
  return findOpenSegments(localDisk, dataDir, 'deribit', 'vps1').flatMap(path => {
    const outcome = seal(dataDir, path)
    return outcome.kind === 'sealed' ? sealedLines(dataDir, outcome.path) : []
  })
}

t.test('a tail torn at any byte costs no line of a whole zstd frame', t => {
  const dataDir = t.testdir()
  const path = writeOpenSegment(dataDir, LINES, PER_FRAME)
  const file = join(dataDir, path)
  const whole = readFileSync(file)
  const shorter = writeOpenSegment(dataDir, LINES - PER_FRAME, PER_FRAME, 2)
  const lastFrame = statSync(join(dataDir, shorter)).size
  renameSync(join(dataDir, shorter), join(dataDir, 'unused'))
  for (let length = lastFrame; length < whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length))
    const survived = recover(dataDir)
    if (survived.length < LINES - PER_FRAME) t.fail(`cut at ${length}: only ${survived.length} lines`)
    if (survived.some((line, index) => line !== quoteLine(index + 1))) t.fail(`cut at ${length}: lines changed`)
  }
  t.ok(whole.length - lastFrame > 100, `${whole.length - lastFrame} cuts`)
  t.end()
})

const damages = [
  { name: 'nothing was ever flushed', damage: (file: string) => truncateSync(file, 0), survives: 0, torn: undefined },
  {
    name: 'garbage behind the last frame',
    damage: (file: string) => appendFileSync(file, Buffer.alloc(500, 0xab)),
    survives: LINES,
    torn: 500,
  },
  {
    name: 'zeros behind the last frame',
    damage: (file: string) => appendFileSync(file, Buffer.alloc(4096)),
    survives: LINES,
    torn: 4096,
  },
  {
    name: 'only garbage',
    damage: (file: string) => writeFileSync(file, 'no zstd at all'),
    survives: 0,
    torn: undefined,
  },
  {
    name: 'a flipped bit in the last frame',
    damage: (file: string) => {
      const bytes = readFileSync(file)
      bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
      writeFileSync(file, bytes)
    },
    survives: undefined,
    torn: undefined,
  },
]

for (const { name, damage, survives, torn } of damages) {
  t.test(name, t => {
    const dataDir = t.testdir()
    const path = writeOpenSegment(dataDir, LINES, PER_FRAME)
    damage(join(dataDir, path))
    const survived = recover(dataDir)
    if (survives !== undefined) t.equal(survived.length, survives)
    else t.ok(survived.length >= LINES - PER_FRAME && survived.length <= LINES)
    t.same(survived, expected(survived.length))
    if (torn !== undefined) {
      const manifest = parseManifest(readFileSync(join(dataDir, withState(path, 'manifest')), 'utf8'), path)
      t.equal(manifest.recovered?.torn_bytes, torn, 'the manifest says what was cut')
    }
    t.same(findOpenSegments(localDisk, dataDir, 'deribit', 'vps1'), [], 'nothing stays open')
    t.end()
  })
}

t.test('garbage that holds no line is kept aside, whole', t => {
  const dataDir = t.testdir()
  const path = writeOpenSegment(dataDir, LINES, PER_FRAME)
  writeFileSync(join(dataDir, path), 'no zstd at all')
  const outcome = seal(dataDir, path)
  if (outcome.kind !== 'unreadable') throw new Error(outcome.kind)
  t.equal(readFileSync(join(dataDir, outcome.movedTo), 'utf8'), 'no zstd at all')
  t.end()
})

t.test('a seal that was cut off anywhere ends the same when it is done again', t => {
  const reference = t.testdir({ a: {}, b: {} })
  const path = writeOpenSegment(join(reference, 'a'), LINES, PER_FRAME)
  const open = readFileSync(join(reference, 'a', path))
  seal(join(reference, 'a'), path)
  const sealed = readFileSync(join(reference, 'a', withState(path, 'sealed')))
  const manifest = readFileSync(join(reference, 'a', withState(path, 'manifest')))
  const moments = [
    { name: 'rewriting', files: { open, rewriting: sealed.subarray(0, 50) } },
    { name: 'rewritten', files: { open, rewriting: sealed } },
    { name: 'manifest written', files: { open, rewriting: sealed, manifest } },
    { name: 'manifest of something else', files: { open, manifest: Buffer.from('{"format_version":1}') } },
    { name: 'manifest of another segment', files: { open, manifest: otherManifest(manifest, { number: 7 }) } },
    { name: 'manifest from when it was shorter', files: { open, manifest: otherManifest(manifest, { frames: 10 }) } },
    { name: 'manifest of as many bytes', files: { open, manifest: otherManifest(manifest, sizeOf(open)) } },
    { name: 'manifest cut off', files: { open, manifest: manifest.subarray(0, 100) } },
    { name: 'empty manifest', files: { open, rewriting: sealed, manifest: Buffer.alloc(0) } },
    { name: 'open file replaced', files: { open: sealed, manifest } },
  ]
  for (const { name, files } of moments) {
    const dataDir = join(reference, 'b')
    writeOpenSegment(dataDir, 1, 1)
    for (const [state, bytes] of Object.entries(files))
      writeFileSync(join(dataDir, withState(path, state as keyof typeof files)), bytes)
    t.same(recover(dataDir), expected(LINES), name)
    t.same(readFileSync(join(dataDir, withState(path, 'sealed'))), sealed, `${name}: same bytes`)
    t.same(readFileSync(join(dataDir, withState(path, 'manifest'))), manifest, `${name}: same manifest`)
    t.same(readdirSync(join(dataDir, dirname(path))).length, 2, `${name}: nothing is left over`)
  }
  t.end()
})

/** A manifest that is none of this content. */
function otherManifest(manifest: Buffer, facts: object): Buffer {
  const value = JSON.parse(manifest.toString('utf8')) as object
  return Buffer.from(JSON.stringify({ ...value, bytes_compressed: 123, sha256: 'ab'.repeat(32), ...facts }))
}

const sizeOf = ({ length }: Buffer) => ({ bytes_compressed: length })

t.test('only segments of this host are recovered', t => {
  const dataDir = t.testdir()
  const path = writeOpenSegment(dataDir, 5, 5)
  t.same(findOpenSegments(localDisk, dataDir, 'deribit', 'other-host'), [])
  t.same(findOpenSegments(localDisk, dataDir, 'deribit', 'vps1'), [path])
  copyFileSync(join(dataDir, path), join(dataDir, dirname(path), 'stranger.jsonl.zst.open'))
  t.same(findOpenSegments(localDisk, dataDir, 'deribit', 'vps1'), [path], 'names that are not ours are left alone')
  t.ok(existsSync(join(dataDir, dirname(path), 'stranger.jsonl.zst.open')))
  t.end()
})

t.test('what a full disk or a power cut left behind the flushed lines took ten seconds of them with it', t => {
  const litter = [Buffer.alloc(3000), Buffer.from(Array.from({ length: 4000 }, (_, n) => (n * 89 + 7) % 251))]
  const lines = Array.from({ length: 20 }, (_, n) => quoteLine(n + 1))
  for (const keepBytes of ['known', 'unknown']) {
    const dataDir = t.testdir()
    // The first append is a zstd frame by itself; the others are blocks of one that is in progress.
    const path = writeOpenSegment(dataDir, 20, 2, 1, {}, 60_000)
    const open = join(dataDir, path)
    const { size } = statSync(open)
    appendFileSync(open, Buffer.concat(litter))
    const options = {
      ...{ disk: localDisk, dataDir, path, level: 9, gaps: [] },
      ...(keepBytes === 'known' && { keepBytes: size }),
    }
    t.match(
      atOnce(localDisk, sealSegment(options)),
      { kind: 'sealed', manifest: { frames: 20 } },
      `bytes that count: ${keepBytes}`,
    )
    t.same(sealedLines(dataDir, withState(path, 'sealed')), lines)
  }
  t.end()
})

t.test('whatever was known of its lines before, a segment is sealed by what is in it', t => {
  const lines = Array.from({ length: 20 }, (_, n) => quoteLine(n + 1))
  const bytes = Buffer.byteLength(lines.map(line => `${line}\n`).join(''))
  const files = [undefined, bytes, bytes - 1, bytes + 1, 1, 10 * bytes].map(rawBytes => {
    const dataDir = t.testdir()
    const path = writeOpenSegment(dataDir, 20, 2)
    const known = rawBytes === undefined ? {} : { rawBytes }
    const outcome = atOnce(localDisk, sealSegment({ disk: localDisk, dataDir, path, level: 9, gaps: [], ...known }))
    t.match(outcome, { kind: 'sealed', manifest: { frames: 20, bytes_raw: bytes } }, `${rawBytes}`)
    t.same(readdirSync(join(dataDir, dirname(path))).length, 2)
    return readFileSync(join(dataDir, withState(path, 'sealed')))
  })
  for (const file of files) t.same(file, files[0])
  t.end()
})

t.test('lines that are known beforehand are read once', t => {
  const dataDir = t.testdir()
  const path = writeOpenSegment(dataDir, 20, 2)
  const { size } = statSync(join(dataDir, path))
  const bytes = Array.from({ length: 20 }, (_, n) => quoteLine(n + 1).length + 1).reduce((sum, length) => sum + length)
  const steps = sealSegment({ disk: localDisk, dataDir, path, level: 9, gaps: [], keepBytes: size, rawBytes: bytes })
  // Changed behind the first look, which a second one would see.
  steps.next()
  writeFileSync(join(dataDir, path), 'changed')
  t.match(atOnce(localDisk, steps), { kind: 'sealed', manifest: { frames: 20 } })
  t.same(
    sealedLines(dataDir, withState(path, 'sealed')),
    Array.from({ length: 20 }, (_, n) => quoteLine(n + 1)),
  )
  t.end()
})
