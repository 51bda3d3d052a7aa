import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SCHEMA_VERSION } from '../../../compactor/tables.js'
import { finishSwitch } from '../../../compactor/date/folder-switch.js'
import { readReceipts } from '../../../formats/receipt.js'
import { configSchema } from '../../../config/schema.js'
import { packageRoot } from '../../../platform/package-info.js'
import { lineHead } from '../../../formats/raw-line.js'
import { runSyncer } from '../../../syncer/main.js'
import { compactOnce, configFor, filesBelow, hashes, query, rowsOf, silent } from '../fixtures/compacted.js'
import { sealSegment, START_MS, START_US } from '../fixtures/segments.js'
import { matchAll } from '../../fixtures/match-all.js'

const HOUR_MS = 3_600_000
const NEXT_DAY = { nowMs: () => Date.parse('2026-11-23T01:00:00Z') }
const INSTRUMENTS = ['BTC-PERPETUAL', 'ETH-PERPETUAL']
const DAY = 'exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=2026-11-22'

/** An hour of quotes: `seq` counts on over the hours. */
function sealHour(dataDir: string, hour: number, rows = 100): void {
  const lines = Array.from({ length: rows }, (_, index) => {
    const seq = hour * rows + index + 1
    const [instrument_name = ''] = INSTRUMENTS.slice(seq % 2)
    const data = { timestamp: START_MS + hour * HOUR_MS + index, instrument_name, best_bid_price: seq }
    const params = { channel: `quote.${instrument_name}`, data }
    const frame = JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params })
    return Buffer.from(`${lineHead(START_US + hour * HOUR_MS * 1000 + index, 'd1', seq, 'frame')}${frame}}`)
  })
  sealSegment(dataDir, 'quote', lines, { number: hour + 1, startedMs: START_MS + hour * HOUR_MS })
}

const outputs = (dataDir: string) => hashes(join(dataDir, 'parquet'))

/** Every receipt speaks of files that are there, as they are there, and all rows are in them. */
function checkReceipts(t: Test, dataDir: string): void {
  const onDisk = hashes(dataDir)
  const named = [...readReceipts(dataDir).values()].flatMap(receipt => receipt.outputs)
  for (const output of named) t.equal(onDisk[output.path], output.sha256, output.path)
  const files = Object.keys(onDisk).filter(path => path.startsWith('parquet/'))
  t.same([...new Set(named.map(({ path }) => path))].sort(), files)
}

t.test("a day's files become one in each partition, with the rows in order", async t => {
  const dataDir = t.testdir()
  for (const hour of [0, 1, 2]) sealHour(dataDir, hour)
  await compactOnce(dataDir)
  const before = await rowsOf(dataDir, 'quote')
  t.equal(Object.keys(outputs(dataDir)).length, 6)

  await compactOnce(dataDir, { nowMs: () => Date.parse('2026-11-23T00:59:59Z') })
  t.equal(Object.keys(outputs(dataDir)).length, 6, 'not yet')
  t.match(await compactOnce(dataDir, NEXT_DAY), { segments: 0, failed: 0 })
  const after = outputs(dataDir)
  t.same(Object.keys(after), [`${DAY}/day-vps-1.parquet`, `${DAY.replace('BTC', 'ETH')}/day-vps-1.parquet`])
  t.same(await rowsOf(dataDir, 'quote'), before)
  const [order] = await query(`SELECT list(seq) AS seqs FROM '${dataDir}/parquet/${DAY}/*.parquet'`)
  const { items } = order?.['seqs'] as { items: bigint[] }
  t.same(
    items,
    [...items].sort((a, b) => Number(a - b)),
  )
  const metadata = await query(`SELECT decode(key) AS key, decode(value) AS value
    FROM parquet_kv_metadata('${dataDir}/parquet/${DAY}/*.parquet')`)
  const facts = Object.fromEntries(metadata.map(({ key, value }) => [String(key), String(value)]))
  t.match(facts, { rows: '150', table: 'quote' })
  t.same(
    JSON.parse(facts['replaces'] ?? ''),
    [14, 15, 16].map((hour, index) => `${hour}-vps-1-r1-${index + 1}.parquet`),
  )
  t.equal((JSON.parse(facts['segments'] ?? '') as string[]).length, 3)
  checkReceipts(t, dataDir)
  const replaced = readFileSync(join(dataDir, 'state/compactor/superseded-2026-11-22.jsonl'), 'utf8').trim().split('\n')
  matchAll(t, JSON.parse(replaced[0] ?? ''), { by: [`parquet/${DAY}/day-vps-1.parquet`] })

  t.match(await compactOnce(dataDir, NEXT_DAY), { segments: 0, failed: 0 })
  t.same(outputs(dataDir), after, 'and stays so')
})

