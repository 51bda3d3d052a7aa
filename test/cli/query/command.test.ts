import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { execa } from 'execa'
import t from 'tap'
import { fitTable } from '../../../cli/fit-table.js'
import { prompt } from '../../../cli/query/prompt.js'
import { QuerySession } from '../../../reader/query/session.js'
import { splitStatements } from '../../../reader/query/statements.js'
import { cliMain, edgetape } from '../../fixtures/cli.js'
import { commandHere } from '../../fixtures/command-here.js'
import { writeDataset } from '../../fixtures/dataset.js'

const trades = (names: string[]) =>
  `SELECT now() AS recv_ts, * FROM (VALUES ${names.map((name, i) => `('${name}', ${i})`).join(', ')}) v(instrument_name, trade_seq)`

t.test('a view for each table, with the columns of its partitions', async t => {
  const root = t.testdir()
  await writeDataset(root, [
    { table: 'trades', kind: 'perpetual', currency: 'BTC', sql: trades(['BTC-PERPETUAL', 'BTC-PERPETUAL']) },
    { table: 'trades', kind: 'option', currency: 'BTC', sql: trades(['BTC-27NOV26-60000-C']) },
    { table: 'journal', sql: `SELECT 'started' AS event` },
  ])
  const sql = 'SELECT kind, count(*) AS trades FROM trades GROUP BY kind ORDER BY kind'
  const { stdout, exitCode } = await commandHere(['query', '--path', root, sql])
  t.equal(exitCode, 0)
  t.match(stdout, /^kind +trades\noption +1\nperpetual +2$/)
  const file = join(root, 'q.sql')
  writeFileSync(file, `${sql};\n`)
  const json = await commandHere(['query', '--path', root, '--file', file, '--json'])
  t.equal(json.stdout, '{"kind":"option","trades":1}\n{"kind":"perpetual","trades":2}')
  t.match(await commandHere(['query', '--path', root, 'SELECT * FROM tardes']), {
    exitCode: 1,
    stderr:
      /tardes does not exist[^]*hint: did you mean trades\? tables and ready views: announcements, [^]*trades, [^]*$/,
  })
})

t.test('times are UTC in every form of an answer, whatever the zone of the machine', async t => {
  const root = t.testdir()
  const at = "SELECT TIMESTAMPTZ '2026-07-20 09:30:05Z' AS recv_ts, 'BTC-PERPETUAL' AS instrument_name"
  await writeDataset(root, [{ table: 'trades', kind: 'perpetual', currency: 'BTC', sql: at }])
  const sql = 'SELECT recv_ts, [recv_ts] AS list, recv_ts::VARCHAR AS text FROM trades'
  for (const TZ of ['America/New_York', 'Asia/Kathmandu'])
    for (const format of ['table', 'csv', 'json']) {
      const { stdout } = await edgetape(['query', '--path', root, '--format', format, sql], { env: { TZ } })
      t.same(stdout.match(/2026-07-20 09:30:05\+00/g)?.length, 3, `${format} in ${TZ}: ${stdout}`)
    }
})

t.test('what a day replaced is left out, where the day is', async t => {
  const root = t.testdir()
  const hour = { table: 'trades', kind: 'option', currency: 'BTC', name: '14-h1-r1-1', sql: trades(['A', 'B']) }
  await writeDataset(root, [hour, { ...hour, name: '15-h1-r1-2', sql: trades(['C']) }])
  const folder = 'parquet/exchange=deribit/table=trades/kind=option/currency=BTC/date=2026-11-22'
  mkdirSync(join(root, 'superseded/date=2026-11-22'), { recursive: true })
  writeFileSync(
    join(root, 'superseded/date=2026-11-22/superseded-h1.jsonl'),
    `${JSON.stringify({ path: `${folder}/14-h1-r1-1.parquet`, by: [`${folder}/day-h1.parquet`] })}\n`,
  )
  const sql = "SELECT string_agg(instrument_name, '' ORDER BY instrument_name) AS names FROM trades"
  const names = async () => (await commandHere(['query', '--path', root, '--json', sql])).stdout
  t.equal(await names(), '{"names":"ABC"}', 'the list comes before the day')
  await writeDataset(root, [{ ...hour, name: 'day-h1', sql: trades(['A', 'B']) }])
  t.equal(await names(), '{"names":"ABC"}', 'and then the day, with the same rows')
  const columns = await commandHere(['query', '--path', root, '--json', 'SELECT * FROM trades LIMIT 1'])
  t.notMatch(columns.stdout, /filename/)
})

