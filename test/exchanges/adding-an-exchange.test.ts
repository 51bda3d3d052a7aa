import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'

const below = (folder: string) =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' }).map(path => join(folder, path))
const textOf = (paths: readonly string[], ends: RegExp) =>
  paths
    .filter(path => ends.test(path))
    .map(path => readFileSync(join(packageRoot, path), 'utf8'))
    .join('\n')

t.test('what the recipe names is in the code as it is called there', t => {
  const recipe = readFileSync(join(packageRoot, 'docs/adding-an-exchange.md'), 'utf8')
  // What a trap is called is in the words of that exchange.
  const ours = recipe.replace(/^\|[^|]*\|/gm, '')
  const named = [...new Set([...ours.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))]
  const files = [...below('exchanges'), ...below('test/reader')]
  const code = textOf(files, /^exchanges.*\.ts$/)
  const macros = textOf([...below('compactor'), ...files], /\.(?:ts|sql)$/)
  const checked = { files: 0, members: 0, names: 0, macros: 0 }
  for (const name of named) {
    const [, owner = '', member = ''] = /^([A-Z]\w+)\.(\w+)/.exec(name) ?? []
    if (/\.(ts|sql|md|yaml)$/.test(name)) {
      checked.files++
      const wanted = name.replaceAll('<name>', 'bybit')
      const isThere = wanted.includes('*')
        ? ['bybit', 'okx'].every(folder =>
            files.some(path => path.startsWith(join('exchanges', folder, wanted.split('*')[0] ?? ''))),
          )
        : existsSync(join(packageRoot, wanted)) || files.some(path => basename(path) === wanted)
      t.ok(isThere, name)
    } else if (owner !== '') {
      checked.members++
      const body = new RegExp(`(?:interface|class) ${owner}\\b[^]*?\\n}`).exec(code)?.[0] ?? ''
      t.match(body, new RegExp(`\\b${member}\\??[(:<]|get ${member}\\(`), name)
    } else if (/^[A-Za-z]+[A-Z][A-Za-z]*$/.test(name)) {
      checked.names++
      t.match(code, new RegExp(`\\b${name}\\b`), name)
    } else if (/^[a-z_]+\(\)$/.test(name)) {
      checked.macros++
      t.match(macros, name.replace(')', ''), name)
    }
  }
  for (const [what, count] of Object.entries(checked)) t.ok(count > 1, `${count} ${what}`)
  t.end()
})
