import { readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import t from 'tap'
import { configSchema } from '../../../config/schema.js'
import { DailyWork, dueDate } from '../../../monitor/daily/daily-work.js'
import { dailyJobs } from '../../../monitor/daily/jobs.js'
import { dataIdentity } from '../../../platform/data-identity.js'
import { createLogger } from '../../../platform/log.js'
import { withEnvironment } from '../../fixtures/environment.js'
import { writeRecording } from '../../fixtures/made-recording.js'

withEnvironment(t, { EDGETAPE_LOG: 'silent' })

t.test('yesterday is due when it is settled, once', t => {
  const at = (time: string) => Date.parse(`2026-11-23T${time}:00Z`)
  t.equal(
    dueDate(at('01:00'), () => undefined),
    undefined,
    'its last segments are on their way',
  )
  t.equal(
    dueDate(at('02:00'), () => undefined),
    '2026-11-22',
  )
  t.equal(
    dueDate(at('02:30'), () => at('00:30')),
    '2026-11-22',
    'written by hand too early',
  )
  t.equal(
    dueDate(at('23:00'), () => at('02:01')),
    undefined,
  )
  t.end()
})

function configOf(dataDir: string, nightly: boolean) {
  return configSchema.parse({ exchange: { name: 'deribit' }, dataDir, host: 'vps1', report: { nightly } })
}

t.test('a report is written each night where the config wants one, after coverage and once', async t => {
  const dataDir = t.testdir()
  const identity = dataIdentity(dataDir)
  const atUs = Date.UTC(2026, 10, 22, 14) * 1000
  writeRecording(
    dataDir,
    [
      { event: 'started' },
      { event: 'subscribed', conn: 'd1', channels: ['quote.BTC-PERPETUAL'] },
      { event: 'live', conn: 'd1', channels: 1 },
    ].map((event, second) => ({
      ...{ family: 'journal', conn: 'journal', recvUs: atUs + second * 1_000_000 },
      frame: JSON.stringify(event),
    })),
  )
  t.same(
    dailyJobs(configOf(dataDir, false)).map(({ name }) => name),
    ['coverage'],
  )
  const jobs = dailyJobs(configOf(dataDir, true))
  t.same(
    jobs.map(({ name }) => name),
    ['coverage', 'report'],
  )
  const begun: string[] = []
  const watched = jobs.map(job => ({
    ...job,
    begin: (date: string) => {
      begun.push(`${job.name} ${date}`)
      return job.begin(date)
    },
  }))
  const work = new DailyWork(watched, createLogger('test'))
  const { signal } = new AbortController()
  const nowMs = Date.parse('2026-11-23T02:00:00Z')
  for (let tick = 0; tick < 4; tick++) {
    work.tick(nowMs + tick, signal)
    await work.ended()
    await sleep(0)
  }
  t.same(begun, ['coverage 2026-11-22', 'report 2026-11-22'])
  const path = join(dataDir, `reports/date=2026-11-22/report-vps1_${identity}.html`)
  t.ok(statSync(path).size > 0)
  t.match(readFileSync(path, 'utf8'), /<h1>2026-11-22/)
  t.same(
    jobs.map(({ canBegin }) => canBegin('2026-11-20')),
    [true, false],
    'none of a day before the first',
  )
})