t.test('the answer as table, CSV, JSON and Parquet, printed or in a file', async t => {
  const root = t.testdir()
  const values = `SELECT * FROM (VALUES (1, 'a "b", c', NULL, 2.5), (2, '', 'x', NULL)) v(n, text, "none", price)`
  await writeDataset(root, [{ table: 'quote', kind: 'spot', currency: 'USDC', sql: values }])
  const sql = 'SELECT n, text, "none", price FROM quote ORDER BY n'
  const ask = async (...args: string[]) => (await commandHere(['query', '--path', root, sql, ...args])).stdout
  t.equal(await ask('--format', 'csv'), 'n,text,none,price\n1,"a ""b"", c",,2.5\n2,"",x,')
  t.match(await ask(), /^n +text +none +price\n1 +a "b", c +2\.5\n2 +x$/)
  const file = join(root, 'answer.parquet')
  t.equal(await ask('--out', file), '')
  const again = await commandHere(['query', '--path', root, `SELECT * FROM '${file}'`, '--json'])
  t.equal(again.stdout, await ask('--json'))
  await ask('--out', join(root, 'answer.csv'))
  t.equal(readFileSync(join(root, 'answer.csv'), 'utf8').trimEnd(), await ask('--format', 'csv'))
  const piped = ['query', '--path', root, 'SELECT 7 AS n', '--format', 'csv', '--out', '/dev/stdout']
  const { stdout } = await execa('sh', ['-c', '"$@" | cat', 'sh', process.execPath, cliMain, ...piped])
  t.equal(stdout, 'n\n7', 'a pipe stays one')
  t.match(await commandHere(['query', '--path', root, 'SELECT nothing', '--out', join(root, 'none.csv')]), {
    exitCode: 1,
  })
  t.notOk(existsSync(join(root, 'none.csv')) || existsSync(join(root, 'none.csv.tmp')), 'no half file')
  t.match(await commandHere(['query', sql, '--format', 'xls']), {
    exitCode: 2,
    stderr: /wanted one of table, csv, json, parq/,
  })
})

t.test('a prompt: statements over several lines, errors are told and it goes on', async t => {
  const root = t.testdir()
  await writeDataset(root, [{ table: 'trades', kind: 'option', currency: 'BTC', sql: trades(['A', 'B']) }])
  const typed = ['SELECT count(*) AS n -- ; no end', 'FROM trades;', 'SELECT * FROM tardes; .quit;', 'SELECT 1 AS one']
  const session = await QuerySession.open({ root, fresh: undefined, note: text => t.fail(text) })
  const collect = () => {
    const stream = new PassThrough()
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    return { stream, text: () => Buffer.concat(parts).toString() }
  }
  const out = collect()
  const said = collect()
  const input = Readable.from(typed.map(line => `${line}\n`))
  const historyPath = join(root, 'history')
  await prompt({ session, root, input, out: out.stream, say: said.stream, historyPath })
  t.notOk(existsSync(historyPath), 'what a pipe brings is not kept')
  session.connection.closeSync()
  session.clear()
  t.equal(out.text(), 'n\n2\none\n  1\n')
  t.match(said.text(), /tardes does not exist[^]*hint: did you mean trades/)
})

t.test('a table fits its terminal', async t => {
  const table = {
    head: ['n', 'text', 'a', 'b', 'last'],
    rows: [['1', 'x'.repeat(50), 'y'.repeat(30), 'z', '4']],
    numeric: [0, 4],
  }
  t.equal(fitTable(table, 200).split('\n')[1]?.includes('…'), false)
  for (const width of [100, 60, 40, 30, 26]) {
    const lines = fitTable(table, width).split('\n')
    t.ok(
      lines.every(line => line.length <= width),
      `${width}: ${lines.join('|')}`,
    )
    t.match(lines[1], /^1 .*4$/)
  }
  t.match(fitTable(table, 26), /… \d more/)
})

t.test('statements end at semicolons that are in no text, name or comment', async t => {
  const { whole, rest } = splitStatements(`SELECT ';' AS ";"; -- ; no
    SELECT $x$ ; $x$ /* ; */; ; SELECT 'it''s;' `)
  t.same(whole, [`SELECT ';' AS ";"`, '-- ; no\n    SELECT $x$ ; $x$ /* ; */'])
  t.equal(rest, "SELECT 'it''s;'")
})

t.test('what is missing is said', async t => {
  const root = t.testdir()
  t.match(await commandHere(['query', '--path', root, 'SELECT 1']), {
    exitCode: 1,
    stderr: /no raw data and no Parquet below/,
  })
  t.match(await commandHere(['query', '--path', root, 'SELECT 1', '--file', 'x']), {
    exitCode: 2,
    stderr: /wanted one of/,
  })
})

t.test(
  'NaN and Infinity were written as JSON that no parser takes; sums were shown with the digits of arithmetic',
  async t => {
    const root = t.testdir()
    const values = `SELECT 171.16999999999825::DOUBLE AS price, 'nan'::DOUBLE AS ratio,
    {x: ['-inf'::DOUBLE, 1.5], s: 'NaN "Infinity" \\'} AS nested, '{"a":NaN}' AS text, 9007199254740993 AS id`
    await writeDataset(root, [{ table: 'quote', kind: 'spot', currency: 'USDC', sql: values }])
    const answer = async (...format: string[]) =>
      (await commandHere(['query', '--path', root, ...format, 'SELECT price, ratio, nested, text, id FROM quote']))
        .stdout
    const json = await answer('--json')
    t.match(json, '"id":9007199254740993', 'exact')
    t.same(JSON.parse(json), {
      price: 171.16999999999825,
      ratio: null,
      nested: { x: [null, 1.5], s: 'NaN "Infinity" \\' },
      text: '{"a":NaN}',
      id: Number('9007199254740993'),
    })
    t.match(await answer('--format', 'csv'), /^171\.16999999999825,nan,/m)
    t.match(await answer(), /^171\.17 +NaN /m)
  },
)
