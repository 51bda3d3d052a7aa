import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { packageRoot } from '../platform/package-info.js'
import { readyViews } from '../reader/query/ready-views.js'
import { documentedBlocks } from './fixtures/documented-queries.js'
import { matchAll } from './fixtures/match-all.js'
import { needs, needsThat } from './fixtures/needs.js'
import { jsonAsked, openSession } from './fixtures/open-session.js'
import { copyOptions } from './fixtures/option-recording.js'

/** Runs queries by the Python package; each answer is its rows as JSON. Of all but each so many it only asks for the columns. */
const PROGRAM = `
import json, sys
import edgetape
root, file, each = sys.argv[1:]
tape = edgetape.open(root)
for place, query in enumerate(json.load(open(file))):
    if place % int(each) > 0:
        tape.sql(f"DESCRIBE {query}").fetchall()
        print("null")
        continue
    rows = tape.sql(f"SELECT to_json(t)::VARCHAR FROM ({query}) t").fetchall()
    print(json.dumps([json.loads(row) for (row,) in rows]))
`

/** What the package is for, in a few lines, with every library that is there. */
const TOUR = `
import datetime, importlib.util, json, sys
import edgetape
tape = edgetape.open(sys.argv[1])
utc = datetime.timezone.utc
at = datetime.datetime(2026, 11, 23, tzinfo=utc)
chain = tape.chain(at, coin="BTC")
seen = {
    "tables": tape.tables,
    "views": [view.name for view in tape.views],
    "chain": chain.count("*").fetchall()[0][0],
    "candles": tape.candles(datetime.timedelta(minutes=1), "BTC-PERPETUAL", since=at).count("*").fetchall()[0][0],
    "trades": tape.trades_with_quotes("BTC-PERPETUAL", "2026-11-22 23:56", at, lookback="10 minutes").columns,
    "coverage": tape.coverage(at.date()).count("*").fetchall()[0][0],
    "gaps": [row[-2] for row in tape.gaps(since=at).fetchall()],
    "book": tape.book("BTC-PERPETUAL", at, depth=3).count("*").fetchall()[0][0],
    "without_rows": tape.sql("FROM okx.quote").columns[:8],
    "bar": tape.sql("SELECT value FROM duckdb_settings() WHERE name = 'enable_progress_bar'").fetchall()[0][0],
}
if importlib.util.find_spec("pandas"): seen["pandas"] = len(chain.df())
if importlib.util.find_spec("polars"): seen["polars"] = chain.pl().height
if importlib.util.find_spec("pyarrow"):
    table = chain.arrow()
    seen["pyarrow"] = (table.read_all() if hasattr(table, "read_all") else table).num_rows
try:
    tape.view("chain", object())
except TypeError as error:
    seen["refused"] = str(error).startswith("found <object")
print(json.dumps(seen))
`

/** A Python that has DuckDB: that of PATH, and the oldest one where CI made it. */
async function pythons(t: Test): Promise<string[]> {
  if (!needs(t, 'python')) return []
  const oldest = process.env['EDGETAPE_OLDEST_PYTHON']
  const candidates = ['python3', ...(oldest === undefined ? [] : [oldest])]
  const found: string[] = []
  for (const python of candidates) {
    const { exitCode, stdout } = await execa(python, ['-c', 'import duckdb; print(duckdb.__version__)'], {
      reject: false,
    })
    t.comment(`${python}: ${exitCode === 0 ? `DuckDB ${stdout}` : 'no DuckDB'}`)
    if (needsThat(t, exitCode === 0, `needs DuckDB for ${python}: pip install duckdb pytz`)) found.push(python)
  }
  return found
}

const env = { PYTHONPATH: join(packageRoot, 'python'), PYTHONDONTWRITEBYTECODE: '1' }
const rounded = (rows: unknown) =>
  JSON.parse(
    JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(10)) : value)),
  ) as unknown

