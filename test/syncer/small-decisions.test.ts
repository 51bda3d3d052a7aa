import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { deribit } from '../../exchanges/deribit/main.js'
import { tables } from '../../compactor/tables.js'
import { EdgeError } from '../../platform/edge-error.js'
import { segmentPath } from '../../formats/raw-path.js'
import { DateLedger, readAccount, type FileRecord } from '../../formats/ledger.js'
import { LedgerStore } from '../../syncer/ledger-store.js'
import { listDates, readDate } from '../../syncer/local-tree.js'
import { pauseAfter } from '../../syncer/pace.js'
import { verifiedThrough } from '../../syncer/verified-through.js'
import { isOpen, parseWindow } from '../../syncer/window.js'
import { batchesOf } from '../../syncer/plan.js'
import { finishedFolders, retire } from '../../syncer/retire.js'
import { parseShippedName } from '../../syncer/shipped-name.js'
import { replacedListPath } from '../../formats/replaced-files.js'
import { ShippedTree } from '../fixtures/shipped-tree.js'
import { matchAll } from '../fixtures/match-all.js'

t.test('names that are shipped, and none else', t => {
  const hour = 'raw/exchange=deribit/channel=trades/date=2026-11-20/hour=14'
  const name = '20261120T140000Z-h-abc-1'
  const parquet = 'parquet/exchange=deribit/table=trades/kind=option/currency=BTC/date=2026-11-20'
  const quarantine = 'quarantine/exchange=deribit/channel=trades/date=2026-11-20'
  const end = Date.parse('2026-11-20T15:00:00Z')
  for (const [path, kind] of [
    [`${hour}/${name}.jsonl.zst`, 'segment'],
    [`${hour}/${name}.json`, 'manifest'],
    [`${parquet}/14-h-abc-1.parquet`, 'parquet'],
    [`${hour.replace('/hour=14', '')}/${name.replace('Z-', 'Z_1h-')}.jsonl.zst`, 'segment'],
    [`${hour.replace('/hour=14', '')}/${name.replace('Z-', 'Z_1h-')}.json`, 'manifest'],
    [`${quarantine}/${name}.jsonl`, 'quarantine'],
    [`${quarantine}/${name.replace('Z-', 'Z_1h-')}.jsonl`, 'quarantine'],
  ] as const) {
    t.same(parseShippedName(path), { kind, date: '2026-11-20', hourMs: end - 3_600_000, hourEndMs: end }, path)
  }
  const dayEndMs = Date.parse('2026-11-21T00:00:00Z')
  for (const [path, kind, hourMs] of [
    [`${hour.replace('/hour=14', '')}/${name}.jsonl.zst`, 'segment', end - 3_600_000],
    [`${hour.replace('/hour=14', '')}/${name}.json`, 'manifest', end - 3_600_000],
    [`${parquet}/24-h-abc-1.parquet`, 'parquet', dayEndMs - 24 * 3_600_000],
  ] as const)
    t.same(parseShippedName(path), { kind, date: '2026-11-20', hourMs, hourEndMs: dayEndMs }, `${path} may go on`)
  const day = { kind: 'parquet', date: '2026-11-20', hourMs: dayEndMs - 3_600_000, hourEndMs: dayEndMs }
  t.same(parseShippedName(`${parquet}/day-h.parquet`), day, "a day's file ends with the day")
  const notice = 'superseded/date=2026-11-20/superseded-h.jsonl'
  t.same(parseShippedName(notice), { ...day, kind: 'superseded' }, 'and so does what says what it replaced')
  const list = 'lists/date=2026-11-20/list-h_abcdefgh.jsonl'
  t.same(parseShippedName(list), { ...day, kind: 'lists' }, 'and the list of its files')
  const report = 'reports/date=2026-11-20/report-h_abcdefgh.html'
  t.same(parseShippedName(report), { ...day, kind: 'reports' }, 'and the report of the day')
  for (const path of [
    `${hour}/${name}.jsonl.zst.open`,
    `${hour}/${name}.jsonl.zst.rewriting`,
    `${hour}/.${name}.jsonl.zst`,
    `${hour}/../${name}.jsonl.zst`,
    `${hour.replace('14', '15')}/${name}.jsonl.zst`,
    `${parquet}/.14-h-abc-1.parquet`,
    `${parquet}/14-h-abc-1.parquet.tmp`,
    `${parquet}/25-h-abc-1.parquet`,
    `${parquet}/x/14-h-abc-1.parquet`,
    `${parquet.replace('2026-11-20', '2026-13-20')}/14-h-abc-1.parquet`,
    `${quarantine}/${name}.jsonl.tmp`,
    'superseded/date=2026-11-20/.superseded-h.jsonl',
    'superseded/superseded-h.jsonl',
    `${report}.tmp`,
    'reports/report-h.html',
    'state/syncer/2026-11-20.jsonl',
    'edgetape.yaml',
  ]) {
    t.equal(parseShippedName(path), undefined, path)
  }
  t.end()
})