t.test('a late hour is taken in; lost receipts and --rebuild give the same bytes', async t => {
  const root = t.testdir({})
  const reference = join(root, 'whole')
  const dataDir = join(root, 'late')
  for (const hour of [0, 1, 2]) sealHour(reference, hour)
  await compactOnce(reference, NEXT_DAY)

  for (const hour of [0, 2]) sealHour(dataDir, hour)
  await compactOnce(dataDir, NEXT_DAY)
  sealHour(dataDir, 1)
  t.match(await compactOnce(dataDir, NEXT_DAY), { segments: 1, failed: 0 })
  t.same(outputs(dataDir), outputs(reference))
  checkReceipts(t, dataDir)

  rmSync(join(dataDir, 'state'), { recursive: true })
  t.match(await compactOnce(dataDir, NEXT_DAY), { segments: 3, failed: 0, duplicates: 0 })
  t.same(outputs(dataDir), outputs(reference), 'without state')
  checkReceipts(t, dataDir)

  t.match(await compactOnce(dataDir, { ...NEXT_DAY, rebuild: { date: '2026-11-22' } }), { segments: 3, duplicates: 0 })
  t.same(outputs(dataDir), outputs(reference), 'rebuilt')
  t.match(await compactOnce(dataDir, { ...NEXT_DAY, rebuild: { date: '2026-11-21' } }), { segments: 0 })
  t.match(await compactOnce(dataDir, { ...NEXT_DAY, rebuild: { outdated: true } }), { segments: 0 })

  const [segment = ''] = filesBelow(join(dataDir, 'raw')).filter(path => path.endsWith('.zst'))
  rmSync(join(dataDir, 'raw', segment))
  t.match(await compactOnce(dataDir, { ...NEXT_DAY, rebuild: {} }), { failed: 1, lastError: /raw data of 1 file/ })
  t.same(outputs(dataDir), outputs(reference), 'nothing is lost for want of raw data')
})

t.test('a partition that a rebuild leaves without rows keeps a file that takes the place of the old ones', async t => {
  for (const options of [{}, NEXT_DAY]) {
    const dataDir = join(t.testdir({}), 'data')
    for (const hour of [0, 1]) sealHour(dataDir, hour)
    await compactOnce(dataDir)
    const rows = await rowsOf(dataDir, 'quote')
    // As if an earlier version had put rows where this one does not.
    const elsewhere = DAY.replace('kind=perpetual/currency=BTC', 'kind=spot/currency=DOGE')
    t.not(elsewhere, DAY)
    cpSync(join(dataDir, 'parquet', DAY), join(dataDir, 'parquet', elsewhere), { recursive: true })
    const hours = readdirSync(join(dataDir, 'parquet', elsewhere)).sort()
    t.equal(hours.length, 2)

    const rebuild = () => compactOnce(dataDir, { ...options, rebuild: { date: '2026-11-22' } })
    t.match(await rebuild(), { segments: 2, failed: 0 })
    t.same(await rowsOf(dataDir, 'quote'), rows, 'each row once')
    t.same(readdirSync(join(dataDir, 'parquet', elsewhere)), ['day-vps-1.parquet'])
    checkReceipts(t, dataDir)
    const entries = readFileSync(join(dataDir, 'state/compactor/superseded-2026-11-22.jsonl'), 'utf8')
      .trim()
      .split('\n')
    const below = `parquet/${elsewhere}`
    t.ok(
      entries.includes(
        JSON.stringify({ by: [`${below}/day-vps-1.parquet`], paths: hours.map(file => `${below}/${file}`) }),
      ),
      'and readers of copies are told',
    )
    const made = outputs(dataDir)
    await rebuild()
    t.same(outputs(dataDir), made, 'and so again')
  }
})

t.test('a file with other rows than it says stays as it is', async t => {
  const dataDir = t.testdir()
  for (const hour of [0, 1]) sealHour(dataDir, hour)
  await compactOnce(dataDir)
  const [file = ''] = filesBelow(join(dataDir, 'parquet', DAY)).map(name => join(dataDir, 'parquet', DAY, name))
  const facts = `schema_version: '${SCHEMA_VERSION}', rows: '50', double_rows: '0', segments: '[]'`
  await query(`COPY (FROM '${file}' LIMIT 49) TO '${file}.less' (FORMAT parquet, KV_METADATA {${facts}})`)
  renameSync(`${file}.less`, file)
  const before = outputs(dataDir)
  const summary = await compactOnce(dataDir, NEXT_DAY)
  t.same(outputs(dataDir), before)
  t.match(summary, { failed: 1 })
  t.match(readFileSync(join(dataDir, 'state/compactor.json'), 'utf8'), /99 rows instead of 100; the hours stay/)
})

t.test('old schema versions are found and made anew', async t => {
  const dataDir = t.testdir()
  sealHour(dataDir, 0)
  await compactOnce(dataDir)
  const receipts = join(dataDir, 'state/compactor/done-2026-11-22.jsonl')
  appendFileSync(receipts, readFileSync(receipts, 'utf8').replace('"schema_version":1', '"schema_version":0'))
  t.match(await compactOnce(dataDir, { rebuild: { outdated: true } }), { segments: 1 })
  t.match(await compactOnce(dataDir, { rebuild: { outdated: true } }), { segments: 0 })
})

