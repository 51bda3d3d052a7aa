import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configKeys, configTable, genericExchangeKeys } from '../config/keys.js'
import { packageRoot } from '../platform/package-info.js'
import { edgetape } from './fixtures/cli.js'
import { readme } from './fixtures/readme.js'

for (const { table, keys } of [
  { table: 'config', keys: configKeys() },
  { table: 'generic', keys: genericExchangeKeys() },
]) {
  t.test(`the table of ${table} keys is the schema`, t => {
    const text = new RegExp(`<!-- ${table}:begin -->([^]*)<!-- ${table}:end -->`).exec(readme)?.[1] ?? ''
    const rows = (rows: string) => rows.trim().split('\n').map(cells)
    t.same(rows(text), rows(configTable(keys)), 'node dist/cli/main.js help config has the keys')
    t.end()
  })
}

/** The cells of a table's row without the blanks that make it pretty. */
function cells(row: string): string[] {
  return row
    .split('|')
    .map(cell => cell.trim().replace(/^-+$/, '---'))
    .slice(1, -1)
}

t.test('every command stands in the table of commands, and no other', async t => {
  const { stdout } = await edgetape(['--help'])
  const commands = [...stdout.matchAll(/^ {2}(\w+) [[<]/gm)].map(([, name]) => name).filter(name => name !== 'help')
  const documented = [...readme.matchAll(/^\| `edgetape (\w+)` +\|/gm)].map(([, name]) => name)
  t.same(documented.sort(), commands.sort())
})

t.test('the first commands are those that CI runs', t => {
  const script = readFileSync(join(packageRoot, '.ci', 'run'), 'utf8')
  for (const command of ['npm ci && npm run demo', 'npm ci && npm test']) {
    t.ok(readme.slice(0, 4000).includes(`$ ${command}`), command)
    for (const part of command.split(' && ')) t.match(script, new RegExp(`^${part}`, 'm'), part)
  }
  t.end()
})
