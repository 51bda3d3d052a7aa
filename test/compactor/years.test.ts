import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { SegmentFinder } from '../../compactor/backlog.js'
import { dropPastState } from '../../compactor/date/past-state.js'
import { FinishedDates } from '../../compactor/finished-dates.js'
import { KnownReceipts } from '../../compactor/known-receipts.js'
import { diskUseOf, type DiskUse } from '../../monitor/observe/disk-use.js'
import { appendReceipts, compactorState } from '../../formats/receipt.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { localDisk } from '../../platform/disk.js'
import { SealedHours } from '../../recorder/storage/sealed-hours.js'
import { compactOnce } from './fixtures/compacted.js'
import { rawLines, sealSegment, START_MS } from './fixtures/segments.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const quote = (n: number) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":${START_MS + n},"instrument_name":"BTC-PERPETUAL","best_bid_price":${n}}}}`
const later = START_MS + 5 * DAY_MS

/** All folders look as if nothing had happened there for long. */
function letTimePass(folder: string): void {
  execFileSync('find', [folder, '-type', 'd', '-exec', 'touch', '-d', '2026-11-20T00:00:00Z', '{}', '+'])
}

const finishedIn = (dataDir: string) => {
  const path = join(compactorState(dataDir), 'finished.json')
  return existsSync(path) ? Object.keys(JSON.parse(readFileSync(path, 'utf8')) as object) : []
}

t.test('a finished date is not gone through again, and what comes there later is found', async t => {
  const dataDir = t.testdir()
  const date = new Date(START_MS).toISOString().slice(0, 10)
  for (const number of [1, 2])
    sealSegment(dataDir, 'quote', rawLines([quote(number)]), { number, startedMs: START_MS + number * HOUR_MS })
  const atLater = { nowMs: () => later }
  t.match(await compactOnce(dataDir, atLater), { segments: 2, failed: 0 })
  t.same(finishedIn(dataDir), [], 'not at once: something may come within a tick of the clock')
  letTimePass(dataDir)
  t.match(await compactOnce(dataDir, atLater), { segments: 0 })
  t.same(finishedIn(dataDir), [date])

  // Whoever went through the hours would find that this is no manifest, and that a segment is missing from the receipts.
  const [manifest = ''] = [...rawFiles(dataDir)].flatMap(({ path, state }) =>
    state === 'manifest' ? [join(dataDir, path)] : [],
  )
  const text = readFileSync(manifest, 'utf8')
  writeFileSync(manifest, 'x')
  t.match(await compactOnce(dataDir, atLater), { segments: 0, failed: 0, backlog: 0 })
  writeFileSync(manifest, text)

  sealSegment(dataDir, 'quote', rawLines([quote(3)]), { number: 3, startedMs: START_MS + HOUR_MS })
  t.match(await compactOnce(dataDir, atLater), { failed: 0, backlog: 0 })
  const files = readdirSync(
    join(dataDir, `parquet/exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=${date}`),
  )
  t.same(files, ['day-vps-1.parquet'], 'into the hours of a finished date')
  letTimePass(dataDir)
  await compactOnce(dataDir, atLater)
  t.same(finishedIn(dataDir), [date])
  rmSync(join(dataDir, 'parquet'), { recursive: true })
  t.match(await compactOnce(dataDir, atLater), { failed: 0, frames: 3 }, 'tables that went away are made again')
  writeFileSync(join(compactorState(dataDir), 'finished.json'), '{"2026-')
  t.match(await compactOnce(dataDir, atLater), { failed: 0, segments: 0 }, 'a mark that was cut off')
})

t.test('whoever asked for the status waited until every file of all days was looked at', async t => {
  const dataDir = t.testdir()
  for (const number of [1, 2])
    sealSegment(dataDir, 'quote', rawLines([quote(number)]), { number, startedMs: START_MS + number * HOUR_MS })
  await compactOnce(dataDir, { nowMs: () => later })
  const before = diskUseOf(dataDir, later)
  t.ok(before.raw.files === 4 && before.parquet.bytes > 0)
  letTimePass(dataDir)
  await compactOnce(dataDir, { nowMs: () => later })
  t.equal(finishedIn(dataDir).length, 1)
  const sums = ({ raw, parquet }: DiskUse) => [raw, parquet]
  t.same(sums(diskUseOf(dataDir, later)), sums(before), 'what was summed up')
  for (const { path } of rawFiles(dataDir)) writeFileSync(join(dataDir, path), 'longer than what was there before')
  t.same(sums(diskUseOf(dataDir, later)), sums(before), 'and no file of it is looked at')
  t.not(diskUseOf(dataDir, START_MS + DAY_MS).raw.bytes, before.raw.bytes, 'but those of the last day are')
})

