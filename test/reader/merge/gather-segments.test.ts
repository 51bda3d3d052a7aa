import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { withState } from '../../../formats/raw-path.js'
import { dumpFiles } from '../../../reader/dump/files.js'
import { jsonAsLine, kindOf, plainLines } from '../../../reader/dump/read-lines.js'
import { listPartitions } from '../../../reader/list-partitions.js'
import { gatherSegments } from '../../../reader/merge/gather-segments.js'
import { linkOrCopy } from '../../../reader/merge/link-or-copy.js'
import { matchAll } from '../../fixtures/match-all.js'
import { hashes } from '../../compactor/fixtures/compacted.js'
import { rawLines, sealSegment, START_MS } from '../../compactor/fixtures/segments.js'

const all = { fromUs: -Infinity, toUs: Infinity }
const lines = (...texts: string[]) => rawLines(texts.map(text => `{"a":"${text}"}`))

t.test('segments of several trees come into one, verified, once; sources stay as they are', async t => {
  const folder = t.testdir({ one: {}, two: {}, all: {} })
  const [one, two, target] = [join(folder, 'one'), join(folder, 'two'), join(folder, 'all')]
  sealSegment(one, 'quote', lines('1'), { host: 'a' })
  sealSegment(two, 'quote', lines('2'), { host: 'b' })
  sealSegment(two, 'trades', lines('3'), { host: 'b', number: 2, startedMs: START_MS + 7_200_000 })
  const before = [hashes(one), hashes(two)]
  const seen: string[] = []
  const gathered = await gatherSegments([one, two], target, all, (looked, of) => seen.push(`${looked}/${of}`))
  matchAll(t, gathered, { segments: 3, known: 0, open: 0, faults: [] })
  t.same(seen, ['1/3', '2/3', '3/3'])
  t.same(hashes(target), { ...before[0], ...before[1] })
  matchAll(t, await gatherSegments([one, two], target, all), { segments: 0, bytes: 0, known: 3, faults: [] })
  const span = { fromUs: START_MS * 1000, toUs: (START_MS + 3_600_000) * 1000 }
  const part = await gatherSegments([two], join(folder, 'part'), span)
  matchAll(t, part, { segments: 1, known: 0, open: 0 })
  t.same([hashes(one), hashes(two)], before)
})

t.test('what is open, damaged, or another segment of the same name is told, and the others come', async t => {
  const folder = t.testdir({ one: {}, two: {}, all: {} })
  const [one, two, target] = [join(folder, 'one'), join(folder, 'two'), join(folder, 'all')]
  sealSegment(one, 'quote', lines('good'))
  const open = sealSegment(one, 'quote', lines('x'), { number: 2 }).segment
  renameSync(join(one, open), join(one, withState(open, 'open')))
  rmSync(join(one, withState(open, 'manifest')))
  const unfinished = sealSegment(one, 'quote', lines('y'), { number: 3 }).segment
  rmSync(join(one, withState(unfinished, 'manifest')))
  const longer = sealSegment(one, 'quote', lines('z'), { number: 4 }).segment
  appendFileSync(join(one, longer), 'more')
  sealSegment(two, 'quote', lines('other'))
  const gathered = await gatherSegments([one, two], target, all)
  matchAll(t, gathered, {
    segments: 1,
    known: 0,
    open: 2,
    faults: [{ code: 'MERGE_DAMAGED' }, { code: 'MERGE_DIFFERS' }],
  })
  t.match(gathered.faults[0]?.message, /its size is not that of its manifest/)
  t.equal(Object.keys(hashes(target)).length, 2, 'the good segment and its manifest')
})

t.test('a segment that comes as a copy is held against its checksum before it has its name', async t => {
  const folder = t.testdir({ one: {}, all: {} })
  const [one, target] = [join(folder, 'one'), join(folder, 'all')]
  const { segment } = sealSegment(one, 'quote', lines('good'))
  const bytes = readFileSync(join(one, segment))
  // A name that is taken cannot be linked: it is copied.
  const to = join(target, 'x')
  writeFileSync(to, 'of before')
  const failing = linkOrCopy(join(one, segment), to, () => Promise.reject(new Error('not the same')))
  await t.rejects(failing, /not the same/)
  t.equal(readFileSync(to, 'utf8'), 'of before', 'what was there stays')
  await linkOrCopy(join(one, segment), to, copy => {
    t.ok(readFileSync(copy).equals(bytes))
    t.equal(readFileSync(to, 'utf8'), 'of before', 'it has no name yet')
    return Promise.resolve()
  })
  t.ok(readFileSync(to).equals(bytes))
  const link = join(target, 'y')
  await linkOrCopy(join(one, segment), link)
  t.equal(statSync(link).ino, statSync(join(one, segment)).ino, 'one content with two names')
  await t.rejects(linkOrCopy(join(one, 'none'), join(target, 'z')), { code: 'ENOENT' })
})

