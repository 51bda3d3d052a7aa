/** A first look at an exchange that is not the default one: its config, and its demonstration. */
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../config/load.js'
import { edgetape } from '../fixtures/cli.js'
import { matchAll } from '../fixtures/match-all.js'

t.jobs = 2
t.setTimeout(240_000)

for (const exchange of ['bybit', 'okx']) {
  t.test(`init --exchange ${exchange} writes a config that is read`, async t => {
    const path = join(t.testdir({}), 'edgetape.yaml')
    const asked = ['init', '--yes', '--exchange', exchange, '--instruments', 'BTC*', '--config', path]
    t.match(await edgetape(asked), { exitCode: 0 })
    matchAll(t, loadConfig(path).exchanges, [{ name: exchange, instruments: ['BTC*'] }])
  })

  t.test(`demo --exchange ${exchange} ends with a report and nothing running`, async t => {
    const cwd = t.testdir()
    const { stdout, stderr, exitCode } = await edgetape(['demo', '--exchange', exchange, '--seconds', '8'], { cwd })
    t.equal(exitCode, 0, stderr)
    t.match(stdout, /^ {2}Complete: [\d,]+ channels, .* when the recorder was stopped\.$/m, 'the account')
    t.match(stdout, /^ {2}\d\d:\d\d:\d[0-9] +\d+/m, 'candles')
    t.notMatch(stdout, /deribit/i)
  })
}
