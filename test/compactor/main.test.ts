import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCompactor } from '../../compactor/main.js'
import { realDisk, type PublishDisk } from '../../compactor/segment/publish.js'
import { packageRoot } from '../../platform/package-info.js'
import { withState } from '../../formats/raw-path.js'
import { compactOnce, configFor, filesBelow, hashes, query, rowsOf, silent } from './fixtures/compacted.js'
import { rawLine, rawLines, sealSegment } from './fixtures/segments.js'

const quote = (instrument: string, price = 1) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X","data":{"timestamp":1790133840887,"instrument_name":${JSON.stringify(instrument)},"best_bid_price":${price}}}}`

const instruments = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'BTC-25DEC26-60000-C', 'SOL_USDC-PERPETUAL']
const quotes = (count: number) =>
  Array.from({ length: count }, (_, index) => quote(instruments[index % instruments.length] ?? '', index))
const outputs = (dataDir: string) => hashes(join(dataDir, 'parquet'))
const receipts = (dataDir: string) =>
  readFileSync(join(dataDir, 'state/compactor/done-2026-11-22.jsonl'), 'utf8').trimEnd().split('\n')

t.test('the same input gives the same bytes, with one thread or two', async t => {
  const results = []
  for (const threads of [1, 2, 1]) {
    const dataDir = t.testdir()
    sealSegment(dataDir, 'quote', [...rawLines(quotes(30_000)), Buffer.from('bad')])
    await runCompactor({ config: configFor(dataDir, { threads }), log: silent, once: true })
    results.push({ ...outputs(dataDir), ...hashes(join(dataDir, 'quarantine')) })
  }
  t.equal(Object.keys(results[0] ?? {}).length, 6)
  t.same(results[1], results[0])
  t.same(results[2], results[0])
})

t.test('files are sorted, partitioned and say what they are made from', async t => {
  const dataDir = t.testdir()
  const { segment, sha256 } = sealSegment(dataDir, 'quote', rawLines([...quotes(8)].reverse()))
  await compactOnce(dataDir)
  t.same(Object.keys(outputs(dataDir)), [
    'exchange=deribit/table=quote/kind=option/currency=BTC/date=2026-11-22/14-vps-1-r1-1.parquet',
    'exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=2026-11-22/14-vps-1-r1-1.parquet',
    'exchange=deribit/table=quote/kind=perpetual/currency=ETH/date=2026-11-22/14-vps-1-r1-1.parquet',
    'exchange=deribit/table=quote/kind=perpetual/currency=USDC/date=2026-11-22/14-vps-1-r1-1.parquet',
  ])
  const tree = `${dataDir}/parquet/exchange=deribit/table=quote`
  const files = `${tree}/*/currency=BTC/*/*.parquet`
  const metadata = await query(`SELECT DISTINCT decode(key) AS key, decode(value) AS value
    FROM parquet_kv_metadata('${files}') ORDER BY 1`)
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  t.same(Object.fromEntries(metadata.map(({ key, value }) => [key, value])), {
    double_rows: '0',
    edgetape: version,
    rows: '2',
    schema_version: '1',
    segments: JSON.stringify([sha256]),
    table: 'quote',
  })
  const [receipt = ''] = receipts(dataDir)
  t.match(JSON.parse(receipt), { segment, sha256, rows: 8, frames: 8, written: 8, quarantined: 0, known: 0 })
  const { outputs: named } = JSON.parse(receipt) as { outputs: { path: string; sha256: string; rows: number }[] }
  const onDisk = hashes(dataDir)
  for (const output of named) t.match(output, { rows: 2, sha256: onDisk[output.path] })

  const [row] = await query(`SELECT list(seq) AS seqs FROM '${tree}/kind=perpetual/currency=BTC/*/*.parquet'`)
  t.same(row?.['seqs'], { items: [4n, 8n] })
  const types = await query(`DESCRIBE FROM '${files}'`)
  t.same(
    types.slice(0, 7).map(({ column_name, column_type }) => `${String(column_name)} ${String(column_type)}`),
    [
      'recv_ts TIMESTAMP WITH TIME ZONE',
      'exchange_ts TIMESTAMP WITH TIME ZONE',
      'instrument_name VARCHAR',
      'conn VARCHAR',
      'seq BIGINT',
      'source VARCHAR',
      'best_bid_price DOUBLE',
    ],
  )
})

t.test('a second run changes nothing; --rebuild and lost state give the same again', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'quote', rawLines(quotes(100)))
  await compactOnce(dataDir)
  const before = outputs(dataDir)
  t.match(await compactOnce(dataDir), { segments: 0, failed: 0 })

  const [damaged = ''] = Object.keys(before)
  writeFileSync(join(dataDir, 'parquet', damaged), 'rot')
  t.match(await compactOnce(dataDir, { rebuild: {} }), { segments: 1 })
  t.same(outputs(dataDir), before)

  rmSync(join(dataDir, 'state'), { recursive: true })
  t.match(await compactOnce(dataDir), { segments: 1 })
  t.same(outputs(dataDir), before)

  rmSync(join(dataDir, 'parquet', damaged))
  appendFileSync(join(dataDir, 'state/compactor/done-2026-11-22.jsonl'), '{"segment":"raw/torn')
  t.match(await compactOnce(dataDir), { segments: 1 }, 'an output that is gone is made again')
  t.same(outputs(dataDir), before)
  t.match(await compactOnce(dataDir), { segments: 0 }, 'a torn receipt hides no other')
})

