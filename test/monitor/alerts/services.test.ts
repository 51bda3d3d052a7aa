// Puts back what it changes of the process.
/** What a local receiver gets of each service's payload, checked against the service's public format. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { z } from '../../../platform/zod.js'
import { configSchema } from '../../../config/schema.js'
import { Alerts } from '../../../monitor/alerts/alerts.js'
import { messageOfAlert } from '../../../monitor/alerts/message.js'
import { services, type ServiceName } from '../../../monitor/alerts/services.js'
import { observationOf } from '../../../monitor/observe/observation.js'
import { createLogger } from '../../../platform/log.js'
import { edgetape } from '../../fixtures/cli.js'
import { commandHere } from '../../fixtures/command-here.js'
import { withEnvironment } from '../../fixtures/environment.js'
import { matchAll } from '../../fixtures/match-all.js'
import { until } from '../../fixtures/recorder-process.js'

withEnvironment(t, { EDGETAPE_LOG: 'silent' })

/** Members that the services know, and no others; lengths that they take. */
const SHAPES: Record<ServiceName, z.ZodType> = {
  webhook: z.looseObject({ text: z.string(), what: z.string(), run: z.string() }),
  slack: z.strictObject({ text: z.string().min(1).max(40_000) }),
  discord: z.strictObject({
    content: z.string().min(1).max(2000),
    allowed_mentions: z.strictObject({ parse: z.array(z.never()) }),
  }),
  telegram: z.strictObject({
    chat_id: z.literal('-100123'),
    text: z.string().min(1).max(4096),
    disable_notification: z.boolean(),
  }),
  ntfy: z.strictObject({
    topic: z.literal('vps-alerts'),
    title: z.string(),
    message: z.string().max(4096),
    priority: z.int().min(1).max(5),
    tags: z.array(z.string()),
  }),
  pagerduty: z.strictObject({
    routing_key: z.literal('R0UT1NG'),
    event_action: z.enum(['trigger', 'resolve']),
    dedup_key: z.string().max(255),
    payload: z
      .strictObject({
        summary: z.string().max(1024),
        source: z.string(),
        severity: z.enum(['critical', 'error', 'warning', 'info']),
        component: z.string(),
        class: z.string(),
        timestamp: z.iso.datetime(),
        custom_details: z.record(z.string(), z.unknown()),
      })
      .optional(),
  }),
}
const PATHS: Record<ServiceName, string> = {
  webhook: '/hook',
  slack: '/services/T0/B0/secret',
  discord: '/api/webhooks/1/secret',
  telegram: '/botSECRET/sendMessage?chat_id=-100123',
  ntfy: '/vps-alerts',
  pagerduty: '/v2/enqueue?routing_key=R0UT1NG',
}
const names = Object.keys(services) as ServiceName[]

interface Got {
  path: string
  method: string
  body: unknown
}

