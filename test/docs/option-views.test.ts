import t from 'tap'
import { duckdb } from '../../platform/duckdb.js'
import { tableOf } from '../../cli/query/answer-table.js'
import { catalogSql } from '../../reader/query/catalog-sql.js'
import { documentedBlocks, keepPrinted } from '../fixtures/documented-queries.js'
import { copyOptions } from '../fixtures/option-recording.js'
import { openSession } from '../fixtures/open-session.js'

const PAGE = 'option-views.md'
const WIDTH = 160

t.test(
  'docs/option-views.md prints what is printed, in a session and from a catalog',
  { timeout: 120_000 },
  async t => {
    const dataDir = t.testdir()
    await copyOptions(dataDir)
    const session = await openSession(t, dataDir, text => t.comment(text))
    const blocks = documentedBlocks(PAGE).filter(({ language }) => language === 'sql')
    const statements = blocks.map(({ code }) => code.replace(/;\s*$/, ''))
    t.ok(statements.length > 15)
    const printed: string[] = []
    for (const sql of statements) printed.push(`${await session.ask(sql, own => tableOf(own, sql, WIDTH))}\n`)
    keepPrinted(PAGE, printed)
    t.same(
      printed,
      blocks.map(block => block.printed),
      'WRITE_DOCS=1 writes what this test prints to the page',
    )

    const instance = await duckdb().DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    t.teardown(() => {
      connection.closeSync()
      instance.closeSync()
    })
    await connection.run(await catalogSql(dataDir, 'duckdb'))
    for (const [place, sql] of statements.entries()) {
      if (!/\bcovered\b/.test(sql)) {
        t.equal(`${await tableOf(connection, sql, WIDTH)}\n`, printed[place], sql)
        continue
      }
      // Nobody wrote the coverage of these days: what is true in the session is not known to the catalog.
      const asked = `SELECT * REPLACE (nullif(covered, true) AS covered) FROM (${sql})`
      t.equal(await tableOf(connection, asked, WIDTH), await session.ask(asked, own => tableOf(own, asked, WIDTH)), sql)
    }
  },
)
