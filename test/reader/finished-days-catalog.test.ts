import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { duckLakeSql, writeDeltaCatalog } from '../../reader/finished-days/write-catalog.js'
import { hashes, query } from '../compactor/fixtures/compacted.js'
import { commandHere } from '../fixtures/command-here.js'
import { NOW_MS, recordDay } from '../fixtures/exported-day.js'
import { findProgram, needsThat } from '../fixtures/needs.js'
import { hasPackages, pythonTarget } from '../fixtures/python-targets.js'

/** A Python with delta-rs. */
async function pythonWithDelta(t: Test): Promise<string | undefined> {
  const own = join(packageRoot, '.tap/python-targets/bin/python3')
  for (const python of [findProgram('python3'), existsSync(own) ? own : undefined]) {
    if (python === undefined) continue
    if (await hasPackages(python, 'deltalake')) return python
  }
  needsThat(t, false, 'needs deltalake: pip install deltalake')
  return undefined
}

t.test('finished days are one Delta table, read without listing the tree', async t => {
  const folder = t.testdir({ data: {} })
  const [data, out] = [join(folder, 'data'), join(folder, 'lake')]
  await recordDay(data)
  const before = hashes(data)
  const { stdout, stderr, exitCode } = await commandHere([
    'catalog',
    '--dialect',
    'delta',
    '--path',
    data,
    '--out',
    out,
  ])
  t.equal(exitCode, 0, stderr)
  t.match(stdout, /2 days/)
  t.strictSame(hashes(data), before, 'nothing is written into the tree')

  const listing = readFileSync(join(out, 'days.jsonl'), 'utf8').trim().split('\n')
  for (const line of listing) {
    const { path, sha256 } = JSON.parse(line) as { path: string; sha256: string }
    t.equal(
      createHash('sha256')
        .update(readFileSync(join(data, path)))
        .digest('hex'),
      sha256,
    )
  }
  // Another run on the same days changes no byte.
  const made = hashes(out)
  await writeDeltaCatalog(data, out, data, NOW_MS)
  t.strictSame(hashes(out), made)

  const python = await pythonWithDelta(t)
  if (python === undefined) return
  const script = join(packageRoot, 'test/reader/fixtures/read_delta.py')
  const answer = await execa(python, [script, `trades=${join(out, 'deribit/trades')}`])
  const { rows } = JSON.parse(answer.stdout) as { rows: [string, string, number, number][] }
  t.strictSame(
    rows.map(([kind, date, n, amount]) => [kind, date, n, amount.toFixed(6)]),
    await tradesOf(data),
  )
})

t.test('a day that is not rolled up yet, or not over, is not listed', async t => {
  const folder = t.testdir({ data: {} })
  const data = join(folder, 'data')
  await recordDay(data)
  const during = Date.UTC(2026, 10, 22, 12)
  t.match(await writeDeltaCatalog(data, join(folder, 'lake'), data, during), { days: 1 })
  await t.rejects(writeDeltaCatalog(data, join(folder, 'none'), data, Date.UTC(2026, 10, 21, 12)), {
    code: 'CATALOG_NOTHING_FINISHED',
  })
  // Two hours of one recorder in a partition: the roll-up is to come.
  const day = join(data, 'parquet/exchange=deribit/table=trades/kind=perpetual/currency=BTC/date=2026-11-21')
  const [name = ''] = readdirSync(day)
  // What comes late revokes the list of its day.
  rmSync(join(data, 'lists'), { recursive: true })
  copyFileSync(join(day, name), join(day, name.replace(/^\d\d-/, '22-')))
  t.match(await writeDeltaCatalog(data, join(folder, 'later'), data, NOW_MS), { days: 1 })
})

t.test('DuckLake sees finished days as one table, each row once however often they are registered', async t => {
  const folder = t.testdir({ data: {}, own: {} })
  const data = join(folder, 'data')
  await recordDay(data)
  t.match(
    await duckLakeSql(data, 's3://bucket/edgetape', NOW_MS),
    /'s3:\/\/bucket\/edgetape\/parquet\/exchange=deribit/,
  )
  const python = await pythonTarget(t, 'duckdb_extension_ducklake')
  if (python === undefined) return
  const firstDay = await duckLakeSql(data, data, Date.UTC(2026, 10, 22, 12))
  const bothDays = await duckLakeSql(data, data, NOW_MS)
  const script = join(packageRoot, 'test/reader/fixtures/read_ducklake.py')
  const answer = await execa(python, [script, folder], { input: JSON.stringify([firstDay, bothDays, bothDays]) })
  const rows: unknown = JSON.parse(answer.stdout)
  const all = await tradesOf(data)
  t.strictSame(rows, [all.filter(([, date]) => date === '2026-11-21'), all, all])
})

/** Kind, date, count and amount of the trades below a root. */
async function tradesOf(root: string): Promise<[string, string, number, string][]> {
  const rows = await query(`SELECT kind, "date"::VARCHAR AS date, count(*)::INTEGER AS n, sum(amount) AS amount
    FROM read_parquet('${root}/parquet/exchange=deribit/table=trades/**/*.parquet', hive_partitioning = true)
    GROUP BY ALL ORDER BY ALL`)
  return rows.map(({ kind, date, n, amount }) => [String(kind), String(date), Number(n), Number(amount).toFixed(6)])
}
