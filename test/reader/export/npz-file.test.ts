import assert from 'node:assert/strict'
import fs, { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { npyHead, rowBlocks, writeNpz } from '../../../reader/export/npz-file.js'
import { holds } from '../../fixtures/holds.js'

const folder = t.testdir()
const rowsFile = join(folder, 'rows')
const path = join(folder, 'events.npz')
const DESCR = "[('ev', '<u8'), ('px', '<f8')]"

/** As the definition of CRC-32 has it, bit by bit. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** The only member of a zip, found by its end as readers of zips do, and by its local head. */
function unzipped(zip: Buffer) {
  const end = zip.length - 22
  assert.equal(zip.readUInt32LE(end), 0x06054b50, 'the end of the directory')
  assert.equal(zip.readUInt16LE(end + 10), 1, 'one member')
  const [directoryBytes, directoryAt] = [zip.readUInt32LE(end + 12), zip.readUInt32LE(end + 16)]
  assert.equal(directoryAt + directoryBytes, end)
  const [crc, packed, bytes] = [16, 20, 24].map(at => zip.readUInt32LE(directoryAt + at)) as [number, number, number]
  assert.equal(zip.readUInt32LE(directoryAt), 0x02014b50)
  assert.equal(zip.readUInt32LE(0), 0x04034b50, 'the local head')
  assert.deepEqual(
    [14, 18, 22].map(at => zip.readUInt32LE(at)),
    [crc, packed, bytes],
    'both heads say the same',
  )
  const nameLength = zip.readUInt16LE(26)
  const name = zip.toString('latin1', 30, 30 + nameLength)
  const from = 30 + nameLength + zip.readUInt16LE(28)
  assert.equal(from + packed, directoryAt)
  const content = inflateRawSync(zip.subarray(from, from + packed))
  assert.equal(content.length, bytes)
  assert.equal(crcOf(content), crc)
  return { name, content }
}

t.test('a file of rows is packed so that a reader of zips and of numpy finds each byte of it', async t => {
  await holds(
    t,
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.nat({ max: 1e9 }), async (rows, count) => {
      writeFileSync(rowsFile, rows)
      await writeNpz(path, rowsFile, DESCR, count)
      const { name, content } = unzipped(readFileSync(path))
      assert.equal(name, 'data.npy')
      assert.equal(content.toString('latin1', 0, 8), '\x93NUMPY\x01\x00')
      const from = 10 + content.readUInt16LE(8)
      assert.equal(from % 64, 0, 'rows begin where numpy can map them')
      const head = content.toString('latin1', 10, from)
      assert.ok(head.startsWith(`{'descr': ${DESCR}, 'fortran_order': False, 'shape': (${count},), }`))
      assert.ok(head.endsWith('\n'))
      assert.deepEqual(content.subarray(from), Buffer.from(rows))
      assert.ok(!existsSync(rowsFile), 'what was packed is gone')
    }),
    { numRuns: 40 },
  )
})

t.test('the head is padded to whole 64 bytes whatever it says', t => {
  holds(
    t,
    fc.property(fc.stringMatching(/^[a-z<>0-9]{0,200}$/), fc.nat(), (descr, rows) => {
      const head = npyHead(descr, rows)
      assert.equal(head.length % 64, 0)
      assert.equal(head.readUInt16LE(8), head.length - 10)
      assert.equal(head.indexOf(0x0a), head.length - 1, 'one line feed, at its end')
    }),
  )
  t.end()
})

t.test('the same rows make the same bytes, more than a chunk of them too', async t => {
  const rows = Buffer.alloc(3_000_000)
  for (let at = 0; at < rows.length; at += 8) rows.writeDoubleLE(Math.sin(at), at)
  const pack = async () => {
    writeFileSync(rowsFile, rows)
    await writeNpz(path, rowsFile, DESCR, rows.length / 16)
    return readFileSync(path)
  }
  const first = await pack()
  t.ok(first.equals(await pack()))
  t.ok(unzipped(first).content.subarray(-rows.length).equals(rows))
})

t.test('a disk that is full in the middle is an error of the export, and ends nothing else', async t => {
  const { writeSync } = fs
  let writes = 0
  fs.writeSync = ((...given: Parameters<typeof writeSync>) => {
    if (++writes === 3) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    return writeSync(...given)
  }) as typeof writeSync
  syncBuiltinESMExports()
  t.teardown(() => {
    fs.writeSync = writeSync
    syncBuiltinESMExports()
  })
  const noise = Buffer.from(Array.from({ length: 600_000 }, (_, at) => (Math.sin(at) * 1e6) & 0xff))
  writeFileSync(rowsFile, noise)
  await t.rejects(writeNpz(path, rowsFile, DESCR, 1), { code: 'ENOSPC' })
  t.equal(writes, 3, 'nothing is tried after it')
  t.notOk(existsSync(rowsFile), 'and what waited for it is gone')
})

t.test('rows that went away are an error of the export', async t => {
  await t.rejects(writeNpz(path, join(folder, 'never'), DESCR, 1), { code: 'ENOENT' })
})

t.test('more than a zip holds is refused with its size, before anything is written', async t => {
  const large = join(folder, 'large')
  writeFileSync(large, '')
  fs.truncateSync(large, 2 ** 32)
  const out = join(folder, 'large.npz')
  await t.rejects(writeNpz(out, large, DESCR, 2 ** 26), { code: 'EXPORT_TOO_LARGE', message: /67108864 events/ })
  t.notOk(existsSync(out))
})

t.test('rows are read again in whole ones, each once', t => {
  for (const rows of [0, 1, 16_384, 16_385]) {
    const bytes = Buffer.alloc(rows * 8)
    for (let row = 0; row < rows; row++) bytes.writeUInt32LE(row, row * 8)
    writeFileSync(rowsFile, bytes)
    const found: Buffer[] = []
    // The block's memory is used again for the next one.
    for (const block of rowBlocks(rowsFile, 8)) found.push(Buffer.from(block))
    t.ok(found.every(block => block.length % 8 === 0))
    t.ok(Buffer.concat(found).equals(bytes), `${rows} rows`)
  }
  t.end()
})
