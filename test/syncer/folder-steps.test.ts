/** The steps that a folder as target is made of: marks, folders, one copy, and patience. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { checksumsOf } from '../../syncer/checksum.js'
import { FolderTarget } from '../../syncer/targets/folder.js'
import { copyDurably } from '../../syncer/targets/durable-copy.js'
import { compareMark, orMissing, requireFolder, writeMark } from '../../syncer/targets/folder-mark.js'
import { replaceInFolder } from '../../syncer/targets/folder-replace.js'
import { sha256OnMedium } from '../../syncer/targets/medium.js'
import { makeFolders, requireRealFolders } from '../../syncer/targets/target-folders.js'
import type { OutgoingFile } from '../../syncer/targets/target.js'
import { Watchdog } from '../../syncer/targets/watchdog.js'
import { filesBelow, visibleBelow } from '../fixtures/shipped-tree.js'

const nothing = () => undefined
const MARK = '.edgetape-target-0123456789ab'

t.test('a folder that is to be the target is there, or is made where the one above it is', async t => {
  const root = t.testdir({ nas: {}, file: 'x' })
  await requireFolder(join(root, 'nas'), false)
  const missing = (name: string, mayMake: boolean, message: RegExp) =>
    t.rejects(requireFolder(join(root, name), mayMake), { code: 'SYNC_TARGET_MISSING', retry: true, message }, name)
  await missing('away', false, /is not there$/)
  await missing('away/tape', true, /nor the folder above it/)
  await missing('file', true, /is not a folder/)
  await missing('file/tape', true, /nor the folder above it/)
  await requireFolder(join(root, 'new'), true)
  await requireFolder(join(root, 'new'), true)
  t.ok(lstatSync(join(root, 'new')).isDirectory())
})

t.test('a mark is compared whole, and neither a link nor a folder is one', async t => {
  const root = t.testdir({ same: 'a\n', longer: 'a\nb', empty: '', folder: {} })
  symlinkSync('same', join(root, 'link'))
  const verdictOf = (name: string) => compareMark(root, { name, content: 'a\n' })
  for (const [name, verdict] of [['same', 'same'], ['longer', 'wrong'], ['empty', 'wrong'], ['folder', 'wrong'], ['link', 'wrong'], ['none', 'missing']] as const)
    t.equal(await verdictOf(name), verdict, name) // prettier-ignore
  t.equal(await compareMark(join(root, 'same'), { name: 'x', content: '' }), 'missing', 'below a file')
})

t.test(
  'a new mark is written over nothing, a later one only over one: a disk that has just gone gets none',
  async t => {
    const root = t.testdir({})
    const mark = (content: string) => ({ name: MARK, content })
    await t.rejects(writeMark(root, mark('1'), 'over'), { code: 'ENOENT' })
    t.same(readdirSync(root), [])
    await writeMark(root, mark('1'), 'new')
    await t.rejects(writeMark(root, mark('2'), 'new'), { code: 'EEXIST' })
    t.equal(readFileSync(join(root, MARK), 'utf8'), '1')
    writeFileSync(join(root, `${MARK}.edgetape-tmp`), 'a longer one, of a write that was cut off')
    await writeMark(root, mark('3'), 'over')
    t.same([...filesBelow(root)], [[MARK, '3']])
    symlinkSync('/etc/hostname', join(root, `${MARK}.edgetape-tmp`))
    await t.rejects(writeMark(root, mark('4'), 'over'), { code: 'ELOOP' }, 'through no link')
  },
)

t.test('folders are made where a mark is, and links on the way are followed nowhere', async t => {
  const root = t.testdir({ nas: {}, elsewhere: {} })
  const nas = join(root, 'nas')
  await t.rejects(makeFolders(nas, 'raw/a'), { code: 'SYNC_TARGET_UNMARKED' }, 'what is mounted there is gone')
  t.same(readdirSync(nas), [])
  writeFileSync(join(nas, MARK), '')
  t.same(await makeFolders(nas, 'raw/a/b'), [nas, join(nas, 'raw'), join(nas, 'raw/a')], 'what is to be synced')
  t.same(await makeFolders(nas, 'raw/a/c'), [join(nas, 'raw/a')])
  t.same(await makeFolders(nas, 'raw/a'), [])
  t.same(await makeFolders(nas, '.'), [])
  symlinkSync(join(root, 'elsewhere'), join(nas, 'raw/link'))
  writeFileSync(join(nas, 'raw/file'), '')
  for (const [path, found] of [['raw/link/x', 'a link'], ['raw/link', 'a link'], ['raw/file/x', 'a file']] as const)
    await t.rejects(makeFolders(nas, path), { code: 'SYNC_LINK_AT_TARGET', message: new RegExp(`found ${found} at`) }) // prettier-ignore
  t.same(readdirSync(join(root, 'elsewhere')), [])
  t.equal(await requireRealFolders(nas, 'raw/a/b/none/at/all'), 3)
  const failing = (code: string) => orMissing(Promise.reject<string>(Object.assign(new Error(''), { code })))
  t.equal(await failing('ENOTDIR'), undefined)
  await t.rejects(failing('EIO'), { code: 'EIO' })
})

function outgoing(dataDir: string, path: string, content: string, given: Partial<OutgoingFile> = {}): OutgoingFile {
  const full = join(dataDir, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
  utimesSync(full, 1000, 1000)
  const bytes = Buffer.byteLength(content)
  return { path, bytes, mtimeMs: 1_000_000, ...checksumsOf(content), replace: false, ...given }
}

t.test('a copy has the content and time of the file here, or no name at all', async t => {
  const root = t.testdir({ nas: {} })
  const [data, nas] = [join(root, 'data'), join(root, 'nas')]
  const file = outgoing(data, 'a', 'content\n')
  const copy = (file: OutgoingFile) => copyDurably(file, data, join(nas, 'a'), nothing)
  writeFileSync(join(nas, '.a.edgetape-tmp'), 'a longer one, of a copy that was cut off')
  await copy(file)
  t.same([...filesBelow(nas)], [['a', 'content\n']])
  t.equal(lstatSync(join(nas, 'a')).mtimeMs, 1_000_000)
  for (const [what, now] of [
    ['shorter', 'cont'],
    ['another', 'CONTENT\n'],
    ['empty', ''],
  ] as const) {
    writeFileSync(join(data, 'a'), now)
    await t.rejects(copy(file), { code: 'SYNC_SOURCE_CHANGED', path: 'a' }, what)
  }
  writeFileSync(join(data, 'a'), 'content\nand more that came since')
  await copy(file)
  t.same([...filesBelow(nas)], [['a', 'content\n']], 'the bytes that were proven, and no litter')
  await copy(outgoing(data, 'a', ''))
  t.equal(readFileSync(join(nas, 'a'), 'utf8'), '')
  symlinkSync('/etc/hostname', join(data, 'link'))
  await t.rejects(copyDurably({ ...file, path: 'link' }, data, join(nas, 'link'), nothing), { code: 'ELOOP' })
  symlinkSync('/tmp/nowhere', join(nas, '.b.edgetape-tmp'))
  await t.rejects(copyDurably({ ...outgoing(data, 'b', 'x') }, data, join(nas, 'b'), nothing), { code: 'ELOOP' })
  t.notOk(existsSync(join(nas, 'b')))
})

t.test('a day takes the place of its hours in one step; what is not ours stays beside it, seen or not', async t => {
  const root = t.testdir({ nas: { [MARK]: '', 'date=1': { '00-h': 'ours', '01-h': 'changed by others', 'of-others': 'x', '.hidden': 'y' } } }) // prettier-ignore
  const [data, nas] = [join(root, 'data'), join(root, 'nas')]
  const day = outgoing(data, 'date=1/day', 'both hours\n')
  const sumOf = (text: string) => new Set([checksumsOf(text).sha256])
  const gone = new Map([['00-h', sumOf('ours')], ['01-h', sumOf('ours, too')], ['02-h', sumOf('never there')]]) // prettier-ignore
  const replace = () => replaceInFolder(nas, { folder: 'date=1', files: [day], gone }, data, nothing)
  const wanted = new Map([['date=1/01-h', 'changed by others'], ['date=1/day', 'both hours\n'], ['date=1/of-others', 'x']]) // prettier-ignore
  await replace()
  t.same(visibleBelow(nas), wanted)
  t.equal(readFileSync(join(nas, 'date=1/.hidden'), 'utf8'), 'y')
  await replace()
  t.same(visibleBelow(nas), wanted, 'done again it is the same')
  t.same(
    readdirSync(nas).filter(name => name.includes('waiting') && readdirSync(join(nas, name)).length > 0),
    [],
  )

  const theirs = outgoing(data, 'date=1/of-others', 'ours by this name')
  await t.rejects(replaceInFolder(nas, { folder: 'date=1', files: [theirs], gone: new Map() }, data, nothing), {
    code: 'SYNC_NOT_OURS',
  })
  t.same(visibleBelow(nas), wanted)
  await replaceInFolder(
    nas,
    { folder: 'date=2', files: [outgoing(data, 'date=2/day', 'z')], gone: new Map() },
    data,
    nothing,
  )
  t.equal(readFileSync(join(nas, 'date=2/day'), 'utf8'), 'z', 'where no folder was')
  writeFileSync(join(data, 'date=1/day'), 'spoilt')
  await t.rejects(replace(), { code: 'SYNC_SOURCE_CHANGED' })
  t.same(
    [...visibleBelow(nas)].filter(([path]) => path.startsWith('date=1')),
    [...wanted],
    'all of them or none',
  )
})

t.test('an operation that shows no life is given up, and until it ends no other is begun', async t => {
  const dog = new Watchdog(30)
  t.equal(await dog.guard('quick', async () => 7), 7)
  await t.rejects(
    dog.guard('throws', () => Promise.reject(new Error('its own'))),
    { message: 'its own' },
  )
  let end: (value: string) => void = nothing
  const hung = new Promise<string>(resolve => (end = resolve))
  await t.rejects(
    dog.guard('hung', () => hung),
    { code: 'SYNC_TARGET_HANGS', retry: true, message: /0\.03 s \(hung\)/ },
  )
  let isBegun = false
  const another = () => dog.guard('other', async () => (isBegun = true))
  await t.rejects(another(), { code: 'SYNC_TARGET_HANGS', message: /an earlier operation has not ended/ })
  t.notOk(isBegun)
  end('late')
  await hung
  await new Promise(resolve => setImmediate(resolve))
  t.equal(await another(), true)
  t.ok(isBegun)
})

t.test('a bad sector under one copy was taken for a target that does not answer: nothing more was proven or deleted', async t => {
  const root = t.testdir({ nas: { [MARK]: 'mark' }, data: {} })
  const [data, nas] = [join(root, 'data'), join(root, 'nas')]
  const files = ['a', 'b', 'c'].map(path => outgoing(data, path, `content of ${path}`, { replace: true }))
  /** What the disk does not give. */
  let bad = /x^/
  const reads: typeof sha256OnMedium = (path, ...rest) =>
    bad.test(path) ? Promise.reject(Object.assign(new Error('EIO: read'), { code: 'EIO' })) : sha256OnMedium(path, ...rest)
  const target = new FolderTarget(nas, 60_000, reads)
  const work = { dataDir: data, signal: new AbortController().signal, onFile: nothing }
  t.same((await target.ship(files, work)).done.sort(), ['a', 'b', 'c'])
  bad = /nas\/b$/
  const found = await target.verify(files, work)
  t.equal(found.error, undefined)
  t.same([...found.verdicts].sort(), [['a', 'same'], ['b', 'wrong'], ['c', 'same']])
  bad = /\.b\.bad-/
  t.same((await target.ship(files.slice(1, 2), work)).done, ['b'], 'it was put aside, and is copied again')
  t.same([...(await target.verify(files, work)).verdicts.values()], ['same', 'same', 'same'])
  bad = /nas\//
  const away = await target.verify(files, work)
  t.match(away.error, { code: 'SYNC_TARGET_UNREACHABLE' }, 'where its mark cannot be read either')
  t.equal(away.verdicts.size, 0)
  t.same([...visibleBelow(nas).keys()], ['a', 'b', 'c'])
}) // prettier-ignore
