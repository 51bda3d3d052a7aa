import { bybit } from '../../../exchanges/bybit/main.js'
import { documentsOf, trapsTested } from '../fixtures/exchange-documents.js'

const HEAD = `# Tables of Bybit

Every column, as the SQL defines it; \`WRITE_DOCS=1\` with \`test/exchanges/bybit/documents.test.ts\` writes this page. The columns
common to all tables are in [tables.md](../tables.md). Prices are in what the contract is quoted in; sizes in base coin, of
inverse contracts in USD; IVs and rates are fractions; turnover is in quote, of inverse contracts in coin. Columns that are DOUBLE
came as text: a text of more than 15 digits is also kept in \`extra\`; empty text is NULL.
`

/** Where a column's value comes from: the members that its expression names. */
function sourcesIn(sql: string): Map<string, string> {
  const found = new Map<string, string>()
  const query = sql.slice(sql.search(/^SELECT\b/m))
  for (const [, expression = '', name = ''] of query.matchAll(/([^\n]*?(?:\n {4}[^\n]*?)*?) AS "?(\w+)"?(?=[,\n])/g)) {
    const own = expression.slice(expression.lastIndexOf(' AS ') + 1)
    const members = [...own.matchAll(/\b(data|envelope|entry)(?:\."?(\w+)"?|\[(\d)\])/g)].map(
      ([, of = '', member, place]) =>
        place === undefined
          ? of === 'envelope'
            ? `${member ?? ''} of the frame`
            : member === 'side'
              ? 'S'
              : (member ?? '')
          : `level[${place}]`,
    )
    if (members.length > 0) found.set(name, [...new Set(members)].map(member => `\`${member}\``).join(', '))
  }
  return found
}

documentsOf(bybit, HEAD, sourcesIn)
trapsTested(bybit, 20)