t.test(
  'the Python package gives the answers of the command, with the same files of SQL',
  { timeout: 400_000 },
  async t => {
    const found = await pythons(t)
    if (found.length === 0) return
    const folder = t.testdir()
    const dataDir = join(folder, 'data')
    mkdirSync(dataDir)
    await copyOptions(dataDir)
    // A stranger that a synchroniser left beside a file of ours.
    const stranger =
      readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).find(path => path.endsWith('.parquet')) ?? ''
    writeFileSync(
      join(dataDir, stranger.replace('.parquet', '.sync-conflict-1.parquet')),
      readFileSync(join(dataDir, stranger)),
    )
    const session = await openSession(t, dataDir, text => t.comment(text))
    const queries = documentedBlocks('option-views.md')
      .filter(({ language }) => language === 'sql')
      .map(({ code }) => code.replace(/;\s*$/, ''))
      // Nobody wrote the coverage of these days, so that Python cannot tell what is covered.
      .map(sql => (/\bcovered\b/.test(sql) ? `SELECT * REPLACE (nullif(covered, true) AS covered) FROM (${sql})` : sql))
    const file = join(folder, 'queries.json')
    writeFileSync(file, JSON.stringify(queries))
    const own: unknown[] = []
    for (const query of queries) own.push(await jsonAsked(session, query))
    for (const [nth, python] of found.entries()) {
      // The oldest is slow: that it takes the SQL of all is what it is tried for.
      const { stdout } = await execa(python, ['-c', PROGRAM, dataDir, file, nth === 0 ? '1' : '3'], { env })
      const answers = stdout.split('\n').map(line => JSON.parse(line) as unknown)
      const answered = queries.flatMap((query, place) => (answers[place] === null ? [] : [{ query, place }]))
      t.ok(answered.length >= queries.length / 3, `${answered.length} of ${queries.length} answered`)
      for (const { query, place } of answered) t.same(rounded(answers[place]), rounded(own[place]), query)
      const tour = JSON.parse((await execa(python, ['-c', TOUR, dataDir], { env })).stdout) as Record<string, unknown>
      matchAll(t, tour, { chain: 108, candles: 3, coverage: 0, gaps: ['not yet known'], book: 6, refused: true })
      const columns = ['recv_ts', 'exchange_ts', 'instrument_name', 'conn', 'seq', 'source', 'bidPx', 'bidSz']
      t.same(tour['without_rows'], columns, 'a table without rows had the columns of another exchange')
      t.equal(tour['bar'], 'false', 'no bar of progress in what a program prints')
      t.same(
        tour['views'],
        readyViews().map(({ name }) => name),
      )
      for (const library of ['pandas', 'polars', 'pyarrow'])
        if (library in tour) t.equal(tour[library], 108, `${python}: ${library}`)
    }
  },
)

t.test('pip installs the package from a clone, with the SQL in it, and no copy of it is kept in the clone', async t => {
  const [python] = await pythons(t)
  if (python === undefined) return
  const folder = t.testdir()
  const before = await execa('git', ['status', '--porcelain', 'python'], { cwd: packageRoot, reject: false })
  const pip = ['-m', 'pip', 'install', '-q', '--no-deps', '--disable-pip-version-check']
  await execa(python, [...pip, '--target', join(folder, 'site'), './python'], { cwd: packageRoot, timeout: 180_000 })
  const shipped = readdirSync(join(folder, 'site/edgetape/_shipped'), { recursive: true, encoding: 'utf8' })
  for (const { name } of readyViews())
    t.ok(
      shipped.some(path => path.endsWith(`/views/${name}.sql`)),
      name,
    )
  t.ok(readdirSync(join(folder, 'site/edgetape')).includes('py.typed'))
  const say =
    'import edgetape._shipped_sql as s; print(s._ROOT, len(s.ready_views()), len(s.normalized_views()), len(s.table_columns("okx")["quote"]))'
  const { stdout } = await execa(python, ['-c', say], { cwd: folder, env: { PYTHONPATH: join(folder, 'site') } })
  t.match(stdout, new RegExp(`site/edgetape/_shipped ${readyViews().length} 7 15$`))
  const after = await execa('git', ['status', '--porcelain', 'python'], { cwd: packageRoot, reject: false })
  t.equal(after.stdout, before.stdout)
})