t.test('links in the tree are not followed, and nothing behind them is deleted', t => {
  const folder = t.testdir({ data: {}, elsewhere: {} })
  const elsewhere = new ShippedTree(join(folder, 'elsewhere'))
  elsewhere.segment(1)
  const tree = new ShippedTree(join(folder, 'data'))
  const segment = tree.segment(2)
  const channels = 'raw/exchange=deribit'
  symlinkSync(join(folder, 'elsewhere', channels, 'channel=trades'), join(folder, 'data', channels, 'channel=quote'))
  const date = join(folder, 'data', channels, 'channel=trades/date=2026-11-20')
  symlinkSync('/etc/hostname', join(date, '20261120T140000Z-h-abc-9.jsonl.zst'))
  const dates = listDates(tree.dataDir)
  const local = readDate(tree.dataDir, dates.get('2026-11-20') ?? [])
  t.same(
    local.files.map(({ path }) => path),
    [segment.replace('.jsonl.zst', '.json'), segment],
  )

  const path = segment.replace('channel=trades', 'channel=quote').replace('abc-2', 'abc-1')
  const [file] = local.files
  if (!file) throw new Error('no file')
  const { files, problems } = retire(tree.dataDir, [{ ...file, path }])
  t.equal(files, 0)
  matchAll(t, problems, [{ path, reason: /is a link/ }])
  t.ok(existsSync(join(tree.dataDir, path)))

  for (const earlier of [{ bytes: file.bytes + 1 }, { mtimeMs: file.mtimeMs - 1 }]) {
    const changed = retire(tree.dataDir, [{ ...file, ...earlier }])
    matchAll(t, changed, { files: 0, problems: [{ reason: /not the file that was verified/ }] })
  }
  t.ok(existsSync(join(tree.dataDir, file.path)))
  t.end()
})