t.test('trees that lie in each other are not merged', async t => {
  const folder = t.testdir({ one: {}, oneandmore: {} })
  const one = join(folder, 'one')
  sealSegment(one, 'quote', lines('1'))
  for (const target of [one, join(one, 'inside'), folder])
    await t.rejects(gatherSegments([one], target, all), { code: 'MERGE_SAME_FOLDER' }, target)
  matchAll(t, await gatherSegments([one], join(folder, 'oneandmore'), all), { segments: 1 })
})

t.test('what a file holds is told by its first bytes, however it is called', t => {
  const folder = t.testdir({
    lines: 'a\n',
    'empty.jsonl': '',
    'x.json': '{\n "a": 1\n}\n',
    'y.json': '{',
    'empty.jsonl.zst': '',
    one: 'P',
  })
  const { segment } = sealSegment(folder, 'quote', lines('1'))
  const renamed = join(folder, 'renamed')
  writeFileSync(renamed, readFileSync(join(folder, segment)))
  writeFileSync(join(folder, 'p'), 'PAR1xxxx')
  const kinds = ['renamed', 'p', 'lines', 'one', 'empty.jsonl', 'empty.jsonl.zst', 'x.json'].map(name => kindOf(join(folder, name))) // prettier-ignore
  t.same(kinds, ['segment', 'parquet', 'lines', 'lines', 'lines', 'segment', 'manifest'])
  t.equal(jsonAsLine(join(folder, 'x.json')).toString(), '{"a":1}')
  t.throws(() => jsonAsLine(join(folder, 'y.json')), { code: 'DUMP_NOT_JSON' })
  const long = 'x'.repeat(600_000)
  writeFileSync(join(folder, 'lines'), `a\n\n${long}\nlast without a line feed`)
  t.same(
    [...plainLines(join(folder, 'lines'))].map(line => line.length),
    [1, 0, 600_000, 24],
  )
  t.end()
})

t.test('of a folder the segments are dumped, else the Parquet files, else the lines, of whatever tree', t => {
  const folder = t.testdir({ mine: { 'b.jsonl': 'x\n', state: { 'c.jsonl': '' }, '.d.jsonl': '' }, empty: {} })
  const data = join(folder, 'data')
  const { segment } = sealSegment(data, 'quote', lines('1'))
  const parquet = join(
    data,
    'parquet/exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=2026-11-22/14-h-r1-1.parquet',
  )
  mkdirSync(dirname(parquet), { recursive: true })
  writeFileSync(parquet, 'PAR1')
  matchAll(t, dumpFiles([data]), { segments: [{ path: join(data, segment), name: { channel: 'quote' } }] })
  t.equal(dumpFiles([data]).parquet.size, 0, 'the same frames are in both')
  const later = { fromUs: (START_MS + 86_400_000) * 1000 }
  t.throws(() => dumpFiles([data], later), { code: 'DUMP_NO_FILE', message: /of that time/ })
  rmSync(join(data, 'raw'), { recursive: true })
  t.same([...dumpFiles([data]).parquet.values()].flat(), [parquet])
  t.same(dumpFiles([join(folder, 'mine')]).others, [join(folder, 'mine/b.jsonl')])
  t.throws(() => dumpFiles([join(folder, 'empty')]), { code: 'DUMP_NO_FILE' })
  t.throws(() => dumpFiles([join(folder, 'none')]), { code: 'DUMP_NO_FILE' })
  t.end()
})

t.test('partitions are listed by table, kind, currency and date, as far as they are asked for', t => {
  const dataDir = t.testdir({})
  t.throws(() => listPartitions(dataDir), { code: 'NO_PARQUET' })
  const put = (table: string, kind: string, currency: string, date: string) => {
    const path = join(
      dataDir,
      `parquet/exchange=deribit/table=${table}/kind=${kind}/currency=${currency}/date=${date}/day-h.parquet`,
    )
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'PAR1')
  }
  put('trades', 'option', 'BTC', '2026-11-21')
  put('trades', 'option', 'BTC', '2026-11-22')
  put('quote', 'perpetual', 'ETH', '2026-11-22')
  const names = (choice: object) => listPartitions(dataDir, choice).map(({ table, date, currency }) => `${table} ${currency} ${date}`) // prettier-ignore
  t.same(names({}), ['quote ETH 2026-11-22', 'trades BTC 2026-11-21', 'trades BTC 2026-11-22'])
  t.same(names({ table: 'trades', date: '2026-11-22' }), ['trades BTC 2026-11-22'])
  t.same(names({ kind: 'option', currency: 'ETH' }), [])
  symlinkSync('nowhere', join(dataDir, 'parquet/exchange=deribit/table=trades/kind=option/currency=BTC/date=2026-11-21/14-h-r1-1.parquet')) // prettier-ignore
  t.same(listPartitions(dataDir, { date: '2026-11-21' })[0]?.files.length, 1, 'what went away meanwhile is left out')
  t.end()
})
