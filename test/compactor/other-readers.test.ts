import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { needsThat } from '../fixtures/needs.js'
import { compactOnce, withQueries } from './fixtures/compacted.js'
import { linesOf, samples } from './fixtures/every-table.js'
import { capturedFrames, framesMissing, sealSegment } from './fixtures/segments.js'

/** Kind, values, and two sums of them; as `fixtures/read-tables.py` prints it. */
type Summary = [kind: string, count: number, low: number | null, high: number | null]
type Summaries = Record<string, Record<string, Summary>>

const READERS = {
  duckdb: { imports: 'import duckdb', install: 'pip install duckdb' },
  pandas: { imports: 'import pandas, pyarrow', install: 'pip install pandas pyarrow' },
  polars: { imports: 'import polars', install: 'pip install polars' },
  spark: { imports: 'import pyspark', install: 'pip install pyspark; apt-get install default-jre-headless' },
} as const

const program = join(packageRoot, 'test', 'compactor', 'fixtures', 'read-tables.py')

async function isThere(reader: keyof typeof READERS): Promise<boolean> {
  const python = await execa('python3', ['-c', READERS[reader].imports], { reject: false })
  if (python.exitCode !== 0) return false
  return reader !== 'spark' || (await execa('java', ['-version'], { reject: false })).exitCode === 0
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

const captured = {
  trades: 'trades.jsonl',
  quote: 'quote.jsonl',
  book: 'book.jsonl',
  ticker: 'ticker.jsonl',
  instruments: 'rest_get_instruments.jsonl.zst',
}

t.test('other readers find the same counts, sums, types and times', { timeout: 240_000 }, async t => {
  const dataDir = t.testdir()
  samples.forEach((sample, index) => sealSegment(dataDir, sample.family, linesOf(sample), { number: index + 1 }))
  if (framesMissing === false) {
    Object.entries(captured).forEach(([family, file], index) =>
      sealSegment(dataDir, family, linesOf({ frames: capturedFrames(file) }), { number: 1000 + index }),
    )
  }
  t.match(await compactOnce(dataDir), { failed: 0, quarantined: 0 })
  const wanted = await summaries(dataDir)
  t.ok(existsSync(program))
  for (const reader of Object.keys(READERS) as (keyof typeof READERS)[]) {
    await t.test(reader, async t => {
      if (!needsThat(t, await isThere(reader), `needs ${reader}: ${READERS[reader].install}`)) return
      const answer = await execa('python3', [program, reader, dataDir], {
        reject: false,
        stdin: 'ignore',
        env: { TZ: 'America/New_York' },
      })
      t.equal(answer.exitCode, 0, answer.stderr.slice(-2000))
      sameSummaries(t, JSON.parse(answer.stdout || '{}') as Summaries, wanted)
    })
  }
})
