import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseConfig } from '../config/load.js'
import { configKeys, configTable, exchangeKeys } from '../config/keys.js'
import { packageRoot } from '../platform/package-info.js'
import { edgetape } from './fixtures/cli.js'
import { blocksOf, readme } from './fixtures/readme.js'

const configuration = readFileSync(join(packageRoot, 'docs', 'configuration.md'), 'utf8')

for (const { table, keys } of [
  { table: 'config', keys: configKeys() },
  { table: 'generic', keys: exchangeKeys('generic') },
]) {
  t.test(`the table of ${table} keys is the schema`, t => {
    const text = new RegExp(`<!-- ${table}:begin -->([^]*)<!-- ${table}:end -->`).exec(configuration)?.[1] ?? ''
    const rows = (rows: string) => rows.trim().split('\n').map(cells)
    t.same(rows(text), rows(configTable(keys)), 'node dist/cli/main.js help config has the keys')
    t.end()
  })
}

t.test('the two commands are on the first screen', t => {
  const screen = readme.split('\n').slice(0, 40).join('\n')
  for (const command of ['npm ci && npm run demo', 'npm ci && npm test']) t.ok(screen.includes(command), command)
  t.end()
})

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

t.test('pages that the README names are there', t => {
  const pages = [...readme.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, page = '']) => page)
  t.ok(pages.length > 10)
  for (const page of pages) if (!page.startsWith('http')) t.ok(existsSync(join(packageRoot, page)), page)
  t.end()
})

t.test('the example of a config is one', t => {
  const [text = ''] = blocksOf('yaml')
  t.equal(parseConfig(text, 'README.md').host, 'vps-ldn-1')
  t.end()
})

t.test('the first commands are those that CI runs', t => {
  const script = readFileSync(join(packageRoot, '.ci', 'run'), 'utf8')
  for (const command of ['npm ci && npm run demo', 'npm ci && npm test']) {
    t.ok(readme.slice(0, 4000).includes(`$ ${command}`), command)
    for (const part of command.split(' && ')) t.match(script, new RegExp(`^${part}\\b`, 'm'), part)
  }
  t.end()
})
