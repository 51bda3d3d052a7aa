/** Parts of `run` that stand still: told within seconds, started again, and what they wrote stays. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { healthOf } from '../../../monitor/observe/health.js'
import { Observer } from '../../../monitor/observe/observer.js'
import { reportsOf, type PartReport } from '../../../monitor/observe/parts.js'
import { cliMain, edgetape } from '../../fixtures/cli.js'
import { numberedExchange } from '../../fixtures/numbered-exchange.js'
import { until } from '../../fixtures/recorder-process.js'

// Mostly waits.

t.setTimeout(240_000)

const PARTS = ['recorder', 'compactor', 'syncer', 'monitor']

t.test(
  'compactor, syncer and page that stood still were shown as running for ever, and nobody started them again',
  async t => {
    const folder = t.testdir({})
    const exchange = await numberedExchange({ perSecond: 200 })
    t.teardown(() => exchange.close())
    const dataDir = join(folder, 'data')
    const configFile = join(folder, 'edgetape.yaml')
    writeFileSync(
      configFile,
      JSON.stringify({
        ...{ host: 'vps1', dataDir, exchange: { name: 'deribit', url: exchange.url } },
        segments: { rotateMinutes: 60, flushMs: 100, fsyncMs: 100 },
        ...{ sync: { target: join(folder, 'nas') }, http: { port: 0 } },
      }),
    )
    const log = join(folder, 'log')
    const run = execa('sh', ['-c', 'exec "$@" 2>"$0"', log, process.execPath, cliMain, 'run', '--config', configFile], {
      ...{ env: { EDGETAPE_LOG: 'info' }, stdio: 'ignore', reject: false },
    })
    const reports = () => reportsOf(dataDir, [undefined])
    const areAll = (state: PartReport['state']) => {
      if (run.exitCode !== null) throw new Error(readFileSync(log, 'utf8'))
      const found = reports()
      return PARTS.every(part => found.some(report => report.part === part && report.state === state && report.pulse))
    }
    await until('all run', () => areAll('running') && exchange.sent > 400)
    const before = reports()
    t.ok(
      before.every(({ pulse }) => (pulse?.rss_bytes ?? 0) > 1e7 && pulse?.did !== ''),
      'each says what it did last',
    )

    for (const { pid } of before) process.kill(pid ?? 0, 'SIGSTOP')
    await until('all stand still', () => areAll('stands still'))
    const now = Date.now()
    for (const { part, aliveAt } of reports()) {
      const ageS = (now - Date.parse(aliveAt ?? '')) / 1000
      t.ok(ageS > 10 && ageS < 25, `the last sign of the ${part} is ${ageS} s old`)
    }
    const { ready } = healthOf(new Observer(dataDir).look(), 120_000)
    for (const part of PARTS)
      t.ok(
        ready.some(trouble => trouble.startsWith(`the ${part} stands still`)),
        part,
      )
    t.match((await edgetape(['status', '--config', configFile])).stdout, /syncer +STANDS STILL/)

    await until('others in their place', () => areAll('running'))
    const after = reports()
    t.ok(after.every(({ pid }) => before.every(report => report.pid !== pid)))
    t.ok(after.every(({ pulse }, index) => (pulse?.at ?? '') > (before[index]?.pulse?.at ?? '')))
    t.match(readFileSync(log, 'utf8'), /"seconds":30.*stands still: no sign of life, killing it/)

    run.kill('SIGTERM')
    t.equal((await run).exitCode, 0, readFileSync(log, 'utf8').slice(-800))
    const proof = await edgetape(['verify', 'raw', '--config', configFile])
    t.equal(proof.exitCode, 0, `what was written before stays: ${proof.stdout}${proof.stderr}`)
  },
)
