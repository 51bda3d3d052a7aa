import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { compress } from 'zstd-napi'
import { dumpLines } from '../../reader/dump/dump-lines.js'
import { dumpFiles } from '../../reader/dump/files.js'
import type { LineChoice } from '../../reader/dump/line-filter.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { parseTimeUs } from '../../platform/moment.js'
import { cliMain } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { wholeRun, writeRun } from '../fixtures/raw-run.js'

/** 2026-11-22T14:00:00Z */
const startUs = 1_795_356_000_000_000

function line(seq: number, channel: string, instrument: string): string {
  const frame = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":{"instrument_name":"${instrument}","price":2.0e3}}}`
  return `{"recv_us":${startUs + seq * 1_000_000},"conn":"d1","seq":${seq},"frame":${frame}}`
}

const lines = [
  line(1, 'trades.BTC-PERPETUAL.100ms', 'BTC-PERPETUAL'),
  line(2, 'trades.ETH-PERPETUAL.100ms', 'ETH-PERPETUAL'),
  line(3, 'ticker.BTC-PERPETUAL.100ms', 'BTC-PERPETUAL'),
  line(4, 'deribit_price_index.btc_usd', 'none'),
]

/** Each part a zstd frame of its own, as in an open segment. */
function segment(path: string, parts: string[]): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
  for (const part of parts) appendFileSync(path, compress(Buffer.from(part)))
  return path
}

const text = (wanted: string[]) => wanted.join('\n')
const everything: LineChoice = {
  channel: undefined,
  instrument: undefined,
  conn: undefined,
  fromUs: undefined,
  toUs: undefined,
}

async function dumped(path: string, choice: LineChoice): Promise<string> {
  const found: string[] = []
  const note = (_path: string, why: string) => t.fail(why)
  const refused = (path: string) => t.fail(path)
  for await (const line of dumpLines(dumpFiles([path]), { choice, note, refused })) found.push(line.toString('utf8'))
  return text(found)
}

const pick = (...seqs: number[]) => text(seqs.map(seq => lines[seq - 1] ?? ''))

t.test('all zstd frames of a segment, verbatim', async t => {
  const path = segment(
    join(t.testdir(), 'x.jsonl.zst.open'),
    lines.map(line => `${line}\n`),
  )
  const { stdout, stderr, exitCode } = await commandHere(['dump', path])
  t.equal(stdout, text(lines))
  t.equal(stderr, '')
  t.equal(exitCode, 0)
})

t.test('a torn tail: whole lines up to it, and a note', async t => {
  const long = lines.map(line => `${line}\n`).join('')
  const path = segment(join(t.testdir(), 'x.jsonl.zst.open'), [`${lines[0] ?? ''}\n`, long])
  const whole = compress(Buffer.from(long)).length
  truncateSync(path, compress(Buffer.from(`${lines[0] ?? ''}\n`)).length + whole - 3)
  const { stdout, stderr, exitCode } = await commandHere(['dump', path])
  t.equal(stdout.split('\n')[0], lines[0])
  for (const line of stdout.split('\n')) t.ok(lines.includes(line), 'only whole lines')
  t.match(stderr, /^edgetape: .*x\.jsonl\.zst\.open: last zstd frame is torn: \d+ bytes/)
  t.equal(exitCode, 0)
})

t.test('lines cut across zstd frames and decoded chunks are whole', async t => {
  const many = Array.from({ length: 20_000 }, (_, i) => line(i + 1, 'quote.BTC-PERPETUAL', 'BTC-PERPETUAL'))
  const all = many.map(line => `${line}\n`).join('')
  const path = segment(join(t.testdir(), 'x.jsonl.zst'), [all.slice(0, 1_000_003), all.slice(1_000_003)])
  const { stdout } = await commandHere(['dump', path])
  t.ok(stdout === text(many))
})

t.test('an empty open segment has no lines', async t => {
  const { stdout, exitCode } = await commandHere(['dump', segment(join(t.testdir(), 'x.jsonl.zst.open'), [])])
  t.equal(stdout, '')
  t.equal(exitCode, 0)
})

