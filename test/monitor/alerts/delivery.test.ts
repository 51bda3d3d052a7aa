// Puts back what it changes of the process.
/** How alerts reach their receivers. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Alerts } from '../../../monitor/alerts/alerts.js'
import { messageOfAlert, type AlertMessage } from '../../../monitor/alerts/message.js'
import { receiversOf } from '../../../monitor/alerts/receivers.js'
import { serve } from '../../../monitor/http/serve.js'
import { configSchema } from '../../../config/schema.js'
import { createLogger } from '../../../platform/log.js'
import { writeStatus } from '../../../formats/status.js'
import { withEnvironment } from '../../fixtures/environment.js'
import { matchAll } from '../../fixtures/match-all.js'
import { until } from '../../fixtures/recorder-process.js'
import { limitsOf, seen, startMs } from './fixtures/seen.js'

withEnvironment(t, { EDGETAPE_LOG: 'silent' })
// They mostly wait.
t.jobs = 4

/** A receiver of webhooks; `answers` are its first status codes, then 200. */
async function receiver(t: Test, answers: number[] = []) {
  const got: AlertMessage[] = []
  let calls = 0
  const server = createServer((request, response) => {
    calls++
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.statusCode = answers.shift() ?? 200
      if (response.statusCode === 200) got.push(JSON.parse(Buffer.concat(chunks).toString()) as AlertMessage)
      response.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=secret`,
    got,
    calls: () => calls,
  }
}

const raised = messageOfAlert({ key: 'no data', what: 'raised', text: 'no data', sinceMs: startMs }, 'vps')
const never = new AbortController().signal
const deliver = async (message: AlertMessage, limits: ReturnType<typeof limitsOf>) => {
  for (const receiver of receiversOf(limits)) await receiver.send(message, never)
}

t.test('a webhook is tried again, and a secret address is told to nobody', async t => {
  const { url, got, calls } = await receiver(t, [500])
  const webhookFile = join(t.testdir(), 'hook')
  writeFileSync(webhookFile, `${url}\n`)
  await deliver(raised, limitsOf({ webhookFile }))
  t.equal(calls(), 2)
  matchAll(t, got, [
    {
      text: '[ALERT] edgetape vps: no data; type: edgetape doctor',
      run: 'edgetape doctor',
      what: 'raised',
      alert: 'no data',
      host: 'vps',
    },
  ])
  const refused = await receiver(t, [404, 404, 404, 404])
  const failure = await deliver(raised, limitsOf({ webhook: refused.url })).then(
    () => undefined,
    (error: unknown) => error,
  )
  t.match(failure, { code: 'ALERT_NOT_DELIVERED', message: 'the webhook answered 404' })
  t.notMatch(JSON.stringify(failure), /secret/)
})

t.test('a command gets the alert on stdin, its arguments as they are', async t => {
  const out = join(t.testdir(), 'out $(touch never).json')
  const script =
    'process.stdin.pipe(require("fs").createWriteStream(process.argv[1] + process.env.EDGETAPE_ALERT_WHAT))'
  await deliver(raised, limitsOf({ command: [process.execPath, '-e', script, out] }))
  t.same(JSON.parse(readFileSync(`${out}raised`, 'utf8')), raised)
  const broken = deliver(raised, limitsOf({ command: [process.execPath, '-e', 'process.exit(3)'] }))
  await t.rejects(broken, { code: 'ALERT_NOT_DELIVERED' })
})

t.test('what could not be delivered is delivered later', async t => {
  const { url, got } = await receiver(t, [500, 500, 500, 500])
  const dataDir = t.testdir()
  const config = configSchema.parse({ exchange: { name: 'deribit' }, dataDir, host: 'vps', alerts: { webhook: url } })
  const alerts = new Alerts(config, createLogger('test'))
  for (let minute = 0; got.length === 0 && minute < 60; minute++) {
    alerts.note(seen(minute, { dataAgoS: 200 + 60 * minute }), never)
    await sleep(300)
  }
  matchAll(t, got, [{ alert: 'no data', what: 'raised' }])
  await until('its state is written', () => existsSync(join(dataDir, 'state', 'alerts-webhook.json')))
  const again = new Alerts(config, createLogger('test'))
  again.note(seen(61, { dataAgoS: 9000 }), never)
  await sleep(300)
  t.equal(got.length, 1, 'who was told is not told again by a new process')
})

t.test('serve watches, tells, and gives the all-clear; with http.enabled: false, too', async t => {
  const { url, got } = await receiver(t)
  const dataDir = t.testdir()
  const clock = { ms: Date.now(), nowMs: () => clock.ms, monotonicUs: () => Math.floor(performance.now() * 1000) }
  const write = () => {
    const now = new Date(clock.ms).toISOString()
    const families = { quote: { frames: 1, bytes: 1, last_frame_at: now } }
    writeStatus(dataDir, 'recorder', {
      exchange: 'deribit',
      started_at: new Date(clock.ms - 9e6).toISOString(),
      written_at: now,
      families,
    })
  }
  write()
  const alerts = { webhook: url, minFreeGiB: 0, clearMinutes: 0.01 }
  const config = configSchema.parse({ exchange: { name: 'deribit' }, dataDir, http: { enabled: false }, alerts })
  const stop = new AbortController()
  const ended = serve({ config, log: createLogger('test'), signal: stop.signal, clock })
  clock.ms += 200_000
  await until('an alert', () => got.length > 0)
  t.match(got[0], {
    alert: 'no data',
    what: 'raised',
    text: /no data since .*the recorder stands still: no sign of life/,
  })
  write()
  const isOver = () => got.some(({ alert, what }) => alert === 'no data' && what === 'cleared')
  await until('the all-clear', () => isOver() || ((clock.ms += 100), write(), false))
  t.match(got.filter(({ alert }) => alert === 'no data').at(-1), { what: 'cleared', text: /data comes again/ })
  stop.abort()
  await ended
})

t.test('the command of alerts was given the login of the exchange', async t => {
  const out = join(t.testdir({}), 'environment.json')
  const names = ['DERIBIT_CLIENT_ID', 'DERIBIT_CLIENT_SECRET', 'DERIBIT_CLIENT_SECRET_FILE', 'EDGETAPE_OTHER']
  withEnvironment(t, Object.fromEntries(names.map(name => [name, 'hush-hush'])))
  const script = "require('node:fs').writeFileSync(process.argv[1], JSON.stringify(process.env))"
  await deliver(raised, limitsOf({ command: [process.execPath, '-e', script, out] }))
  const given = JSON.parse(readFileSync(out, 'utf8')) as Record<string, string>
  t.strictSame(
    names.filter(name => name in given),
    ['EDGETAPE_OTHER'],
  )
  t.ok(given['PATH'], 'all else is as before')
})