t.test('rolling up is an option', async t => {
  const dataDir = t.testdir()
  for (const hour of [0, 1]) sealHour(dataDir, hour)
  await compactOnce(dataDir, { ...NEXT_DAY, config: configFor(dataDir, { rollUp: false }) })
  t.equal(Object.keys(outputs(dataDir)).length, 4)
})

t.test('readers with a plain glob see each row once at every moment, here and at a synced folder', async t => {
  const root = t.testdir({ target: {} })
  const dataDir = join(root, 'data')
  const target = join(root, 'target')
  for (const hour of [0, 1, 2, 3]) sealHour(dataDir, hour)
  const clock = { nowMs: () => NEXT_DAY.nowMs(), monotonicUs: () => 1000 * NEXT_DAY.nowMs() }
  const sync = { target, graceMinutes: 0 }
  const config = configSchema.parse({ dataDir, host: 'vps-1', exchange: { name: 'deribit' }, sync })
  const ship = async () => {
    const { signal } = new AbortController()
    t.match(await runSyncer({ config, log: silent, once: true, signal, clock }), { error: undefined, problemFiles: 0 })
    t.same(outputs(target), outputs(dataDir), 'there as here')
  }
  await compactOnce(dataDir)
  await ship()
  const readers = await Promise.all([dataDir, target].map(tree => startReader(join(tree, 'parquet', DAY))))
  for (let round = 0; round < 2; round++) {
    await sleep(50)
    await compactOnce(dataDir, NEXT_DAY)
    await ship()
    await sleep(50)
    await compactOnce(dataDir, { nowMs: () => START_MS, rebuild: {} })
    await ship()
  }
  for (const [index, end] of readers.entries()) {
    const { seen, gone } = await end()
    t.same(Object.keys(seen), ['200 of 200'], 'never twice, never missing')
    t.ok((seen['200 of 200'] ?? 0) > 10)
    t.comment(`${['here', 'there'][index]}: ${Object.values(seen).join()} right answers, ${gone} to be asked again`)
  }
})

/** Starts to count rows below a folder, over and over. */
async function startReader(folder: string) {
  const script = join(packageRoot, 'dist/test/compactor/fixtures/glob-reader.js')
  const reader = spawn(process.execPath, [script, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = text(reader.stdout)
  await once(reader.stdout, 'data')
  return async () => {
    reader.stdin.end()
    return JSON.parse((await said).trim().split('\n').at(-1) ?? '') as { seen: Record<string, number>; gone: number }
  }
}

t.test('a switch that was cut off anywhere is finished', async t => {
  const reference = t.testdir({})
  const before = join(reference, 'before')
  const after = join(reference, 'after')
  for (const hour of [0, 1]) sealHour(before, hour)
  await compactOnce(before)
  cpSync(before, after, { recursive: true, preserveTimestamps: true })
  await compactOnce(after, NEXT_DAY)
  for (const stage of ['nothing', 'first folder', 'between two renames', 'one rename later']) {
    const dataDir = join(reference, stage.replaceAll(' ', '-'))
    cpSync(before, dataDir, { recursive: true })
    prepareSwitch(dataDir, after, stage)
    finishSwitch(dataDir)
    t.same(outputs(dataDir), outputs(after), stage)
    checkReceipts(t, dataDir)
    t.notOk(existsSync(join(dataDir, 'state/compactor/switch.json')))
    t.match(await compactOnce(dataDir, NEXT_DAY), { segments: 0, failed: 0 })
    t.same(outputs(dataDir), outputs(after))
  }
})

/** Leaves `dataDir` as a compactor that died while it switched to the state of `after`. */
function prepareSwitch(dataDir: string, after: string, stage: string): void {
  const folders = [DAY, DAY.replace('BTC', 'ETH')].map(path => `parquet/${path}`)
  const waiting = join(dataDir, 'state/compactor/switch')
  mkdirSync(waiting, { recursive: true })
  for (const [index, path] of folders.entries())
    cpSync(join(after, path), join(waiting, String(index)), { recursive: true })
  const inodes = folders.map((path, index) => ({ path, inode: statSync(join(waiting, String(index))).ino }))
  const receipts = [...readReceipts(after).values()]
  const plan = { date: '2026-11-22', folders: inodes, receipts, replacements: [] }
  writeFileSync(join(dataDir, 'state/compactor/switch.json'), JSON.stringify(plan))
  const [first = ''] = folders
  if (stage === 'nothing') return
  renameSync(join(waiting, '0'), join(waiting, '0.exchanged'))
  if (stage === 'between two renames') return
  renameSync(join(dataDir, first), join(waiting, '0'))
  if (stage === 'one rename later') return
  renameSync(join(waiting, '0.exchanged'), join(dataDir, first))
}