t.test('a date is not finished while a segment is open in it, or before it is rolled up', async t => {
  const dataDir = t.testdir()
  const { segment } = sealSegment(dataDir, 'quote', rawLines([quote(1)]))
  writeFileSync(join(dataDir, segment.replace('-1.jsonl.zst', '-2.jsonl.zst.open')), '')
  letTimePass(dataDir)
  await compactOnce(dataDir, { nowMs: () => later })
  letTimePass(dataDir)
  await compactOnce(dataDir, { nowMs: () => later })
  t.same(finishedIn(dataDir), [])
  rmSync(join(dataDir, segment.replace('-1.jsonl.zst', '-2.jsonl.zst.open')))
  letTimePass(dataDir)
  await compactOnce(dataDir, { nowMs: () => START_MS + HOUR_MS })
  t.same(finishedIn(dataDir), [], 'its day is not over')
  await compactOnce(dataDir, { nowMs: () => later })
  t.equal(finishedIn(dataDir).length, 1)
})

t.test('receipts go with their date; 2,000 days of them are not in memory', async t => {
  const dataDir = t.testdir()
  const dateAt = (day: number) => new Date(START_MS - day * DAY_MS).toISOString().slice(0, 10)
  const receiptOf = (day: number, n: number) => ({
    segment: `raw/exchange=deribit/channel=quote/date=${dateAt(day)}/hour=14/${dateAt(day).replaceAll('-', '')}T140000Z-vps-1-r1-${n}.jsonl.zst`,
    sha256: 'a'.repeat(64),
    outputs: [],
    ...{ rows: 1, frames: 1, written: 1, duplicates: 0, double_rows: 0, quarantined: 0, known: 0, schema_version: 1 },
  })
  const DAYS = 2000
  mkdirSync(compactorState(dataDir), { recursive: true })
  for (let day = 0; day < DAYS; day++) {
    const lines = Array.from({ length: 20 }, (_, n) => `${JSON.stringify(receiptOf(day, n + 1))}\n`)
    writeFileSync(join(compactorState(dataDir), `done-${dateAt(day)}.jsonl`), lines.join(''))
    writeFileSync(join(compactorState(dataDir), `superseded-${dateAt(day)}.jsonl`), '')
  }
  const before = process.memoryUsage().heapUsed
  const known = new KnownReceipts(dataDir)
  for (let day = 0; day < DAYS; day++) {
    if (known.get(receiptOf(day, 7).segment) === undefined) t.fail(`no receipt of ${dateAt(day)}`)
    if (day % 500 === 499) global.gc?.()
  }
  appendReceipts(dataDir, dateAt(3), [receiptOf(3, 99)])
  known.set(receiptOf(3, 99))
  t.ok(known.get(receiptOf(3, 99).segment))
  const grownMiB = (process.memoryUsage().heapUsed - before) / 1024 ** 2
  t.ok(grownMiB < 64, `${grownMiB.toFixed(1)} MiB for 2,000 days`)

  // Of one date there is raw, of one a table, of one something in quarantine; the youngest may be about to come.
  mkdirSync(join(dataDir, `quarantine/exchange=deribit/channel=quote/date=${dateAt(1000)}`), { recursive: true })
  writeFileSync(join(dataDir, `quarantine/exchange=deribit/channel=quote/date=${dateAt(1000)}/x.jsonl`), '{}\n')
  const dropped = dropPastState(dataDir, date => [dateAt(10), dateAt(20)].includes(date), START_MS)
  t.equal(dropped.length, DAYS - 3 - 3)
  const left = readdirSync(compactorState(dataDir)).filter(name => name.startsWith('done-'))
  t.same(left.sort(), [1000, 20, 10, 2, 1, 0].map(day => `done-${dateAt(day)}.jsonl`).sort())
  t.equal(readdirSync(compactorState(dataDir)).filter(name => name.startsWith('superseded-')).length, 6)

  await compactOnce(dataDir, { nowMs: () => later })
  t.same(
    readdirSync(compactorState(dataDir)).filter(name => name.startsWith('done-')),
    [`done-${dateAt(1000)}.jsonl`],
    'a compactor does it',
  )
})

/** Bytes in use once all that is not needed is gone. */
function heapMiB(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed / 1024 ** 2
}