t.test('choices', async t => {
  const path = segment(join(t.testdir(), 'x.jsonl.zst'), [lines.map(line => `${line}\n`).join('')])
  const choices: { name: string; choice: Partial<LineChoice>; wanted: string }[] = [
    { name: 'a family', choice: { channel: 'trades' }, wanted: pick(1, 2) },
    { name: 'not the beginning of a word', choice: { channel: 'trade' }, wanted: '' },
    { name: 'a channel', choice: { channel: 'ticker.BTC-PERPETUAL.100ms' }, wanted: pick(3) },
    { name: 'an instrument', choice: { instrument: 'BTC-PERPETUAL' }, wanted: pick(1, 3) },
    { name: 'an index', choice: { instrument: 'btc_usd' }, wanted: pick(4) },
    { name: 'a span', choice: { fromUs: startUs + 2_000_000, toUs: startUs + 4_000_000 }, wanted: pick(2, 3) },
    { name: 'both', choice: { channel: 'trades', instrument: 'ETH-PERPETUAL' }, wanted: pick(2) },
  ]
  for (const { name, choice, wanted } of choices)
    t.equal(await dumped(path, { ...everything, ...choice }), wanted, name)
  const { stdout } = await commandHere(['dump', path, '--from', '2026-11-22T14:00:02', '--to', '2026-11-22 14:00:04Z'])
  t.equal(stdout, pick(2, 3), 'and from the command line')
})

t.test('Parquet rows, with the same choices', async t => {
  const path = join(t.testdir(), "it's.parquet")
  const connection = await openDuckDb()
  await connection.run(`COPY (SELECT make_timestamptz(${startUs} + i * 1000000) AS recv_ts,
    CASE WHEN i % 2 = 0 THEN 'BTC-PERPETUAL' ELSE 'ETH-PERPETUAL' END AS instrument_name, i::BIGINT AS seq,
    '{"new":1}'::JSON AS extra FROM range(3) r(i)) TO ${sqlText(path)}`)
  connection.closeSync()
  const row = (seq: number, name: string) =>
    `{"recv_ts":"2026-11-22 14:00:0${seq}+00","instrument_name":"${name}","seq":${seq},"extra":{"new":1}}`
  const all = [row(0, 'BTC-PERPETUAL'), row(1, 'ETH-PERPETUAL'), row(2, 'BTC-PERPETUAL')]
  t.equal((await commandHere(['dump', path])).stdout, text(all))
  t.equal(await dumped(path, { ...everything, instrument: 'ETH-PERPETUAL' }), all[1])
  t.equal(await dumped(path, { ...everything, fromUs: startUs + 2_000_000 }), all[2])
  const refused = await commandHere(['dump', path, '--channel', 'trades'])
  t.match(refused.stderr, /--channel picks by column channel, and .* has none/)
  t.equal(refused.exitCode, 1)
})

t.test('manifests and quarantine', async t => {
  const folder = t.testdir({
    'x.json': '{\n  "frames": 3,\n  "gaps": []\n}\n',
    'bad.json': '{"frames": ',
    'q.jsonl': '{"reason":"not JSON"}\n{"reason":"no channel"}\n',
  })
  t.equal((await commandHere(['dump', join(folder, 'x.json')])).stdout, '{"frames":3,"gaps":[]}')
  t.match(await commandHere(['dump', join(folder, 'bad.json')]), {
    exitCode: 1,
    stderr: /^edgetape: .*bad\.json is called/,
  })
  t.equal(
    (await commandHere(['dump', join(folder, 'q.jsonl'), join(folder, 'x.json')])).stdout,
    '{"reason":"not JSON"}\n{"reason":"no channel"}\n{"frames":3,"gaps":[]}',
  )
})

t.test('what cannot be dumped is said plainly', async t => {
  const folder = t.testdir()
  t.match(await commandHere(['dump', join(folder, 'nowhere')]), { exitCode: 1, stderr: /^edgetape: no file / })
  t.match(await commandHere(['dump', folder]), {
    exitCode: 1,
    stderr: /is a folder without files of ours\nedgetape: hint:/,
  })
  t.match(await commandHere(['dump', '--from', 'noon', folder]), { exitCode: 2, stderr: /found "noon", wanted a time/ })
})

