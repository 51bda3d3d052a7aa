/** What the syncer reads of a file before it goes, what it writes down of it, and what it is asked to look at again. */
import { existsSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { DateLedger, syncerState, type FileRecord } from '../../formats/ledger.js'
import { EdgeError } from '../../platform/edge-error.js'
import { checksumFile, checksumsOf } from '../../syncer/checksum.js'
import { LedgerStore } from '../../syncer/ledger-store.js'
import { readDate, type LocalFile } from '../../syncer/local-tree.js'
import { askToLookAgain, takeAsked } from '../../syncer/look-again.js'
import { prepareFile } from '../../syncer/outgoing.js'
import { emptyMemory, type PassWork } from '../../syncer/pass-work.js'
import { planDate } from '../../syncer/plan.js'
import { PreparedFiles } from '../../syncer/prepared-files.js'
import { indexReceipts } from '../../syncer/receipts.js'
import { flipByte, HOUR_14, ShippedTree, sha256 } from '../fixtures/shipped-tree.js'

const DATE = '2026-11-20'
const { signal } = new AbortController()
const noReceipts = indexReceipts([])

function fileIn(tree: ShippedTree, path: string): LocalFile {
  const found = readDate(tree.dataDir, [dirname(path)]).files.find(file => file.path === path)
  if (!found) throw new Error(`no file: ${path}`)
  return found
}

t.test('a file is shipped as what its maker wrote down, or not at all', async t => {
  const tree = new ShippedTree(t.testdir())
  const segment = tree.segment(1)
  const parquet = tree.compacted(segment, 1)
  const quarantine = tree.quarantine(1)
  const receipts = indexReceipts([
    { segment, sha256: '', schema_version: 1, rows: 1, frames: 1, written: 1, duplicates: 0, double_rows: 0, quarantined: 0, known: 0, outputs: [{ path: parquet, rows: 1, bytes: 1, sha256: sha256('parquet 1\n') }] },
  ]) // prettier-ignore
  const context = { dataDir: tree.dataDir, receipts, signal }
  for (const path of [segment, parquet, quarantine]) {
    const file = fileIn(tree, path)
    const out = await prepareFile(file, true, context)
    t.match(out, { path, replace: true, bytes: file.bytes, mtimeMs: file.mtimeMs, sha256: sha256(tree.read(path)) })
  }
  const known: FileRecord = {
    ...fileIn(tree, quarantine),
    ...checksumsOf('{"reason":"not JSON"}\n'),
    state: 'shipped',
    atMs: 1,
  }
  for (const [path, record] of [[segment, undefined], [parquet, undefined], [quarantine, known]] as const) {
    const file = fileIn(tree, path)
    flipByte(join(tree.dataDir, path))
    await t.rejects(prepareFile(file, false, { ...context, record }), { code: 'SYNC_SOURCE_CORRUPT', path }, path)
  } // prettier-ignore
  const other = { ...known, mtimeMs: known.mtimeMs - 5 }
  t.match(
    await prepareFile(fileIn(tree, quarantine), false, { ...context, record: other }),
    { path: quarantine },
    'a record of another version says nothing',
  )
  writeFileSync(join(tree.dataDir, segment.replace('.jsonl.zst', '.json')), '{"format_version":1')
  await t.rejects(prepareFile(fileIn(tree, segment), false, context), { code: 'MANIFEST_INVALID' })
})

t.test(
  'what reading a file told is remembered until it is shipped or changes, and errors of the disk are not',
  async t => {
    const tree = new ShippedTree(t.testdir())
    const [good, bad] = [tree.segment(1), tree.segment(2)]
    const prepared = new PreparedFiles()
    let asked = 0
    const context = { dataDir: tree.dataDir, receipts: () => (asked++, noReceipts), signal }
    const files = { good: fileIn(tree, good), bad: fileIn(tree, bad) }
    flipByte(join(tree.dataDir, bad))
    t.match(await prepared.read(files.good, false, context), { file: { path: good, replace: false } })
    t.match(await prepared.read(files.bad, false, context), { reason: /its sha256 is/ })
    renameSync(join(tree.dataDir, 'raw'), join(tree.dataDir, 'moved'))
    t.match(await prepared.read(files.good, true, context), { file: { path: good, replace: true } }, 'not read again')
    t.match(await prepared.read(files.bad, true, context), { reason: /its sha256 is/ })
    prepared.forget([good])
    t.equal(await prepared.read(files.good, false, context), 'gone')
    renameSync(join(tree.dataDir, 'moved'), join(tree.dataDir, 'raw'))
    t.match(
      await prepared.read(files.good, false, context),
      { file: { path: good } },
      'what may pass was not remembered',
    )
    t.equal(asked, 0, 'no receipts for what is no Parquet')
    const stop = AbortSignal.abort(new EdgeError('STOPPED', ''))
    prepared.clear()
    const large = tree.write(good, 'x'.repeat(17 * 1024 * 1024))
    await t.rejects(prepared.read(fileIn(tree, large), false, { ...context, signal: stop }), { code: 'STOPPED' })
  },
)

t.test('the sums of a file of any length are those of its text, and behind a link there is none', async t => {
  const folder = t.testdir()
  for (const length of [0, 1, 1024 * 1024, 16 * 1024 * 1024 + 1]) {
    const text = 'ab\n'.repeat(Math.ceil(length / 3)).slice(0, length)
    writeFileSync(join(folder, 'file'), text)
    t.same(await checksumFile(join(folder, 'file'), signal), checksumsOf(text), `${length} bytes`)
  }
  symlinkSync(join(folder, 'file'), join(folder, 'link'))
  await t.rejects(checksumFile(join(folder, 'link'), signal), { code: 'ELOOP' })
})

t.test('what was asked to be looked at again is, once, over a crash, and what was never brought is not', t => {
  const tree = new ShippedTree(t.testdir())
  const { dataDir } = tree
  const [first, second, never] = [tree.segment(1), tree.segment(2), tree.segment(3)]
  const ledgers = new LedgerStore(syncerState(dataDir), 'nas')
  ledgers.meet('one')
  const record = (path: string): FileRecord => ({
    ...fileIn(tree, path),
    ...checksumsOf('x'),
    state: 'verified',
    atMs: 77,
  })
  const work = { dataDir, ledgers, memory: emptyMemory() } as unknown as PassWork
  ledgers.of(DATE).append([record(first), record(second)])
  takeAsked(work)
  t.equal(ledgers.of(DATE).get(first)?.state, 'verified', 'nobody asked')

  askToLookAgain(dataDir, [{ path: first, as: 'doubted' }, { path: second, as: 'unknown' }, { path: never, as: 'doubted' }, { path: 'etc/passwd', as: 'doubted' }]) // prettier-ignore
  const asked = join(syncerState(dataDir), 'look-again.jsonl')
  writeFileSync(asked, '{"path":1}\nno json\n', { flag: 'a' })
  // Cut off behind the first step of the one before.
  renameSync(asked, `${asked}.taken`)
  takeAsked(work)
  const after = ledgers.of(DATE)
  t.match(after.get(first), { state: 'shipped', atMs: 0 })
  t.match(after.get(second), { state: 'missing', mtimeMs: 0 })
  t.equal(after.get(never), undefined)
  t.notOk(existsSync(`${asked}.taken`))
  const plan = planDate(
    readDate(dataDir, [dirname(first)]).files.filter(({ path }) => !path.includes('abc-3')),
    path => after.get(path),
    HOUR_14,
    60_000,
  )
  t.same(plan.verify.map(({ path }) => path), [first], 'compared at once') // prettier-ignore
  const brought = plan.ship.filter(({ file }) => file.kind === 'segment')
  t.same(brought.map(({ file, replace }) => [file.path, replace]), [[second, false]], 'and nothing put aside for it') // prettier-ignore
  after.append([record(first)])
  takeAsked(work)
  t.equal(new LedgerStore(syncerState(dataDir), 'nas').of(DATE).get(first)?.state, 'verified', 'asked once')
  t.end()
})

t.test('a file that was brought by a clock that was years ahead was never compared, and never deleted here', t => {
  const tree = new ShippedTree(t.testdir())
  const file = fileIn(tree, tree.segment(1))
  const record: FileRecord = { ...file, ...checksumsOf('x'), state: 'shipped', atMs: HOUR_14 + 4 * 365 * 86_400_000 }
  const kindOf = (nowMs: number, atMs = record.atMs) => {
    const plan = planDate([file], () => ({ ...record, atMs }), nowMs, 900_000)
    return plan.verify.length > 0 ? 'verify' : plan.waiting.length > 0 ? 'wait' : 'else'
  }
  t.equal(kindOf(HOUR_14), 'verify')
  t.equal(kindOf(HOUR_14, HOUR_14 - 899_999), 'wait')
  t.equal(kindOf(HOUR_14, HOUR_14 - 900_000), 'verify')
  t.equal(kindOf(HOUR_14, HOUR_14 + 600_000), 'wait', 'set back by some minutes, it waits these, too')
  t.end()
})

t.test('a ledger knows the last word on each file, whatever was torn, and forgets a date whole', t => {
  const folder = t.testdir({})
  const record = (path: string, atMs: number): FileRecord => ({
    path,
    bytes: 1,
    mtimeMs: 2,
    ...checksumsOf('x'),
    state: 'shipped',
    atMs,
  })
  const ledger = new DateLedger(folder, DATE)
  ledger.append([record('a', 1), record('b', 1), record('a', 2)])
  writeFileSync(
    join(folder, `${DATE}.jsonl`),
    `{"path":"c","state":"eaten"}\n\n${JSON.stringify(record('d', 3)).slice(0, -1)}`,
    {
      flag: 'a',
    },
  )
  const again = new DateLedger(folder, DATE, true)
  t.same(['a', 'b', 'c', 'd'].map(path => again.get(path)?.atMs), [2, 1, undefined, undefined], 'half a line was never written') // prettier-ignore
  again.remove()
  t.equal(new DateLedger(folder, DATE).size, 0)
  t.end()
})
