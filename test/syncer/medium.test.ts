import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { copyDurably } from '../../syncer/targets/durable-copy.js'
import { sha256OnMedium } from '../../syncer/targets/medium.js'
import { diskFolder } from '../fixtures/disk-folder.js'
import { blockDisk, canMount } from '../fixtures/small-disk.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

t.test('the checksum of any length, on a disk and in memory', async t => {
  for (const folder of [diskFolder(t), '/dev/shm']) {
    for (const length of [0, 1, 511, 512, 4096, 1024 * 1024, 2 * 1024 * 1024 + 7]) {
      const path = join(folder, `edgetape-medium-${process.pid}-${length}`)
      const content = Buffer.alloc(length, 'edge tape')
      writeFileSync(path, content)
      t.equal(await sha256OnMedium(path, length, () => undefined), sha256(content), `${folder}: ${length} bytes`)
      t.teardown(async () => (await import('node:fs/promises')).rm(path, { force: true }))
    }
  }
})

t.test('a copy that is another on the medium than it was when it was written got its name', async t => {
  const folder = t.testdir({ data: { segment: 'as it was written\n' }, nas: {} })
  const content = readFileSync(join(folder, 'data/segment'))
  const file = { path: 'segment', bytes: content.length, mtimeMs: 0, sha256: sha256(content), md5: '', replace: false }
  const spoil = () => writeFileSync(join(folder, 'nas/.segment.edgetape-tmp'), 'AS', { flag: 'r+' })
  const copy = (beat: () => void) => copyDurably(file, join(folder, 'data'), join(folder, 'nas/segment'), beat)
  await t.rejects(copy(spoil), { code: 'SYNC_COPY_DIFFERS' })
  t.same(readdirSync(join(folder, 'nas')), [])
  await copy(() => undefined)
  t.same(readdirSync(join(folder, 'nas')), ['segment'])
})

t.test(
  'a copy that never arrived on the medium was taken for right, since the page cache had it',
  { skip: !canMount() && 'cannot mount' },
  async t => {
    const folder = t.testdir({ disk: {}, data: {} })
    const disk = await blockDisk(t, join(folder, 'disk'), 'ext4', 32)
    const content = Buffer.alloc(100_000, 'a line that is nowhere else on this disk\n')
    const path = 'raw/copy.jsonl.zst'
    mkdirSync(join(disk.path, 'raw'))
    writeFileSync(join(disk.path, path), content, { flush: true })
    const expected = sha256(content)
    t.equal(await sha256OnMedium(join(disk.path, path), content.length, () => undefined), expected)
    // The cache holds it once more, and the medium below turns.
    t.equal(sha256(readFileSync(join(disk.path, path))), expected)
    const image = join(folder, 'disk', 'image')
    const medium = readFileSync(image)
    const at = medium.indexOf(content.subarray(0, 4096))
    t.ok(at > 0, 'it is on the medium')
    medium.write('rot', at)
    writeFileSync(image, medium, { flag: 'r+', flush: true })
    t.equal(sha256(readFileSync(join(disk.path, path))), expected, 'whoever reads as usual sees the cache')
    t.not(await sha256OnMedium(join(disk.path, path), content.length, () => undefined), expected)
  },
)
