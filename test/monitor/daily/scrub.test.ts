import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configSchema } from '../../../config/schema.js'
import { screenOf } from '../../../cli/status/screen.js'
import { conditionsOf, nothingSeen } from '../../../monitor/alerts/conditions.js'
import { dueMinutes, Scrub } from '../../../monitor/daily/scrub.js'
import { exposition } from '../../../monitor/metrics/exposition.js'
import { Observer } from '../../../monitor/observe/observer.js'
import { createLogger } from '../../../platform/log.js'
import { withEnvironment } from '../../fixtures/environment.js'
import { flipByte, ShippedTree } from '../../fixtures/shipped-tree.js'
import { commandHere } from '../../fixtures/command-here.js'

withEnvironment(t, { EDGETAPE_LOG: 'silent' })

const HOUR_MS = 3_600_000

t.test('each day its share of the week, not at a start', t => {
  const up = (hours: number) => ({ nowMs: 100 * HOUR_MS, upSinceMs: (100 - hours) * HOUR_MS })
  t.equal(dueMinutes(7, up(0.9), undefined), undefined)
  t.equal(dueMinutes(7, up(1), undefined), 60)
  t.equal(dueMinutes(0, up(1), undefined), undefined, 'never')
  t.equal(dueMinutes(7, up(2), 77 * HOUR_MS), undefined, 'done today')
  t.equal(dueMinutes(3.5, up(2), 76 * HOUR_MS), 30)
  t.end()
})

t.test('what rotted is found in the background, and told until it is mended', async t => {
  const folder = t.testdir()
  const tree = new ShippedTree(join(folder, 'data'))
  const { dataDir } = tree
  const segment = tree.segment(1)
  tree.write('state/x', '')
  const path = join(folder, 'edgetape.yaml')
  const written = { exchange: { name: 'deribit' }, dataDir }
  writeFileSync(path, JSON.stringify(written))
  const config = configSchema.parse(written)
  const look = () => {
    const seen = new Observer(dataDir).look()
    const condition = conditionsOf(seen, config.alerts, nothingSeen).find(({ key }) => key === 'archive')
    const { text } = exposition(seen, { live: [], ready: [] })
    const metric = /^edgetape_archive_rotten_files.* (\d+)$/m.exec(text)?.[1]
    return { screen: screenOf(seen), state: condition?.state, metric }
  }
  t.match(look(), { state: undefined, metric: undefined }, 'nothing was proven yet')

  flipByte(join(dataDir, segment))
  const { signal } = new AbortController()
  const scrub = new Scrub(config, path, createLogger('test'), 0)
  scrub.tick(2 * HOUR_MS, signal)
  await scrub.ended()
  t.ok(existsSync(join(dataDir, 'state/verify/bits.json')))
  t.match(look(), {
    state: 'bad',
    metric: '1',
    screen: /all 2 files .* read again .* ago\n.*1 rotten, first\s+raw\//,
  })

  flipByte(join(dataDir, segment))
  t.equal((await commandHere(['verify', 'bits', '--config', path])).exitCode, 0)
  t.match(look(), { state: 'good', metric: '0' })
})
