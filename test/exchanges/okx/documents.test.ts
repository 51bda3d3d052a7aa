import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { exchangeKeys } from '../../../config/keys.js'
import { loadConfig, parseConfig } from '../../../config/load.js'
import { okx } from '../../../exchanges/okx/main.js'
import { packageRoot } from '../../../platform/package-info.js'
import { columnsOfOwnTable } from '../../../reader/query/relation.js'

const PAGE = join(packageRoot, 'docs/exchanges/okx-tables.md')
const HEAD = `# Tables of OKX

Every column, as the SQL makes it; \`WRITE_DOCS=1\` with \`test/exchanges/okx/documents.test.ts\` writes this page. What every
table begins and ends with is in [tables.md](../tables.md). Prices are in what the instrument is quoted in, of options of
\`…-USD\` in coin; sizes are contracts, of spot coin; volatilities and rates are fractions; times as numbers are ms since the
epoch. Columns that are DOUBLE came as text: a text of more than 15 digits stands in \`extra\`, too; empty text is NULL.
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

async function page(): Promise<string> {
  const sections = await Promise.all(
    okx.tables.map(async ({ name, folder }) => {
      const text = readFileSync(join(packageRoot, folder, `${name}.sql`), 'utf8')
      const included = text.replace(/^-- include (\w+)$/gm, (_all, part: string) =>
        readFileSync(join(packageRoot, folder, `${part}.sql`), 'utf8'),
      )
      const [about = ''] = /^(?:--(?! include).*\n)+/.exec(text) ?? []
      const families = okx.families.filter(({ table }) => table === name).map(family => `\`${family.name}\``)
      const sources = sourcesIn(included)
      const rows = (await columnsOfOwnTable('okx', name)).map(({ name: column, type }) => [
        column,
        type === 'TIMESTAMP WITH TIME ZONE' ? 'TIMESTAMPTZ' : type,
        sources.get(column) ?? '',
      ])
      const widths = ['column', 'type', 'from'].map((head, at) =>
        Math.max(head.length, ...rows.map(row => row[at]?.length ?? 0)),
      )
      const line = (cells: readonly string[]) =>
        `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
      const table = [
        line(['column', 'type', 'from']),
        `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`,
        ...rows.map(line),
      ]
      return `## ${name}\n\n${about.replace(/^-- ?/gm, '').trim()}\n\nFrom: ${families.join(', ')}.\n\n${table.join('\n')}\n`
    }),
  )
  return `${HEAD}\n${sections.join('\n')}`
}

t.test('docs/exchanges/okx-tables.md says what the SQL makes', { timeout: 120_000 }, async t => {
  const wanted = await page()
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(PAGE, wanted)
  else t.equal(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '', wanted, 'WRITE_DOCS=1 writes it')
})

t.test('the example has every key with its default', t => {
  const path = join(packageRoot, 'config/edgetape.okx.example.yaml')
  t.same(loadConfig(path), parseConfig('exchange: { name: okx }', path))
  const values: unknown = parse(readFileSync(path, 'utf8').replace(/^( *)# ([A-Za-z]+: \S+) .*$/gm, '$1$2'))
  const at = (key: string) =>
    key.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], values)
  for (const { key, meaning } of exchangeKeys('okx')) {
    t.not(at(key), undefined, key)
    t.ok(meaning, key)
  }
  t.end()
})
