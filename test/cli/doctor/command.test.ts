import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Finding } from '../../../monitor/doctor/finding.js'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import { edgetape, unwrapped } from '../../fixtures/cli.js'
import { commandHere } from '../../fixtures/command-here.js'

interface Report {
  exit_code: number
  findings: Finding[]
}

t.test('all that a recorder needs, looked at for real', async t => {
  const exchange = await startSimulator({ rate: 300, instruments: 10 })
  t.teardown(() => exchange.close())
  const folder = t.testdir()
  const nas = join(folder, 'nas')
  mkdirSync(nas)
  const config = join(folder, 'edgetape.yaml')
  const values = {
    dataDir: join(folder, 'data'),
    exchange: { name: 'deribit', url: exchange.url },
    sync: { target: nas },
  }
  writeFileSync(config, JSON.stringify(values))

  const { stdout, stderr, exitCode } = await edgetape(['doctor', '--config', config, '--json'])
  t.equal(stderr, '')
  const report = JSON.parse(stdout) as Report
  const outcomes = new Map(report.findings.map(({ check, outcome }) => [check, outcome]))
  for (const check of ['config', 'node', 'flock', 'open files', 'exchange', 'exchange clock', 'nas'])
    t.equal(outcomes.get(check), 'ok', `${check}: ${stdout}`)
  for (const check of ['clock', 'disk', 'nas space']) t.ok(outcomes.has(check), check)
  t.equal(outcomes.has('rsync'), false, 'a folder needs none')
  t.equal(exitCode, report.exit_code)
  t.equal(exitCode === 1, [...outcomes.values()].includes('failed'))
  t.same(readdirSync(folder).sort(), ['edgetape.yaml', 'nas'], 'nothing is left behind')
  t.same(readdirSync(nas), [])
})

t.test('a config with a mistake: told, and what needs none is looked at still', async t => {
  const config = join(
    t.testdir({ 'edgetape.yaml': 'exchange: { name: deribit, currencys: [BTC] }\n' }),
    'edgetape.yaml',
  )
  const { stdout, exitCode } = await commandHere(['doctor', '--config', config])
  t.equal(exitCode, 1)
  t.match(
    unwrapped(stdout),
    /^FAILED {3}config {10}.*edgetape\.yaml:1: exchange\.currencys: unknown key; did you mean currencies\?/m,
  )
  t.match(stdout, /^ok {7}node/m)
  t.notMatch(stdout, /✅|❌/, 'words where nobody looks')
})