/** But for the sign of life, one file that is replaced each second: there may be two just now. */
function filesOf(folder: string): { files: number; bytes: number } {
  const isCounted = ({ name }: { name: string }) => !name.startsWith('pulse-')
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && isCounted(entry))
  const bytes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size)
  return { files: bytes.length, bytes: bytes.reduce((sum, each) => sum + each, 0) }
}

t.test('2,000 days come and go, and neither state/ nor what programs remember grows', { timeout: 300_000 }, async t => {
  const dataDir = t.testdir()
  const dateAt = (day: number) => new Date(START_MS + day * DAY_MS).toISOString().slice(0, 10)
  const known = new KnownReceipts(dataDir)
  const finder = new SegmentFinder(dataDir)
  const hours = new SealedHours(localDisk, dataDir, 'abcdefgh')
  const told: { heap: number; files: number; bytes: number }[] = []
  for (let day = 0; day < 2000; day++) {
    const startedMs = START_MS + day * DAY_MS
    const { segment, sha256 } = sealSegment(dataDir, 'quote', rawLines([quote(1)]), { startedMs })
    const counts = { frames: 1, written: 0, duplicates: 0, double_rows: 0, quarantined: 0, known: 1 }
    const receipt = { segment, sha256, outputs: [], rows: 0, ...counts, schema_version: 1 }
    appendReceipts(dataDir, dateAt(day), [receipt])
    known.set(receipt)
    // What was verified elsewhere goes.
    rmSync(join(dataDir, `raw/exchange=deribit/channel=quote/date=${dateAt(day - 3)}`), {
      recursive: true,
      force: true,
    })
    Array.from(finder.dates(() => false))
    hours.look(startedMs)
    if (day % 100 !== 99) continue
    const { failed } = await compactOnce(dataDir, { nowMs: () => startedMs + HOUR_MS })
    if (failed > 0) t.fail(`day ${day}: ${failed} failed`)
    told.push({ heap: heapMiB(), ...filesOf(join(dataDir, 'state')) })
  }
  const [first, last] = [told[1], told.at(-1)]
  if (!first || !last) throw new Error('nothing was measured')
  t.ok(last.files <= first.files, `${first.files} files in state/ after 200 days, ${last.files} after 2,000`)
  t.ok(last.bytes <= 1.2 * first.bytes, `${first.bytes} bytes, ${last.bytes}`)
  t.ok(last.heap < first.heap + 10, `heap of ${first.heap.toFixed(1)} MiB, ${last.heap.toFixed(1)}`)
})

t.test('a start looked into each hour of all years', async t => {
  const dataDir = t.testdir()
  const DAYS = 200
  const folders = Array.from({ length: DAYS }, (_, day) => {
    const date = new Date(START_MS - day * DAY_MS).toISOString().slice(0, 10)
    return { date, raw: [`raw/exchange=deribit/channel=quote/date=${date}`], parquet: [] }
  })
  for (const { raw } of folders) mkdirSync(join(dataDir, `${raw[0] ?? ''}/hour=14`), { recursive: true })
  mkdirSync(compactorState(dataDir), { recursive: true })
  letTimePass(dataDir)
  const first = new FinishedDates(dataDir)
  for (const { date, ...own } of folders) first.addIf(date, own, () => true)
  first.save()

  // As if somebody had put a file there: the hour's folder tells, and no other.
  const changed = folders[120]
  if (!changed) throw new Error('no such day')
  writeFileSync(join(dataDir, `${changed.raw[0] ?? ''}/hour=14/x`), '')
  const started = new FinishedDates(dataDir)
  const seen = new Set<string>()
  let nowMs = 0
  for (let turns = 0; started.isMarked(changed.date); nowMs += 1000) {
    const turn = started.turn(nowMs)
    if (!turn) continue
    t.ok(turn.size > 0 && turn.size <= 64, `${turn.size} of ${DAYS} dates at once`)
    for (const { date, ...own } of folders)
      t.equal(started.has(date, own, turn.has(date)), date !== changed.date || !turn.has(date))
    for (const date of turn) seen.add(date)
    if (++turns > DAYS / 64 + 1) break
  }
  t.notOk(started.isMarked(changed.date), 'its turn came')
  t.ok(nowMs <= 20 * 60_000, 'within twenty minutes')

  const { date, ...own } = folders[7] ?? changed
  rmSync(join(dataDir, own.raw[0] ?? '', 'hour=14'), { recursive: true })
  const isKnown = new FinishedDates(dataDir).has(date, own, false)
  t.notOk(isKnown, 'an hour that went away is seen at once')
})
