/** What the syncer takes for its own of a dataDir in which anybody may have put anything, and what it is asked to look at again. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { EdgeError } from '../../platform/edge-error.js'
import { foldersOf, listDates, readDate } from '../../syncer/local-tree.js'
import { findHere, overlapOf } from '../../syncer/place/own-place.js'
import { putTokens, requireFoldersElsewhere } from '../../syncer/place/tokens.js'
import { isOpen, parseWindow } from '../../syncer/window.js'
import { parseShippedName } from '../../syncer/shipped-name.js'
import type { ExpectedFile, Verdict } from '../../syncer/targets/target.js'
import { ShippedTree } from '../fixtures/shipped-tree.js'

const DATE = '2026-11-20'
const { signal } = new AbortController()

t.test('folders and files of other names are nothing of ours, and their bytes still count', t => {
  const tree = new ShippedTree(t.testdir())
  const segment = tree.segment(1)
  const hour = dirname(segment)
  for (const path of [
    `${hour}/.hidden`,
    `${hour}/note.txt`,
    `${hour}/sub=folder/file.txt`,
    `${hour}/not a partition/20261120T140000Z-h-abc-7.jsonl.zst`,
    'raw/exchange=deribit/channel=trades/date=2026-13-45/x.txt',
    'raw/exchange=deribit/channel=trades/date=20261120/x.txt',
    'raw/exchange=../channel=trades/date=2026-11-20/x.txt',
    'other/exchange=deribit/date=2026-11-20/x.txt',
  ])
    tree.write(path, 'x'.repeat(1000))
  mkdirSync(join(tree.dataDir, `${hour}/20261120T140000Z-h-abc-8.jsonl.zst`))
  const dates = listDates(tree.dataDir)
  t.same([...dates.keys()], [DATE, '2026-13-45'], 'a folder that only looks like a date holds nothing that is shipped')
  const local = readDate(tree.dataDir, dates.get(DATE) ?? [])
  t.same(local.files.map(({ path }) => path), [segment.replace('.jsonl.zst', '.json'), segment]) // prettier-ignore
  const own = local.files.reduce((sum, { bytes }) => sum + bytes, 0)
  t.equal(local.bytes, own + 3000, 'what is within its folders')
  t.same(readDate(tree.dataDir, dates.get('2026-13-45') ?? []).files, [])
  t.same(foldersOf(tree.dataDir).filter(folder => folder.includes('..')), []) // prettier-ignore
  t.end()
})

t.test('a day that no month has was taken for one of the next', t => {
  for (const [date, isDay] of [
    ['2026-02-28', true],
    ['2026-02-29', false],
    ['2024-02-29', true],
    ['2026-02-30', false],
    ['2026-04-31', false],
    ['2026-12-31', true],
    ['2026-00-10', false],
  ] as const)
    for (const path of [
      `parquet/exchange=deribit/table=trades/date=${date}/day-h.parquet`,
      `quarantine/exchange=deribit/channel=trades/date=${date}/20260101T140000Z-h-abc-1.jsonl`,
      `reports/date=${date}/report-h.html`,
      `lists/date=${date}/list-h.jsonl`,
    ])
      t.equal(parseShippedName(path)?.date, isDay ? date : undefined, path)
  t.end()
})

t.test('links are named where a file or folder of ours should be, and not followed anywhere', t => {
  const root = t.testdir({ data: {}, elsewhere: {} })
  const elsewhere = new ShippedTree(join(root, 'elsewhere'))
  const there = elsewhere.segment(1)
  const tree = new ShippedTree(join(root, 'data'))
  const here = tree.segment(2)
  const links = [
    ['raw/exchange=okx', 'raw/exchange=deribit'],
    ['raw/exchange=deribit/channel=quote', 'raw/exchange=deribit/channel=trades'],
    ['parquet', 'raw'],
    [`${dirname(here)}/20261120T140000Z-h-abc-9.jsonl.zst`, there],
    [`${dirname(here)}/of-nobody`, there],
  ] as const
  for (const [path, to] of links) symlinkSync(join(root, 'elsewhere', to), join(tree.dataDir, path))
  const told: string[] = []
  const dates = listDates(tree.dataDir, path => told.push(path))
  t.same(told.sort(), ['parquet', 'raw/exchange=deribit/channel=quote', 'raw/exchange=okx'])
  const local = readDate(tree.dataDir, dates.get(DATE) ?? [])
  t.same(local.links, [links[3][0]])
  t.equal(local.files.length, 2)
  t.end()
})

t.test('a window from a minute to itself was never open: it is the whole day', t => {
  const openMinutes = (text: string) =>
    Array.from({ length: 1440 }, (_, minute) => minute).filter(minute =>
      isOpen(parseWindow(text), Date.UTC(2026, 1, 28) + minute * 60_000 + 59_999),
    )
  for (const text of ['00:00-00:00', '22:15-22:15']) t.equal(openMinutes(text).length, 1440, text)
  for (const [text, first, count] of [
    ['00:00-00:01', 0, 1],
    ['22:00-06:00', 1320, 480],
    ['23:59-00:00', 1439, 1],
    ['10:00-09:59', 600, 1439],
  ] as const) {
    const open = new Set(openMinutes(text))
    t.same([open.size, open.has(first), open.has((first + count) % 1440)], [count, true, false], text)
  }
  t.end()
})

t.test('a folder is known for what it is by path, link, and by what was written into it', t => {
  const root = t.testdir({
    data: { raw: { 'exchange=deribit': { 'date=2026-11-20': { 'hour=14': {} } } } },
    nas: { raw: {} },
    'data-2': {},
  })
  const at = (path: string) => join(root, path)
  symlinkSync(at('data'), at('alias'))
  symlinkSync(at('alias'), at('alias-2'))
  symlinkSync('loop', at('loop'))
  for (const [folder, overlap] of [
    ['data', 'is'],
    ['alias-2', 'is'],
    ['data/raw', 'lies within'],
    ['alias/not/yet/there', 'lies within'],
    ['', 'contains'],
    ['nas', undefined],
    ['data-2', undefined],
    ['nas/not/yet', undefined],
  ] as const)
    t.equal(overlapOf(at('data'), at(folder)), overlap, folder)
  t.equal(overlapOf(at('not-yet/data'), at('not-yet')), 'contains', 'neither has to exist')

  const find = (deep: boolean) => findHere(at('data'), '.mark', { deep })?.overlap
  t.equal(find(true), undefined)
  writeFileSync(at('data/raw/exchange=deribit/.mark'), '')
  t.same([find(false), find(true)], [undefined, 'lies within'])
  writeFileSync(at('data/raw/exchange=deribit/date=2026-11-20/hour=14/.deep'), '')
  t.equal(findHere(at('data'), '.deep', { deep: true }), undefined, 'below a date nobody puts a target')
  writeFileSync(join(root, '.mark'), '')
  t.equal(find(false), 'contains')
  writeFileSync(at('data/.mark'), '')
  t.equal(find(false), 'is')
  t.equal(
    findHere(at('data'), '.mark', { deep: true, isIt: path => path.includes('exchange=') })?.overlap,
    'lies within',
  )
  t.end()
})

/** A target that has what is told. */
const having = (verdictOf: (file: ExpectedFile) => Verdict | undefined, error?: EdgeError) => ({
  label: 'nas',
  verify: async (files: readonly ExpectedFile[]) => ({
    verdicts: new Map(files.flatMap(file => { const verdict = verdictOf(file); return verdict ? [[file.path, verdict] as const] : [] })), // prettier-ignore
    problems: [],
    ...(error && { error }),
  }),
})

