import t from 'tap'
import { runGroup } from './run-files.js'

const fixture = (name: string) => `test/fixtures/sharing/${name}.ts`

t.test('files that share a process are told of one by one', async t => {
  const told: string[] = []
  const found = await runGroup([fixture('passes'), fixture('skips')], text => told.push(text))
  t.same([...found.keys()], [fixture('passes'), fixture('skips')])
  t.match(found.get(fixture('passes')), { passed: 2, failures: { length: 0 }, skipped: { length: 0 } })
  t.match(found.get(fixture('skips')), { passed: 1, failures: { length: 0 }, skipped: { length: 1 } })
  t.same(found.get(fixture('skips'))?.skipped, [
    { name: `${fixture('skips')} > is done later > what cannot`, reason: 'needs something' },
  ])
  t.equal(told.length, 2)
  t.match(told[0], /^PASS \S+passes\.ts: 2 passed, \d+\.\d s, CPU \d+\.\d s\n$/)
  t.match(told[1], /^PASS \S+skips\.ts: 1 passed, 0\.\d s, CPU 0\.\d s\n$/)
})

t.test('what a file asks of the top level ends with it, though others follow in the process', async t => {
  const told: string[] = []
  const found = await runGroup([fixture('top-level'), fixture('behind-top-level')], text => told.push(text))
  t.match(found.get(fixture('top-level')), { passed: 2, failures: { length: 0 } })
  t.match(found.get(fixture('behind-top-level')), { passed: 4, failures: { length: 0 } })
  t.equal(told.length, 2, told.join(''))
})

for (const bad of ['fails', 'crashes'])
  t.test(`where one ${bad}, each runs once more by itself, and the others pass`, async t => {
    const told: string[] = []
    const files = [fixture('passes'), fixture(bad), fixture('skips')]
    const found = await runGroup(files, text => told.push(text))
    t.same([...found.keys()], files)
    t.match(found.get(fixture('passes')), { passed: 2, failures: { length: 0 } })
    t.match(found.get(fixture('skips')), { passed: 1, failures: { length: 0 } })
    const wanted = bad === 'fails' ? 'what is wrong > one is two' : 'ended with SIGKILL'
    t.same(
      found.get(fixture(bad))?.failures.map(({ name }) => name),
      [`${fixture(bad)} > ${wanted}`],
    )
    const all = told.join('')
    t.match(all, `wrong (${wanted}): ${files.join(' ')}\n`)
    t.match(all, `FAIL ${fixture(bad)}: ${bad === 'fails' ? 0 : 1} passed, 1 failed`)
    if (bad === 'fails') t.match(all, 'validate: function Boolean()')
  })