async function receiver(t: Test, refuses: (path: string) => boolean = () => false) {
  const got: Got[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      response.statusCode = refuses(path) ? 500 : path.startsWith('/api/webhooks') ? 204 : 200
      if (!refuses(path))
        got.push({ path, method: request.method ?? '', body: text === '' ? undefined : JSON.parse(text) })
      response.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Config of alerts with a file for each service. */
function settings(folder: string, url: string): Record<string, string> {
  const files = [...names.map(name => [name, PATHS[name]] as const), ['ping', '/ping/secret'] as const]
  return Object.fromEntries(
    files.map(([name, path]) => {
      const file = join(folder, `address-${name}`)
      writeFileSync(file, `${url}${path}\n`)
      return [`${name}File`, file]
    }),
  )
}

t.test('each service is sent what it takes, however long the text', t => {
  const text = `a <b> & "c" ${'x'.repeat(9000)}`
  for (const what of ['raised', 'still', 'cleared', 'test'] as const)
    for (const name of names) {
      const message = messageOfAlert({ key: 'no data', what, text, sinceMs: 0 }, 'vps')
      const { body, url } = services[name](new URL(`https://example.com${PATHS[name]}`), message)
      const shape = name === 'webhook' && what === 'cleared' ? z.looseObject({}) : SHAPES[name]
      t.equal(shape.safeParse(body).error, undefined, `${name} ${what}`)
      t.notMatch(url, /chat_id|routing_key|vps-alerts/)
    }
  const post = services.slack(
    new URL('https://example.com/'),
    messageOfAlert({ key: 'a', what: 'raised', text: 'a <b> & c', sinceMs: 0 }, 'v'),
  )
  t.match(post.body, { text: /a &lt;b&gt; &amp; c; type: edgetape doctor$/ })
  t.end()
})

t.test('edgetape alerts test reaches each receiver, and says which it does not', async t => {
  const folder = t.testdir({})
  let broken = false
  const { got, url } = await receiver(t, path => broken && path.startsWith('/services'))
  const configFile = join(folder, 'edgetape.yaml')
  const write = (alerts: object) =>
    writeFileSync(
      configFile,
      JSON.stringify({ exchange: { name: 'deribit' }, dataDir: join(folder, 'data'), host: 'vps', alerts }),
    )
  const out = join(folder, 'out')
  const script = 'require("fs").writeFileSync(process.argv[1], process.env.EDGETAPE_ALERT_WHAT)'
  write({ ...settings(folder, url), command: [process.execPath, '-e', script, out] })
  const all = await edgetape(['alerts', 'test', '--config', configFile])
  t.equal(all.exitCode, 0, all.stderr)
  t.equal(all.stdout.match(/delivered/g)?.length, names.length + 2, all.stdout)
  t.equal(readFileSync(out, 'utf8'), 'test')
  for (const name of names) {
    const own = got.filter(({ path }) => path === (name === 'ntfy' ? '/' : PATHS[name].replace(/\?.*/, '')))
    t.equal(own.length, name === 'pagerduty' ? 2 : 1, `${name}: an incident is opened and closed`)
    for (const { body, method } of own) {
      t.equal(method, 'POST')
      t.equal(SHAPES[name].safeParse(body).error, undefined, `${name} ${JSON.stringify(body)}`)
    }
  }
  t.match(
    got.find(({ path }) => path === '/ping/secret'),
    { method: 'GET' },
  )

  broken = true
  const some = await commandHere(['alerts', 'test', '--json', '--config', configFile])
  t.equal(some.exitCode, 1)
  const results = JSON.parse(some.stdout) as { receiver: string; error?: string }[]
  t.same(
    results.filter(({ error }) => error !== undefined),
    [{ receiver: 'slack', error: 'slack answered 500' }],
  )
  t.notMatch(some.stdout + some.stderr, /secret/i)

  write({})
  t.match((await commandHere(['alerts', 'test', '--config', configFile])).stderr, /names no receiver of alerts/)
  t.match((await commandHere(['alerts', 'tset', '--config', configFile])).stderr, /found "tset", wanted: test/)
})

t.test('a receiver that did not answer kept the others from being told', async t => {
  const folder = t.testdir({})
  const { got, url } = await receiver(t, path => path.startsWith('/services'))
  const { ntfyFile, slackFile, pingFile } = settings(folder, url)
  const alerts = { ntfyFile, slackFile, pingFile, noDataSeconds: 10 }
  const config = configSchema.parse({ exchange: { name: 'deribit' }, dataDir: folder, host: 'vps', alerts })
  const teller = new Alerts(config, createLogger('test'))
  const atMs = Date.parse('2026-11-22T14:00:00Z')
  const look = (ms: number, isWell: boolean) =>
    teller.note(
      observationOf({
        atMs: ms,
        parts: [{ part: 'recorder', state: 'running', since: new Date(atMs - 60_000).toISOString(), status: {} }],
        ...{ rates: new Map(), gaps: [], use: undefined, space: undefined },
      }),
      new AbortController().signal,
      isWell,
    )
  look(atMs, false)
  await until('ntfy is told', () => existsSync(join(folder, 'state', 'alerts-ntfy.json')))
  matchAll(t, got, [
    { path: '/', body: { topic: 'vps-alerts', title: 'edgetape vps: no data', message: /type: edgetape doctor/ } },
  ])
  t.notOk(existsSync(join(folder, 'state', 'alerts-slack.json')), 'what slack was told is its own')
  look(atMs + 1000, false)
  t.notOk(
    got.some(({ path }) => path.startsWith('/ping')),
    'while something is wrong the watcher elsewhere hears nothing',
  )
  look(atMs + 2000, true)
  await until('the ping', () => got.some(({ path }) => path === '/ping/secret'))
  look(atMs + 3000, true)
  look(atMs + 62_001, true)
  await until('another a minute later', () => got.filter(({ path }) => path === '/ping/secret').length === 2)
})
