import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'

t.test('pages sorted by one column unstably, and left out which of two trades of a millisecond came first', t => {
  let sorts = 0
  for (const page of ['README.md', 'docs/interop/pandas.md']) {
    const text = readFileSync(join(packageRoot, page), 'utf8')
    for (const [line, keys = '', more = ''] of text.matchAll(/^.*sort_values\((\[[^\]]*\]|"[^"]*")([^)]*)\).*$/gm)) {
      sorts++
      // By several columns pandas sorts stably; by one only where it is told to.
      t.ok(keys.includes(',') || more.includes('kind="stable"'), `${page}: ${line}`)
      if (keys.includes('exchange_ts')) t.match(keys, /"(?:trade_)?seq"/, `${page}: ${line}`)
    }
  }
  t.ok(sorts > 4, `${sorts} of them`)
  t.end()
})
