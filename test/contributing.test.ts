import { readFileSync } from 'node:fs'
import { execaSync } from 'execa'
import t from 'tap'
import { packageRoot } from '../platform/package-info.js'

const contributing = readFileSync(`${packageRoot}/CONTRIBUTING.md`, 'utf8')
const files = execaSync('git', ['ls-files'], { cwd: packageRoot }).stdout.split('\n')

/** Files, or folders, that a text in backticks means; a name without its folder is sought in all of them. */
const meant = (text: string) => {
  const path = text.replaceAll('<exchange>', 'deribit').replaceAll('<name>', 'trades')
  return files.filter(
    file => file === path || file.endsWith(`/${path}`) || (path.endsWith('/') && file.startsWith(path)),
  )
}

for (const [, what = '', row = ''] of contributing.matchAll(
  /^\| (a table|a view|an alert|a target|an exchange) +\| (.*)$/gm,
)) {
  t.test(`how to add ${what} names files that are there`, t => {
    const named = [...row.matchAll(/`([^` ]+(?:\/|\.(?:ts|sql|md)))`/g), ...row.matchAll(/\]\(([^)]+)\)/g)]
    const plain = row.matchAll(/(?<![`(\w/])docs\/[\w-]+\.md/g)
    const names = [...[...named].map(([, name = '']) => name), ...[...plain].map(([name]) => name)]
    t.ok(names.length > 2, names.join(', '))
    for (const name of names) t.ok(meant(name).length > 0, name)
    t.end()
  })
}

t.test('all five recipes are there', t => {
  t.equal([...contributing.matchAll(/^\| (?:a table|a view|an alert|a target|an exchange) +\|/gm)].length, 5)
  t.end()
})
