import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { PROBE_NAME, probeTarget } from '../../syncer/probe-target.js'
import { runSyncer } from '../../syncer/main.js'
import { ShippedTree, testConfig } from '../fixtures/shipped-tree.js'
import { startTarget } from '../fixtures/sync-targets.js'
import { matchAll } from '../fixtures/match-all.js'

const signal = new AbortController().signal
const log = pino({ level: 'silent' })
const ALL_WELL = ['address ok', 'connect ok', 'write ok', 'verify ok', 'remove ok']

for (const kind of ['folder', 'daemon', 'ssh'] as const) {
  t.test(kind, async t => {
    const folder = t.testdir()
    const target = await startTarget(t, kind, folder)
    if (!target) return
    const config = testConfig(join(folder, 'data'), target.sync)
    const probe = async () => {
      const steps = await probeTarget({ config, signal })
      return { steps, outcomes: steps.map(({ step, outcome }) => `${step} ${outcome}`) }
    }
    const left = kind === 'folder' ? [] : [PROBE_NAME]
    const first = await probe()
    t.same(first.outcomes, ALL_WELL, JSON.stringify(first.steps))
    t.same(readdirSync(target.root), left, 'a first target is not marked by a look at it')
    t.notOk(existsSync(join(folder, 'data')))
    t.same((await probe()).outcomes, ALL_WELL, 'again, over what may have been left')
    t.same(readdirSync(target.root), left)

    new ShippedTree(config.dataDir).segment(1)
    await runSyncer({ config, log, once: true, signal })
    t.same((await probe()).outcomes, ALL_WELL, 'of a target in use')

    rmSync(target.root, { recursive: true })
    writeFileSync(target.root, 'a file in the way')
    const { steps, outcomes } = await probe()
    t.ok(outcomes.includes('connect failed'), JSON.stringify(steps))
    const failed = steps.find(({ outcome }) => outcome === 'failed')
    t.match(failed?.error?.code, /^SYNC_TARGET_/)
    t.ok(failed?.error?.hint, failed?.message ?? '')
    t.equal(outcomes.length, 5)
  })
}

const skipped = (...steps: string[]) => steps.map(step => ({ step, outcome: 'skipped' }))

t.test('what is wrong before anything is reached', async t => {
  const folder = t.testdir({ mnt: {} })
  const config = testConfig(join(folder, 'data'), {})
  const at = (target: string) => probeTarget({ config: { ...config, sync: { ...config.sync, target } }, signal })
  matchAll(t, await at('s3://bucket/x'), [
    { step: 'address', outcome: 'failed', error: { code: 'SYNC_TARGET_INVALID' } },
    ...skipped('connect', 'write', 'verify', 'remove'),
  ])
  matchAll(t, await at(join(folder, 'no', 'where')), [
    { step: 'address', outcome: 'ok' },
    { step: 'connect', outcome: 'failed', error: { code: 'SYNC_TARGET_MISSING', hint: /mounted/ } },
    ...skipped('write', 'verify', 'remove'),
  ])
  matchAll(t, await at(join(folder, 'mnt', 'nas')), [
    { step: 'address', outcome: 'ok' },
    { step: 'connect', outcome: 'ok', message: /first pass makes it/ },
    ...skipped('write', 'verify', 'remove'),
  ])
  t.same(readdirSync(join(folder, 'mnt')), [])
})

t.test('an empty mount point is told from the target that was there', async t => {
  const folder = t.testdir({ nas: {} })
  const nas = join(folder, 'nas')
  const config = testConfig(join(folder, 'data'), { target: nas })
  new ShippedTree(config.dataDir).segment(1)
  await runSyncer({ config, log, once: true, signal })
  rmSync(nas, { recursive: true })
  mkdirSync(nas)
  matchAll(t, await probeTarget({ config, signal }), [
    { step: 'address', outcome: 'ok' },
    { step: 'connect', outcome: 'failed', error: { code: 'SYNC_TARGET_UNMARKED', hint: /mounted/ } },
    ...skipped('write', 'verify', 'remove'),
  ])
  t.same(readdirSync(nas), [])
})