t.test('a folder at the target that is the one here shows by a file that was put here a moment ago', async t => {
  const dataDir = t.testdir({
    raw: { '.edgetape-here-000000000000': 'of one that was killed' },
    parquet: {},
    state: 'a file',
  })
  const require = (target: ReturnType<typeof having>) =>
    requireFoldersElsewhere(dataDir, target, ['raw', 'parquet'], signal)
  await require(having(() => 'missing'))
  await t.rejects(require(having(() => 'same')), { code: 'SYNC_TARGET_NOT_ELSEWHERE', message: /nas is dataDir/ })
  await t.rejects(require(having(({ path }) => (path.startsWith('raw') ? 'same' : 'missing'))), { code: 'SYNC_TARGET_NOT_ELSEWHERE', path: 'raw' }) // prettier-ignore
  const away = new EdgeError('SYNC_TARGET_UNREACHABLE', '')
  await t.rejects(require(having(() => undefined, away)), { code: 'SYNC_TARGET_UNREACHABLE' })
  await t.rejects(require(having(({ path }) => (path.startsWith('raw') ? 'same' : undefined), away)), { code: 'SYNC_TARGET_NOT_ELSEWHERE' }) // prettier-ignore
  t.same(['raw', 'parquet'].filter(folder => existsSync(join(dataDir, folder, '.edgetape-here-000000000000'))), [], 'those of before are gone') // prettier-ignore
  const tokens = putTokens(dataDir, ['raw', 'raw', 'parquet', 'state', 'nowhere'])
  t.same(tokens.files.map(({ path }) => dirname(path)), ['raw', 'parquet'], 'one a folder') // prettier-ignore
  t.same(tokens.problems.map(({ path }) => path), ['state', 'nowhere']) // prettier-ignore
  t.ok(tokens.files.every(({ path }) => existsSync(join(dataDir, path))))
  tokens.remove()
  tokens.remove()
  t.notOk(tokens.files.some(({ path }) => existsSync(join(dataDir, path))))
})
