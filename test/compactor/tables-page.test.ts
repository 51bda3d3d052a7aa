import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { framesTable, tables } from '../../compactor/tables.js'
import { packageRoot } from '../../platform/package-info.js'
import { compactOnce, withQueries } from './fixtures/compacted.js'
import { linesOf, samples } from './fixtures/every-table.js'
import { capturedFrames, framesMissing, sealSegment } from './fixtures/segments.js'

interface Column {
  name: string
  type: string
  nullable: string
}

/** The columns that docs/tables.md names, by table. */
function documented(): Map<string, Column[]> {
  const page = readFileSync(join(packageRoot, 'docs', 'tables.md'), 'utf8')
  const sections = page.split(/^## /m).slice(1)
  return new Map(
    sections.map(section => {
      const rows = section
        .split('\n')
        .filter(line => line.startsWith('|'))
        .slice(2)
      const columns = rows.map(row => {
        const [, name = '', type = '', , nullable = ''] = row.split('|').map(cell => cell.trim())
        return { name, type: type === 'TIMESTAMPTZ' ? 'TIMESTAMP WITH TIME ZONE' : type, nullable }
      })
      return [section.slice(0, section.indexOf('\n')), columns] as const
    }),
  )
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

t.test('docs/tables.md says what is in the files, whatever their kind', async t => {
  const dataDir = t.testdir()
  const page = documented()
  t.same(
    [...page.keys()],
    [...tables, framesTable].map(({ name }) => name),
  )
  samples.forEach((sample, index) => sealSegment(dataDir, sample.family, linesOf(sample), { number: index + 1 }))
  if (framesMissing === false) {
    Object.entries(captured).forEach(([family, file], index) =>
      sealSegment(dataDir, family, linesOf({ frames: capturedFrames(file) }), { number: 1000 + index }),
    )
  }
  t.match(await compactOnce(dataDir), { failed: 0, quarantined: 0 })
  await withQueries(async query => {
    for (const [table, columns] of page) {
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
})