t.test('whatever step fails, the next run gives the same files', async t => {
  const reference = t.testdir()
  sealSegment(reference, 'quote', rawLines(quotes(100)))
  await compactOnce(reference)
  for (const step of ['fsyncFile', 'rename', 'syncFolder', 'appendReceipts'] as const) {
    for (const call of [1, 3]) {
      const dataDir = t.testdir()
      sealSegment(dataDir, 'quote', rawLines(quotes(100)))
      let calls = 0
      const failing = new Proxy(realDisk, {
        get(disk, name: keyof PublishDisk) {
          if (name !== step || ++calls !== call) return disk[name]
          return () => {
            throw new Error(`injected: ${step}`)
          }
        },
      })
      const failed = await compactOnce(dataDir, { disk: failing })
      if (call === 1 || step !== 'appendReceipts') t.match(failed, { failed: 1, lastError: /injected/ }, step)
      t.same(filesBelow(join(dataDir, 'state/compactor/tmp')), [], 'no temporary files')
      await compactOnce(dataDir)
      t.same(outputs(dataDir), outputs(reference), `${step}, call ${call}`)
    }
  }
})

t.test('a segment that is not what its manifest says does not stop the others', async t => {
  const dataDir = t.testdir()
  const first = sealSegment(dataDir, 'quote', rawLines(quotes(3)), { number: 1 })
  const second = sealSegment(dataDir, 'quote', rawLines(quotes(4)), { number: 2 })
  sealSegment(dataDir, 'quote', rawLines(quotes(5)), { number: 3 })
  appendFileSync(join(dataDir, first.segment), 'rot')
  rmSync(join(dataDir, withState(second.segment, 'manifest')))
  t.match(await compactOnce(dataDir), { segments: 1, failed: 2, rows: { quote: 5 } })
  const status = JSON.parse(readFileSync(join(dataDir, 'state/compactor.json'), 'utf8')) as object
  t.match(status, { backlog_segments: 2, failed: 2, failing: 2, quarantined: 0, last_error: /r1-2.*no manifest/ })
})

t.test(
  'a segment with fewer lines than its manifest says becomes no table: every line has a row or a reason',
  async t => {
    const dataDir = t.testdir()
    const { segment } = sealSegment(dataDir, 'quote', rawLines(quotes(8)))
    const path = join(dataDir, withState(segment, 'manifest'))
    const manifest = readFileSync(path, 'utf8')
    writeFileSync(path, manifest.replace('"frames":8,', '"frames":9,'))
    t.match(await compactOnce(dataDir), { segments: 0, failed: 1 })
    t.match(
      readFileSync(join(dataDir, 'state/compactor.json'), 'utf8'),
      /8 lines are accounted for, its manifest says 9/,
    )
    t.same(filesBelow(join(dataDir, 'parquet')), [])
    writeFileSync(path, manifest)
    t.match(await compactOnce(dataDir), { segments: 1, failed: 0 })
  },
)

t.test('names from the wire stay within the partition tree', async t => {
  const dataDir = t.testdir()
  const names = [
    '../../x',
    'a/b',
    'nul\u0000',
    'Y'.repeat(300),
    'BTC-PERPETUAL',
    'btc-PERPETUAL',
    '',
    "'; DROP TABLE staged; --",
  ]
  sealSegment(dataDir, 'quote', rawLines(names.map(name => quote(name))))
  t.match(await compactOnce(dataDir), { segments: 1, rows: { quote: names.length } })
  t.same(Object.keys(outputs(dataDir)), [
    'exchange=deribit/table=quote/kind=none/currency=OTHER/date=2026-11-22/14-vps-1-r1-1.parquet',
    'exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=2026-11-22/14-vps-1-r1-1.parquet',
  ])
  t.same(
    (await rowsOf(dataDir, 'quote')).map(row => row['instrument_name']),
    names,
  )
})

t.test('frames of any JSON type', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'rpc', [rawLine('null', 1), rawLine('"text"', 2), rawLine('[1]', 3), Buffer.from('{"a":1}')])
  t.match(await compactOnce(dataDir), { rows: { frames: 3 }, quarantined: 1 })
})
t.test('the memory setting is honoured: a sort larger than it spills, and spills are removed', async t => {
  const dataDir = t.testdir()
  const wide = Array.from({ length: 50_000 }, (_, id) => `{"id":${id},"result":"${'x'.repeat(2000)}"}`)
  sealSegment(dataDir, 'rpc', rawLines(wide))
  let spilled = false
  const look = setInterval(() => {
    spilled ||= filesBelow(join(dataDir, 'state/compactor/tmp')).some(path => path.includes('spill/'))
  }, 20)
  try {
    const summary = await runCompactor({ config: configFor(dataDir, { memoryMiB: 96 }), log: silent, once: true })
    t.match(summary, { segments: 1, rows: { frames: 50_000 } })
  } finally {
    clearInterval(look)
  }
  t.ok(spilled)
  t.same(filesBelow(join(dataDir, 'state/compactor/tmp')), [])
})
