/** Files that are replaced, appended to and listed, on disks that take half of a write, fail, or change meanwhile. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { z } from '../../platform/zod.js'
import { localDisk, type Disk } from '../../platform/disk.js'
import { createFolderDurable, writeFileDurable, writeFully } from '../../platform/durable-file.js'
import { filesBelow, folderEntries, folderNames, namesLately } from '../../platform/folder-entries.js'
import { appendLinesDurable, parseJsonLines, readJsonLines } from '../../platform/json-lines.js'
import { UnhurriedFile } from '../../platform/unhurried-file.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { holds } from '../fixtures/holds.js'

const root = memoryFolder(t)
const fresh = (name: string) => {
  const folder = join(root, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

/** A disk that takes so many bytes at a time, and tells what was asked of it. */
function slowDisk(most: number, calls: string[], failing?: string): Disk {
  const note = (call: string) => {
    calls.push(call)
    if (call === failing) throw Object.assign(new Error(`${call} failed`), { code: 'EIO' })
  }
  return {
    ...localDisk,
    open(path, how) {
      note('open')
      return localDisk.open(path, how)
    },
    write(fd, bytes) {
      note('write')
      return localDisk.write(fd, bytes.subarray(0, most))
    },
    sync(fd) {
      note('sync')
      localDisk.sync(fd)
    },
    close(fd) {
      calls.push('close')
      localDisk.close(fd)
    },
    rename(from, to) {
      note('rename')
      localDisk.rename(from, to)
    },
    syncFolder(path) {
      note('syncFolder')
      localDisk.syncFolder(path)
    },
  }
}

t.test('a file is replaced whole: written, synced, renamed, its folder synced, however little a write takes', t => {
  const folder = fresh('replaced')
  const path = join(folder, 'x')
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (bytes, most) => {
      const calls: string[] = []
      writeFileDurable(path, bytes, slowDisk(most, calls))
      assert.deepEqual(readFileSync(path), Buffer.from(bytes))
      const writes = Array.from({ length: Math.ceil(bytes.length / most) }, () => 'write')
      assert.deepEqual(calls, ['open', ...writes, 'sync', 'close', 'rename', 'syncFolder'])
      assert.deepEqual(readdirSync(folder), ['x'])
    }),
  )
  t.end()
})

t.test('whichever step fails, the old content is there or the new, and no file stays open', t => {
  const folder = fresh('failing')
  const path = join(folder, 'x')
  for (const failing of ['open', 'write', 'sync', 'rename', 'syncFolder']) {
    writeFileSync(path, 'old')
    const calls: string[] = []
    t.throws(() => writeFileDurable(path, 'new content', slowDisk(3, calls, failing)), { code: 'EIO' }, failing)
    t.equal(readFileSync(path, 'utf8'), failing === 'syncFolder' ? 'new content' : 'old', failing)
    t.equal(calls.filter(call => call === 'close').length, failing === 'open' ? 0 : 1, 'closed')
    writeFileDurable(path, 'newest')
    t.equal(readFileSync(path, 'utf8'), 'newest', 'what was left of it is in nobody’s way')
  }
  t.end()
})

t.test('a write of nothing asks nothing of the disk', t => {
  const calls: string[] = []
  writeFully(0, new Uint8Array(0), slowDisk(1, calls))
  t.same(calls, [])
  t.end()
})

t.test('each folder that was missing is durable by the one around it, and one that is there costs nothing', t => {
  const folder = fresh('folders')
  const synced: string[] = []
  const disk = {
    makeFolder: (path: string) => localDisk.makeFolder(path),
    syncFolder: (path: string) => void synced.push(path),
  }
  createFolderDurable(join(folder, 'a/b/c'), disk)
  t.same(synced.sort(), [folder, join(folder, 'a'), join(folder, 'a/b')])
  synced.length = 0
  createFolderDurable(join(folder, 'a/b/c'), disk)
  t.same(synced, [])
  createFolderDurable(join(folder, 'a/b/d'), disk)
  t.same(synced, [join(folder, 'a/b')])
  writeFileSync(join(folder, 'file'), '')
  t.throws(() => createFolderDurable(join(folder, 'file/x'), disk), { code: 'ENOTDIR' })
  t.end()
})