t.test('names are safe on SMB and where case does not count', t => {
  const longest = {
    host: `H${'o'.repeat(38)}t`,
    run: 'zzzzzzzz',
    number: 999_999,
    startedMs: Date.UTC(2026, 10, 20, 14),
  }
  const families = [...new Set([...tables, ...deribit.families].map(({ name }) => name))]
  const paths = families.flatMap(channel => {
    const segment = { exchange: 'deribit', channel, ...longest }
    const partition = { kind: 'future_combo', currency: 'A1234567890123456' } as const
    const folder = `parquet/exchange=deribit/table=${channel}/kind=${partition.kind}/currency=${partition.currency}/date=2026-11-20`
    return [
      segmentPath(segment, 'sealed'),
      segmentPath(segment, 'manifest'),
      `${folder}/14-${longest.host}-${longest.run}-${longest.number}.parquet`,
      `${folder}/day-${longest.host}.parquet`,
      replacedListPath('2026-11-20', longest.host),
    ]
  })
  t.ok(paths.length > 100, `${paths.length} paths`)
  const parts = [...new Set(paths.flatMap(path => path.split('/')))]
  const without = (pattern: RegExp) => parts.filter(part => !pattern.test(part))
  const having = (pattern: RegExp) => parts.filter(part => pattern.test(part))
  t.same(
    paths.filter(path => !parseShippedName(path)),
    [],
    'each is a name of ours',
  )
  t.same(without(/^[A-Za-z0-9][A-Za-z0-9._=-]{0,119}$/), [], 'characters that every file system has')
  t.same(having(/[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i), [], 'no name that Windows keeps for itself')
  t.equal(new Set(families.map(name => name.toLowerCase())).size, families.length, 'families differ in more than case')
  const odd = 'raw/exchange=deribit/channel=trades/date=2026-11-20/hour=14/20261120T140000Z-h:1-abc-1.jsonl.zst'
  for (const path of [
    odd,
    odd.replace(':', '\\'),
    odd.replace(':', ' '),
    odd.replace(':', '*'),
    odd.replace(':', 'ü'),
  ]) {
    t.equal(parseShippedName(path), undefined, path)
  }
  t.end()
})

t.test('the ledger', t => {
  const folder = t.testdir({})
  const record = (path: string, state: FileRecord['state']): FileRecord => ({
    ...{ path, bytes: 1, mtimeMs: 2, sha256: 'a', md5: 'b', state, atMs: 3 },
  })
  new DateLedger(folder, '2026-11-20').append([record('x', 'shipped'), record('y', 'shipped')])
  new DateLedger(folder, '2026-11-20').append([record('x', 'verified')])
  const file = join(folder, '2026-11-20.jsonl')
  appendFileSync(file, JSON.stringify(record('y', 'verified')).slice(0, 40))
  const torn = new DateLedger(folder, '2026-11-20')
  t.equal(torn.get('x')?.state, 'verified')
  t.equal(torn.get('y')?.state, 'shipped', 'a torn line counts as never written')
  torn.append([record('z', 'shipped')])
  t.equal(new DateLedger(folder, '2026-11-20').get('z')?.state, 'shipped', 'and does not spoil the next one')

  const busy = new DateLedger(folder, '2026-11-21')
  for (let n = 0; n < 200; n++) busy.append([record('x', 'shipped')])
  t.equal(new DateLedger(folder, '2026-11-21').size, 1)
  t.equal(readFileSync(join(folder, '2026-11-21.jsonl'), 'utf8').split('\n').length, 2, 'compacted on load')
  t.end()
})

t.test('what was verified at one target says nothing about another', t => {
  const folder = t.testdir({})
  const record = { path: 'x', bytes: 1, mtimeMs: 2, sha256: 'a', md5: 'b', state: 'verified', atMs: 3 } as const
  const store = new LedgerStore(folder, '/mnt/nas')
  store.meet('disk 1')
  store.of('2026-11-20').append([record])
  store.meet('disk 2')
  t.equal(store.of('2026-11-20').size, 0)
  t.equal(new LedgerStore(folder, '/mnt/other').identity, undefined)
  const again = new LedgerStore(folder, '/mnt/nas')
  t.equal(again.identity, 'disk 2')
  again.of('2026-11-20').append([record])
  t.equal(new LedgerStore(folder, '/mnt/nas').of('2026-11-20').size, 1)
  again.meet('disk 1')
  t.equal(again.of('2026-11-20').size, 0, 'the account of a target ended when another took its place')
  again.forgetAllBut(new Set())
  t.equal(again.of('2026-11-20').size, 0)
  t.end()
})

t.test('pauses', t => {
  const error = (code: string) => new EdgeError(code, '')
  t.equal(pauseAfter(undefined, 0, 5), 300_000)
  t.equal(pauseAfter(undefined, 0, 0), 1000)
  t.same(
    [1, 2, 3, 4, 5, 100].map(failures => pauseAfter(error('SYNC_TARGET_UNREACHABLE'), failures, 0)),
    [5000, 10_000, 20_000, 40_000, 60_000, 60_000],
  )
  t.equal(pauseAfter(error('SYNC_TARGET_FULL'), 1, 0), 900_000)
  t.equal(pauseAfter(error('SYNC_TARGET_SUSPECT'), 1, 0), Infinity)
  t.end()
})

t.test('batches are bounded in count and size', t => {
  const sizes = [1, 1, 1, 9, 20, 1]
  t.same([...batchesOf(sizes, size => size, { files: 2, bytes: 10 })], [[1, 1], [1, 9], [20], [1]])
  const growing = [...batchesOf(Array<number>(40).fill(1), size => size, { files: 16, bytes: 100 }, true)]
  t.same(
    growing.map(({ length }) => length),
    [2, 4, 8, 16, 10],
    'the first ones small, where it matters how soon they go',
  )
  t.same([...batchesOf([], size => size, { files: 2, bytes: 10 })], [])
  t.end()
})

t.test('folders that nobody will write to again', t => {
  const folders = ['raw/a/date=2026-11-20/hour=14', 'raw/a/date=2026-11-20', 'parquet/a/date=2026-11-20']
  const at = (iso: string, hasRaw = false) => finishedFolders(folders, '2026-11-20', Date.parse(iso), hasRaw)
  t.same(at('2026-11-20T16:00:00Z'), [])
  t.same(at('2026-11-21T00:59:59Z'), [])
  t.same(at('2026-11-21T01:00:00Z'), folders)
  t.same(at('2026-11-21T01:00:00Z', true), folders.slice(0, 2))
  t.end()
})

t.test('an empty dataDir has no dates', t => {
  const folder = t.testdir({})
  t.equal(listDates(folder).size, 0)
  mkdirSync(join(folder, 'raw'))
  writeFileSync(join(folder, 'parquet'), '')
  t.equal(listDates(folder).size, 0)
  t.end()
})

t.test('the daily window, over midnight too', t => {
  const at = (time: string) => Date.parse(`2026-11-20T${time}:00Z`)
  const night = parseWindow('22:00-06:30')
  t.same(
    ['21:59', '22:00', '00:00', '06:29', '06:30', '12:00'].map(time => isOpen(night, at(time))),
    [false, true, true, true, false, false],
  )
  const day = parseWindow('09:00-17:00')
  t.same(
    ['08:59', '09:00', '16:59', '17:00'].map(time => isOpen(day, at(time))),
    [false, true, true, false],
  )
  t.ok(isOpen(parseWindow(undefined), at('03:00')))
  t.end()
})

t.test('verified through the last hour before the first that is not', t => {
  const hour = (n: number) => n * 3_600_000
  t.equal(verifiedThrough([]), undefined)
  t.equal(verifiedThrough([{ newestEndMs: hour(14), firstOpenMs: undefined }]), hour(14))
  t.equal(verifiedThrough([{ newestEndMs: hour(14), firstOpenMs: hour(14) }]), hour(14), 'one is being written')
  t.equal(verifiedThrough([{ newestEndMs: hour(14), firstOpenMs: hour(3) }]), hour(3), 'one since the third hour')
  t.equal(verifiedThrough([{ newestEndMs: undefined, firstOpenMs: hour(3) }]), undefined, 'nothing was sealed')
  t.equal(
    verifiedThrough([
      { newestEndMs: hour(24), firstOpenMs: hour(19) },
      { newestEndMs: hour(30), firstOpenMs: undefined },
    ]),
    hour(19),
  )
  t.end()
})

t.test('another target was met, and the account of the old one still counted when that was cut off', t => {
  const stateDir = t.testdir()
  new LedgerStore(stateDir, 'nas').meet('one')
  t.match(readAccount(stateDir), { target: 'nas' })
  const [identity = ''] = readdirSync(stateDir).filter(name => name.startsWith('target-'))
  mkdirSync(join(stateDir, `${identity}.tmp`))
  t.throws(() => new LedgerStore(stateDir, 'nas').meet('other'), { code: 'EISDIR' })
  t.equal(readAccount(stateDir), undefined)
  t.end()
})
