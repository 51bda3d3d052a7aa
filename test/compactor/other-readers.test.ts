import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { derivedTables } from '../../coverage/write-tables.js'
import { tablesOf } from '../../compactor/tables.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { writeDeltaCatalog } from '../../reader/finished-days/write-catalog.js'
import { documentedBlocks, keepPrinted } from '../fixtures/documented-queries.js'
import { NOW_MS, recordDay } from '../fixtures/exported-day.js'
import { makeMarket, recordMarket } from '../fixtures/small-market.js'
import { needsThat } from '../fixtures/needs.js'
import { compactOnce, filesBelow, withQueries } from './fixtures/compacted.js'
import { documentedColumns } from './fixtures/tables-page.js'
import { samples } from './fixtures/every-table.js'
import { linesOf } from './fixtures/samples/sample.js'
import { capturedFrames, framesMissing, sealSegment } from './fixtures/segments.js'

// Mostly waits.

/** Kind, values, and two sums of them; as `fixtures/read-tables.py` prints it. */
type Summary = [kind: string, count: number, low: number | null, high: number | null]
type Summaries = Record<string, Record<string, Summary>>

/** Who else reads, and how to get it. */
const READERS = {
  duckdb: 'pip install duckdb',
  pandas: 'pip install pandas pyarrow',
  polars: 'pip install polars',
  spark: 'pip install pyspark; apt-get install default-jre-headless',
} as const
const NOT_INSTALLED = 3
/** The page is about the exchange whose tables are made here; the other exchanges' have pages of their own. */
const ownTables = tablesOf(exchangeNamed('deribit'))

const program = join(packageRoot, 'test', 'compactor', 'fixtures', 'read-tables.py')