t.test('appended lines are all there, whatever a crash left between them, and nothing else is', t => {
  const folder = fresh('lines')
  const path = join(folder, 'deep/er/lines.jsonl')
  const schema = z.object({ n: z.number(), text: z.string() })
  const line = fc.record({ n: fc.integer(), text: fc.string({ unit: 'binary' }) }, { noNullPrototype: true })
  const torn = fc.oneof(
    fc.constant(''),
    fc.constantFrom('{"n":1', '{"n":1,"text":"x"', '\u0000\u0000\u0000', '{}\n', '\n\n', '[]', '{"n":"1","text":""}\n'),
  )
  holds(
    t,
    fc.property(fc.array(fc.tuple(fc.array(line, { maxLength: 4 }), torn), { maxLength: 8 }), steps => {
      rmSync(path, { force: true })
      assert.deepEqual(readJsonLines(path, schema), [])
      for (const [lines, torn] of steps) {
        appendLinesDurable(path, lines)
        if (existsSync(path)) writeFileSync(path, torn, { flag: 'a' })
      }
      assert.deepEqual(
        readJsonLines(path, schema),
        steps.flatMap(([lines]) => lines),
      )
    }),
    { numRuns: 60 },
  )
  t.same(
    parseJsonLines('{"n":1,"text":"a"}\r\n{"n":2,"text":"b"}', schema).map(({ n }) => n),
    [1, 2],
    'as other editors end lines',
  )
  mkdirSync(join(folder, 'folder'))
  t.throws(
    () => readJsonLines(join(folder, 'folder'), schema),
    { code: 'EISDIR' },
    'what cannot be read is not nothing',
  )
  t.end()
})

t.test('a file that nobody waits for is written one at a time, the last one in any case', async t => {
  const path = join(fresh('unhurried'), 'state/x.json')
  const file = new UnhurriedFile(path)
  const first = file.write('1')
  t.equal(file.isBusy, true)
  t.equal(await file.write('2'), false, 'left out: one is under way')
  t.equal(await first, true)
  t.same([file.isBusy, readFileSync(path, 'utf8')], [false, '1'])
  const under = file.write('3')
  t.equal(await file.writeLast('4', 60_000), true)
  await under
  t.equal(readFileSync(path, 'utf8'), '4', 'behind the one that was under way')
  const blocked = new UnhurriedFile(join(path, 'below/a/file'))
  await t.rejects(blocked.write('x'), { code: 'ENOTDIR' })
  t.equal(blocked.isBusy, false, 'one that failed is no more under way')
  await t.rejects(blocked.writeLast('x', 60_000), { code: 'ENOTDIR' })
  t.same(readdirSync(join(path, '..')), ['x.json'])
})

t.test('what is remembered of a folder is never older than the folder itself', t => {
  const folder = fresh('remembered')
  const at = (name: string, secondsAgo: number) => {
    writeFileSync(join(folder, name), '')
    const then = Date.now() / 1000 - secondsAgo
    utimesSync(folder, then, then)
  }
  at('b', 100)
  t.same(namesLately(folder), ['b'])
  t.equal(namesLately(folder), namesLately(folder), 'the very list, of one that rests')
  at('a', 50)
  t.same(namesLately(folder), ['a', 'b'], 'sorted')
  at('c', 0)
  t.same(namesLately(folder), ['a', 'b', 'c'])
  // Within one tick of the clock of a file system nothing shows: it is not remembered then.
  const tick = new Date()
  utimesSync(folder, tick, tick)
  t.same(namesLately(folder), ['a', 'b', 'c'])
  writeFileSync(join(folder, 'd'), '')
  utimesSync(folder, tick, tick)
  t.same(namesLately(folder), ['a', 'b', 'c', 'd'])
  rmSync(folder, { recursive: true })
  t.same(namesLately(folder), [])
  writeFileSync(folder, '')
  t.same([namesLately(folder), folderNames(folder)], [[], []], 'a file in place of it')
  rmSync(folder)
  t.end()
})

t.test('all files below a folder are found once, with links as what they are, and none where nothing is', t => {
  const folder = fresh('below')
  const paths = ['a/b/c', 'a/d', 'e', 'skipped/f', 'a/skipped/g']
  for (const path of paths) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), '')
  }
  symlinkSync('..', join(folder, 'a/loop'))
  t.same([...filesBelow(folder)].sort(), ['a/b/c', 'a/d', 'a/loop', 'a/skipped/g', 'e', 'skipped/f'])
  t.same([...filesBelow(folder, name => name !== 'skipped')].sort(), ['a/b/c', 'a/d', 'a/loop', 'e'])
  t.same([...filesBelow(join(folder, 'none'))], [])
  t.throws(() => folderEntries(join(folder, 'e')), { code: 'ENOTDIR' })
  t.same(folderEntries(join(folder, 'e'), 'ENOTDIR'), [])
  t.end()
})
