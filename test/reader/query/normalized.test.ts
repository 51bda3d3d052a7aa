import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { duckdb } from '../../../platform/duckdb.js'
import { normalizedViews } from '../../../exchanges/normalized.js'
import { exchanges } from '../../../exchanges/registry.js'
import { catalogSql } from '../../../reader/query/catalog-sql.js'
import { normalizedSql, partOf, sharedPart } from '../../../reader/query/normalized-views.js'
import { makeMarket, recordMarket } from '../../fixtures/small-market.js'
import { openSession, rowsAsked } from '../../fixtures/open-session.js'

const cell = (text: string) => text.replaceAll('|', '\\|')

/** The columns of each view, as docs/query.md shows them. */
function columnsPage(): string {
  return normalizedViews
    .map(({ name, meaning, columns }) => {
      const rows = columns.map(column => [`\`${column.name}\``, column.type, cell(column.meaning)])
      const own = rows.slice(columns.findIndex(({ name }) => name === 'source') + 1)
      const all = name === 'trades_all' ? rows : own
      const widths = ['column', 'type', 'meaning'].map((head, at) =>
        Math.max(head.length, ...all.map(row => row[at]?.length ?? 0)),
      )
      const line = (cells: readonly string[]) =>
        `| ${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`
      const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`
      return `### ${name}\n\n${meaning[0]?.toUpperCase()}${meaning.slice(1)}.\n\n${[line(['column', 'type', 'meaning']), rule, ...all.map(line)].join('\n')}\n`
    })
    .join('\n')
}

t.test('docs/query.md lists the columns of every view over all exchanges', t => {
  const page = readFileSync('docs/query.md', 'utf8')
  const from = page.indexOf('### trades_all')
  const to = page.indexOf('\n## ', from)
  const section = to < 0 ? page.slice(from) : page.slice(from, to)
  if (process.env['WRITE_DOCS'] === '1') writeFileSync('docs/query.md', page.replace(section, columnsPage()))
  else t.equal(section.trim(), columnsPage().trim(), 'WRITE_DOCS=1 writes it')
  t.end()
})

t.test('one name in several tables of one name has one type, and nobody says more than the views have', async t => {
  const dataDir = t.testdir()
  const market = makeMarket()
  await recordMarket(dataDir, market)
  const session = await openSession(t, dataDir)
  const rowsOf = (sql: string) => rowsAsked(session, sql)

  for (const view of normalizedViews) {
    const described = await rowsOf(`SELECT column_name, column_type FROM (DESCRIBE ${view.name})`)
    t.same(
      described.map(row => [row['column_name'], row['column_type']]),
      view.columns.map(({ name, type }) => [name, type === 'TIMESTAMPTZ' ? 'TIMESTAMP WITH TIME ZONE' : type]),
      view.name,
    )
  }
  for (const { name } of exchanges)
    for (const view of normalizedViews) {
      const part = partOf(view, name)
      if (part === undefined) continue
      await rowsOf(`SELECT 1 FROM ${view.name} LIMIT 0`)
      // The macros and tables of an exchange that is not here are made for the question.
      const described = await session.ask(part, async connection => {
        const shared = normalizedSql(view, [])
        await connection.run(`${sharedPart(name)}; ${shared}`)
        return (await connection.runAndReadAll(`SELECT column_name FROM (DESCRIBE ${part})`)).getRows()
      })
      const known = view.columns.map(({ name }) => name)
      t.same(
        described.map(String).filter(column => !known.includes(column)),
        [],
        `${name} ${view.name}`,
      )
    }

  await t.test('trades of inverse and of linear instruments, in coin and in quote', async t => {
    const rows = await rowsOf(`SELECT t.kind, base, "quote", price_unit, t.side = o.direction AS same_side,
        round(sum(CASE WHEN t.kind IN ('perpetual', 'future') THEN o.amount / o.price ELSE o.amount END) - sum(t.amount_base), 6) AS base_off,
        count(*)::INTEGER AS n
      FROM trades_all t JOIN trades o USING (instrument_name, recv_ts, conn, seq)
      WHERE o.trade_id = t.trade_id GROUP BY ALL ORDER BY ALL`)
    t.ok(rows.length > 2)
    t.ok(
      rows.every(row => row['same_side'] === true && row['base_off'] === 0),
      'amounts',
    )
    t.equal(
      rows.reduce((sum, row) => sum + Number(row['n']), 0),
      market.trades.length,
      'each trade once',
    )
    const option = rows.find(row => row['kind'] === 'option')
    t.same([option?.['base'], option?.['quote'], option?.['price_unit']], ['BTC', 'USD', 'BTC'])
  })

  await t.test('only files of the day that is asked for are read', async t => {
    const plan = `EXPLAIN ANALYZE SELECT count(price) FROM trades_all WHERE date = '2026-11-23' AND kind = 'spot'`
    const [[, text] = []] = await session.ask(plan, async connection =>
      (await connection.runAndReadAll(plan)).getRows(),
    )
    const read = [...String(text).matchAll(/(?:Total )?Files Read: (\d+)/g)].map(([, files]) => Number(files))
    t.same(read, [1])
  })

  await t.test('the catalog shows the same in any DuckDB', async t => {
    const connection = await (await duckdb().DuckDBInstance.create(':memory:')).connect()
    await connection.run(await catalogSql(dataDir, 'duckdb'))
    for (const { name } of normalizedViews) {
      const sql = `SELECT count(*)::INTEGER AS n FROM ${name}`
      const [[there] = []] = (await connection.runAndReadAll(sql)).getRows()
      t.equal(there, (await rowsOf(sql))[0]?.['n'], name)
    }
    connection.closeSync()
  })
})