/** Starts a reader, which gets ready while the tables are made. */
function startReader(reader: string) {
  return execa('python3', [program, reader], {
    reject: false,
    // A short life has no time for the better compiler.
    env: { TZ: 'America/New_York', JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto' },
  })
}

/** What our own DuckDB says. */
function summaries(dataDir: string): Promise<Summaries> {
  return withQueries(async query => {
    const all: Summaries = {}
    const tables = await query(`SELECT DISTINCT regexp_extract(file, 'table=([^/]+)', 1) AS name
      FROM glob('${dataDir}/parquet/**/*.parquet') ORDER BY 1`)
    for (const { name } of tables) {
      const files = `read_parquet('${dataDir}/parquet/exchange=deribit/table=${String(name)}/**/*.parquet', hive_partitioning = false)`
      const columns = await query(`DESCRIBE SELECT * FROM ${files}`)
      const kinds = columns.map(
        ({ column_name, column_type }) => [String(column_name), kindOf(String(column_type))] as const,
      )
      const sums = kinds.flatMap(([column, kind]) => sumsOf(column, kind)).join(', ')
      const [row = {}] = await query(`SELECT ${sums} FROM ${files}`)
      all[String(name)] = Object.fromEntries(
        kinds.map(([column, kind]) => {
          const value = (of: string) => (row[`${column} ${of}`] === null ? null : Number(row[`${column} ${of}`]))
          return [column, [kind, value('count') ?? 0, value('low'), value('high')]]
        }),
      )
    }
    return all
  })
}

const KINDS: Readonly<Record<string, string>> = {
  'TIMESTAMP WITH TIME ZONE': 'time',
  DOUBLE: 'float',
  BIGINT: 'int',
  BOOLEAN: 'bool',
  VARCHAR: 'text',
}
const kindOf = (type: string) => KINDS[type] ?? `unexpected ${type}`

function sumsOf(column: string, kind: string): string[] {
  const name = `"${column}"`
  const value = { time: `epoch_us(${name})`, text: `length(${name})`, bool: `${name}::INTEGER` }[kind] ?? name
  const low = kind === 'float' ? 'sum' : 'min'
  return [
    `count(${name}) AS "${column} count"`,
    `${low}(${value})::VARCHAR AS "${column} low"`,
    `max(${value})::VARCHAR AS "${column} high"`,
  ]
}

function sameSummaries(t: Test, found: Summaries, wanted: Summaries): void {
  t.same(Object.keys(found).sort(), Object.keys(wanted).sort(), 'tables')
  for (const [table, columns] of Object.entries(wanted)) {
    const different = Object.entries(columns).filter(([column, summary]) => !alike(found[table]?.[column], summary))
    t.same(
      different.map(([column, summary]) => ({ column, wanted: summary, found: found[table]?.[column] })),
      [],
      table,
    )
  }
}

/** Sums of floats depend on the order. */
function alike(found: Summary | undefined, wanted: Summary): boolean {
  return wanted.every((value, index) => {
    const other = found?.[index]
    if (typeof value !== 'number' || typeof other !== 'number') return value === other
    return value === other || (wanted[0] === 'float' && Math.abs(value - other) <= 1e-9 * Math.abs(value))
  })
}

const captured: Readonly<Record<string, string>> = {
  trades: 'trades.jsonl',
  quote: 'quote.jsonl',
  book: 'book.jsonl',
  ticker: 'ticker.jsonl',
  book_grouped: 'book_grouped.jsonl',
  'chart.trades': 'chart_trades.jsonl',
  'markprice.options': 'markprice_options.jsonl',
  incremental_ticker: 'incremental_ticker.jsonl',
  perpetual: 'perpetual.jsonl',
  platform_state: 'platform_state.jsonl',
  instruments: 'rest_get_instruments.jsonl.zst',
  rpc: 'rpc.jsonl',
}

t.test('other readers find the same counts, sums, types and times', { timeout: 240_000 }, async t => {
  const dataDir = t.testdir()
  const started = Object.entries(READERS).map(([reader, install]) => ({ reader, install, answer: startReader(reader) }))
  samples.forEach((sample, index) => sealSegment(dataDir, sample.family, linesOf(sample), { number: index + 1 }))
  if (framesMissing === false) {
    Object.entries(captured).forEach(([family, file], index) =>
      sealSegment(dataDir, family, linesOf({ frames: capturedFrames(file) }), { number: 1000 + index }),
    )
  }
  t.match(await compactOnce(dataDir), { failed: 0, quarantined: 0 })
  const market = join(dataDir, 'market')
  mkdirSync(market)
  await recordMarket(market, makeMarket())
  const damaged = join(dataDir, 'damaged')
  cpSync(market, damaged, { recursive: true })
  for (const file of filesBelow(damaged))
    if (file.includes('date=2026-11-23')) writeFileSync(join(damaged, file), 'no Parquet')
  const listed = join(dataDir, 'listed')
  mkdirSync(listed)
  await recordDay(listed)
  await writeDeltaCatalog(listed, join(dataDir, 'lake'), listed, NOW_MS)
  const asked = [dataDir, market, damaged, listed, join(dataDir, 'lake/days.jsonl')]
  for (const { answer } of started) answer.stdin.end(`${asked.join('\n')}\n`)
  const wanted = await summaries(dataDir)
  await t.test('docs/tables.md says what is in the files, whatever their kind', t => compareWithPage(t, dataDir))
  for (const { reader, install, answer } of started) {
    await t.test(reader, async t => {
      const { exitCode, stdout, stderr } = await answer
      if (!needsThat(t, exitCode !== undefined && exitCode !== NOT_INSTALLED, `needs ${reader}: ${install}`)) return
      t.equal(exitCode, 0, stderr.slice(-2000))
      const [tables = '', pages = '', throughListing = ''] = stdout.split('\n')
      sameSummaries(t, JSON.parse(tables || '{}') as Summaries, wanted)
      const shown = JSON.parse(pages || '{}') as Record<string, [shown: string[], first: string[]]>
      for (const [page, [all, first]] of Object.entries(shown)) samePage(t, `interop/${page}.md`, all, first)
      if (reader !== 'spark') return
      const found = JSON.parse(throughListing) as [string, string, number, number][]
      t.same(
        found.map(([kind, date, count, amount]) => [kind, date, count, amount.toFixed(6)]),
        (await tradesOf(listed)).map(({ kind, date, n, amount }) => [kind, date, n, Number(amount).toFixed(6)]),
        'through the listing of finished days',
      )
    })
  }
})

/** Counts and amounts by kind and date. */
const tradesOf = (root: string) =>
  withQueries(query =>
    query(`SELECT kind, "date"::VARCHAR AS date, count(*)::INTEGER AS n, sum(amount) AS amount
      FROM read_parquet('${root}/parquet/exchange=deribit/table=trades/**/*.parquet', hive_partitioning = true)
      GROUP BY ALL ORDER BY ALL`),
  )

/** A page shows what it says; its first query is about the first day, and reads no file of the second. */
function samePage(t: Test, page: string, shown: readonly string[], first: readonly string[]): void {
  const printed = shown.filter(text => text !== '')
  keepPrinted(page, printed)
  t.equal(printed.length, 5, `${page}: five queries`)
  t.same(
    printed,
    documentedBlocks(page).map(block => block.printed),
    `${page}; WRITE_DOCS=1 writes what is printed here to it`,
  )
  t.equal(first.at(-1), printed[0], `${page}: files of other days are not read`)
}

/** Columns, their types and where they are NULL. */
async function compareWithPage(t: Test, dataDir: string): Promise<void> {
  const page = documentedColumns()
  t.same(
    [...page.keys()],
    [...ownTables, ...derivedTables].map(({ name }) => name),
  )
  await withQueries(async query => {
    for (const { name: table } of ownTables) {
      const columns = page.get(table) ?? []
      const glob = join(dataDir, `parquet/exchange=deribit/table=${table}/**/*.parquet`)
      const files = await query(`SELECT DISTINCT file FROM glob('${glob}')`)
      for (const { file } of files) {
        const found = await query(`DESCRIBE SELECT * FROM read_parquet('${String(file)}', hive_partitioning = false)`)
        t.same(
          found.map(({ column_name, column_type }) => [column_name, column_type]),
          columns.map(({ name, type }) => [name, type]),
          `${table}: ${String(file).slice(dataDir.length)}`,
        )
      }
      const counts = columns.map(({ name }) => `count("${name}")::INTEGER AS "${name}"`).join(', ')
      const [values = {}] = await query(
        `SELECT count(*)::INTEGER AS all_rows, ${counts} FROM read_parquet('${glob}', hive_partitioning = true)`,
      )
      for (const { name, nullable } of columns) {
        if (nullable === 'never') t.equal(values[name], values['all_rows'], `${table}.${name} is never NULL`)
        if (nullable === 'always') t.equal(values[name], 0, `${table}.${name} is always NULL`)
      }
    }
  })
}