t.test('a folder: the lines of its segments in the order of receive time', async t => {
  const dataDir = t.testdir()
  const run = [...wholeRun(90)].sort((a, b) => a.recvUs - b.recvUs)
  writeRun(dataDir, run.slice(0, 60), 'sealed')
  writeRun(
    dataDir,
    run.slice(60).map(line => ({ ...line, recvUs: line.recvUs + 5_000_000 })),
    'open',
  )
  const seqs = async (...args: string[]) => {
    const { stdout, stderr } = await commandHere(['dump', dataDir, ...args])
    t.equal(stderr, '')
    return stdout.split('\n').map(line => /"conn":"(\w+)","seq":(\d+)/.exec(line)?.slice(1).join(' '))
  }
  const wanted = run.map(({ conn, seq }) => `${conn} ${seq}`)
  t.same(await seqs(), wanted)
  t.same(await seqs('--conn', 'journal'), ['journal 1', 'journal 2'])
  t.same(await seqs('--channel', 'journal'), ['journal 1', 'journal 2'], 'a family without channels in its frames')
  t.same(await seqs('--to', '2026-11-22T14:00:00.010Z'), wanted.slice(0, 10))
  t.same(await seqs('--from', '2026-11-22T14:00:05'), wanted.slice(60), 'whatever was sealed before is not opened')
})

t.test('of a folder with segments of other times its Parquet files are not taken for them', t => {
  const dataDir = t.testdir()
  const { paths } = writeRun(dataDir, wholeRun(3))
  const table = 'parquet/exchange=deribit/table=quote/kind=none/currency=none/date=2026-11-24'
  mkdirSync(join(dataDir, table), { recursive: true })
  writeFileSync(join(dataDir, table, 'day-vps.parquet'), '')
  const of = (date: string) => ({ fromUs: parseTimeUs(date), toUs: parseTimeUs(date) + 86_400_000_000 })
  t.equal(dumpFiles([dataDir], of('2026-11-22')).segments.length, paths.size)
  t.throws(() => dumpFiles([dataDir], of('2026-11-24')), {
    code: 'DUMP_NO_FILE',
    message: /that may hold lines of that time$/,
  })
  rmSync(join(dataDir, 'raw'), { recursive: true })
  t.equal(dumpFiles([dataDir], of('2026-11-24')).parquet.size, 1)
  t.end()
})

t.test('Parquet of one table, in the order of receive time', async t => {
  const folder = t.testdir()
  const connection = await openDuckDb()
  for (const [name, start] of [
    ['a', 1],
    ['b', 0],
  ] as const)
    await connection.run(`COPY (SELECT make_timestamptz(${startUs} + i * 2000000) AS recv_ts, i AS seq
      FROM range(${start}, 4, 2) r(i)) TO ${sqlText(join(folder, `${name}.parquet`))}`)
  connection.closeSync()
  mkdirSync(join(folder, 'table=quote'))
  for (const name of ['a', 'b'])
    renameSync(join(folder, `${name}.parquet`), join(folder, 'table=quote', `${name}.parquet`))
  const { stdout } = await commandHere(['dump', folder])
  t.same(
    stdout.split('\n').map(line => (JSON.parse(line) as { seq: number }).seq),
    [0, 1, 2, 3],
  )
})

t.test('a reader that has seen enough is no error', t => {
  const many = Array.from({ length: 50_000 }, (_, i) => `${line(i + 1, 'quote.X', 'X')}\n`).join('')
  const path = segment(join(t.testdir(), 'x.jsonl.zst'), [many])
  const command = `"${process.execPath}" "${cliMain}" dump "${path}" | head -n 1; echo "exit \${PIPESTATUS[0]}"`
  const output = execFileSync('bash', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  t.equal(output, `${line(1, 'quote.X', 'X')}\nexit 0\n`)
  t.end()
})

t.test('times', t => {
  t.equal(parseTimeUs('2026-11-22T14:00'), startUs)
  t.equal(parseTimeUs('2026-11-22 14:00:00'), startUs)
  t.equal(parseTimeUs('2026-11-22T15:00+01:00'), startUs)
  t.equal(parseTimeUs('2026-11-22T14:00:00.5Z'), startUs + 500_000)
  t.equal(parseTimeUs('2026-11-22'), startUs - 14 * 3_600_000_000)
  t.throws(() => parseTimeUs('12'), { code: 'TIME_INVALID' })
  t.end()
})
