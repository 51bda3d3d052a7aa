import { okx } from '../../../exchanges/okx/main.js'
import { documentsOf, trapsTested } from '../fixtures/exchange-documents.js'

const HEAD = `# Tables of OKX

Every column, as the SQL defines it; \`WRITE_DOCS=1\` with \`test/exchanges/okx/documents.test.ts\` writes this page. The columns
common to all tables are in [tables.md](../tables.md). Prices are in what the instrument is quoted in, of options of
\`…-USD\` in coin; sizes are contracts, of spot coin; volatilities and rates are fractions; times as numbers are ms since the
epoch. Columns that are DOUBLE came as text: a text of more than 15 digits is also kept in \`extra\`; empty text is NULL.
`

/** Where a column's value comes from: the members that its expression names. */
function sourcesIn(sql: string): Map<string, string> {
  const found = new Map<string, string>()
  const query = sql.slice(sql.search(/^SELECT\b/m)).split('\nFROM')[0] ?? ''
  for (const part of query.split(/,(?=\s)/)) {
    const [, expression = '', name = ''] = /^([^]*) AS "?(\w+)"?\s*$/.exec(part) ?? []
    const members = [...expression.matchAll(/data\.(?:frame\.arg\.)?"?(\w+)"?|'(\w+)'\)|entry\[(\d)\]/g)].map(
      ([, member, said, place]) => member ?? said ?? `[${place ?? ''}]`,
    )
    if (members.length > 0 && name !== 'extra')
      found.set(name, [...new Set(members)].map(member => `\`${member}\``).join(', '))
  }
  return found
}

documentsOf(okx, HEAD, sourcesIn)
trapsTested(okx, 20)
