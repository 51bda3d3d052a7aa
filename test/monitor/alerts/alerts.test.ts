import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Alerts } from '../../../monitor/alerts/alerts.js'
import { messageOfAlert, type AlertMessage } from '../../../monitor/alerts/message.js'
import { receiversOf } from '../../../monitor/alerts/receivers.js'
import { due, looked, noAlerts, parseState, told, type AlertState } from '../../../monitor/alerts/state.js'
import { serve } from '../../../monitor/http/serve.js'
import { diskUseOf } from '../../../monitor/observe/disk-use.js'
import type { EventOfDay } from '../../../coverage/account/day.js'
import { withAccount } from '../../../monitor/observe/with-account.js'
import { coverageDay, coverageEvent } from '../../fixtures/coverage-day.js'
import { observationOf, type Observation } from '../../../monitor/observe/observation.js'
import { configSchema } from '../../../config/schema.js'
import { createLogger } from '../../../platform/log.js'
import type { Pulse } from '../../../formats/pulse.js'
import { writeStatus } from '../../../formats/status.js'
import { matchAll } from '../../fixtures/match-all.js'

process.env['EDGETAPE_LOG'] = 'silent'
// They mostly wait.
t.jobs = 4

const GIB = 1024 ** 3
const startMs = Date.parse('2026-11-22T14:00:00Z')
const limitsOf = (alerts: object = {}) => configSchema.parse({ exchange: { name: 'deribit' }, alerts }).alerts

interface Facts {
  dataAgoS?: number
  since?: string
  state?: 'running' | 'stands still' | 'dead'
  quarantineFiles?: number
  freeGiB?: number
  isReadOnly?: boolean
  /** What the recorder's disk says. */
  diskError?: string
  problemFiles?: number
  behindHours?: number
  wrong?: number
  missing?: number
  /** Why the last pass failed. */
  syncCode?: string
  clockS?: number
  notOffered?: readonly string[]
  heapShare?: number
  /** What the account says is missing. */
  losses?: EventOfDay[]
}

/** What `status` would see, `minute` minutes into the story. */
function seen(minute: number, facts: Facts = {}): Observation {
  const atMs = startMs + 60_000 * minute
  const { dataAgoS = 1, since = '2026-11-22T10:00:00.000Z', state = 'running', losses = [] } = facts
  const recorder = {
    disk_error: facts.diskError === undefined ? null : { at: new Date(atMs).toISOString(), message: facts.diskError },
    exchange_offset_us: 1e6 * (facts.clockS ?? 0),
    not_offered: facts.notOffered ?? [],
    families: { quote: { frames: 1, bytes: 1, last_frame_at: new Date(atMs - 1000 * dataAgoS).toISOString() } },
  }
  const syncer = {
    unverified_files: 1,
    oldest_unverified_age_s: 3600 * (facts.behindHours ?? 0),
    written_at: new Date(atMs).toISOString(),
    ...{ wrong_copies: facts.wrong, missing_copies: facts.missing },
    ...{ failures_in_a_row: facts.syncCode ? 1 : 0, last_error: facts.syncCode, last_error_code: facts.syncCode },
    problem_files: facts.problemFiles,
    problems: facts.problemFiles ? [{ path: 'raw', reason: 'found a link here' }] : [],
  }
  const look = observationOf({
    atMs,
    parts: [
      { part: 'recorder', state, since, status: recorder, pulse: pulseWith(facts.heapShare ?? 0.1) },
      { part: 'syncer', state: 'running', since, status: syncer },
    ],
    rates: new Map(),
    gaps: [],
    use: { ...diskUseOf('/nowhere', 0), quarantine: { files: facts.quarantineFiles ?? 0, bytes: 0 } },
    space: { freeBytes: (facts.freeGiB ?? 50) * GIB, sizeBytes: 100 * GIB, isReadOnly: facts.isReadOnly ?? false },
  })
  return withAccount(look, coverageDay('2026-11-22', atMs, { events: losses }))
}

const pulseWith = (share: number): Pulse => ({
  ...{ pid: 1, at: new Date(startMs).toISOString(), did: 'received frames', cpu_seconds: 1, loop_delay_seconds: 0 },
  ...{ rss_bytes: 1e8, heap_bytes: 1e9 * share, heap_limit_bytes: 1e9 },
})

/** Goes through a story; each line is `minute what alert`. */
function toldIn(story: [minute: number, facts: Facts][], alerts: object = {}): string[] {
  const limits = limitsOf(alerts)
  const lines: string[] = []
  let state: AlertState = noAlerts
  for (const [minute, facts] of story) {
    const look = seen(minute, facts)
    state = looked(state, look, limits)
    for (const alert of due(state, limits, look.atMs)) {
      lines.push(`${minute} ${alert.what} ${alert.key}`)
      state = told(state, alert, look.atMs)
    }
    // Over a restart of whoever watches, too.
    state = parseState(JSON.stringify(state))
  }
  return lines
}

const gap = (given: Partial<EventOfDay>): Facts => ({ losses: [coverageEvent(startMs, given)] })
/** Trades that the exchange was asked for and did not give. */
const hole = gap({ couldHeal: true, whose: 'trades BTC-PERPETUAL' })
const outage = gap({ lasts: true })

const stories: { name: string; story: [number, Facts][]; alerts?: object; lines: string[] }[] = [
  {
    name: 'all is well',
    story: [
      [0, {}],
      [10, {}],
    ],
    lines: [],
  },
  {
    name: 'no data, and again; the all-clear after five good minutes',
    story: [
      [0, {}],
      [1, { dataAgoS: 121 }],
      [2, { dataAgoS: 181 }],
      [3, {}],
      [7, {}],
      [8, {}],
      [9, {}],
    ],
    lines: ['1 raised no data', '8 cleared no data'],
  },
  {
    name: 'a disk that turned read-only was tried again for ever, and nobody was told',
    story: [
      [0, {}],
      [1, { isReadOnly: true }],
      [2, {}],
      [8, {}],
      [9, { diskError: 'EROFS: read-only file system, write' }],
    ],
    lines: ['1 raised disk refuses', '8 cleared disk refuses', '9 raised disk refuses'],
  },
  {
    name: 'files that are never shipped were told nobody',
    story: [
      [0, {}],
      [1, { problemFiles: 2 }],
      [2, {}],
      [8, {}],
    ],
    lines: ['1 raised sync problems', '8 cleared sync problems'],
  },
  {
    name: 'what comes and goes is told once',
    story: [
      [1, { dataAgoS: 200 }],
      [3, {}],
      [5, { dataAgoS: 200 }],
      [7, {}],
      [11, {}],
      [12, {}],
    ],
    lines: ['1 raised no data', '12 cleared no data'],
  },
  {
    name: 'what lasts is told again',
    story: [
      [1, { dataAgoS: 200 }],
      [60, { dataAgoS: 4000 }],
      [121, { dataAgoS: 7000 }],
    ],
    alerts: { repeatHours: 2 },
    lines: ['1 raised no data', '121 still no data'],
  },
  {
    name: 'a gap that does not heal',
    story: [
      [10, hole],
      [16, hole],
      [20, {}],
      [25, {}],
    ],
    lines: ['16 raised gap', '25 cleared gap'],
  },
  {
    name: 'a gap that healed in time',
    story: [
      [10, hole],
      [14, {}],
      [30, {}],
    ],
    lines: [],
  },
  {
    name: 'an outage that goes on is told, one that ended and cannot heal is in the account alone',
    story: [
      [14, outage],
      [16, outage],
      [20, gap({})],
      [25, gap({})],
    ],
    lines: ['16 raised gap', '25 cleared gap'],
  },
  {
    name: 'quarantine: what is new, not what lies there',
    story: [
      [0, { quarantineFiles: 3 }],
      [1, { quarantineFiles: 5 }],
      [2, { quarantineFiles: 5 }],
      [7, { quarantineFiles: 5 }],
    ],
    lines: ['1 raised quarantine', '7 cleared quarantine'],
  },
  {
    name: 'disk pressure ends only with some room more',
    story: [
      [0, { freeGiB: 1.1 }],
      [1, { freeGiB: 0.9 }],
      [2, { freeGiB: 1.1 }],
      [10, { freeGiB: 1.1 }],
      [11, { freeGiB: 2 }],
      [16, { freeGiB: 2 }],
    ],
    lines: ['1 raised disk', '16 cleared disk'],
  },
  {
    name: 'sync behind ends only when much of it is done',
    story: [
      [0, { behindHours: 5 }],
      [1, { behindHours: 7 }],
      [2, { behindHours: 5.5 }],
      [20, { behindHours: 5.5 }],
      [21, { behindHours: 1 }],
      [26, { behindHours: 1 }],
    ],
    lines: ['1 raised sync', '26 cleared sync'],
  },
  {
    name: 'copies that were safe at the target were found damaged or gone there, and nobody was told',
    story: [
      [0, { wrong: 0, missing: 0 }],
      [1, { wrong: 1, missing: 0 }],
      [2, { wrong: 1, missing: 0 }],
      [7, { wrong: 1, missing: 0 }],
      [8, { wrong: 1, missing: 3 }],
      [9, { wrong: 1, missing: 3 }],
      [14, { wrong: 1, missing: 3 }],
    ],
    lines: ['1 raised copies', '7 cleared copies', '8 raised copies', '14 cleared copies'],
  },
  {
    name: 'a syncer that counts from its start again found no more copies damaged until it counts one',
    story: [
      [0, { wrong: 2, missing: 0 }],
      [1, { wrong: 2, missing: 0 }],
      [6, { wrong: 2, missing: 0 }],
      [7, { wrong: 0, missing: 0 }],
      [8, {}],
      [9, { wrong: 1, missing: 0 }],
    ],
    lines: ['0 raised copies', '6 cleared copies', '9 raised copies'],
  },
  {
    name: 'a part that died and was started again',
    story: [
      [0, {}],
      [1, { state: 'dead' }],
      [2, { since: '2026-11-22T14:02:00.000Z' }],
      [3, { since: '2026-11-22T14:02:00.000Z' }],
      [8, { since: '2026-11-22T14:02:00.000Z' }],
    ],
    lines: [
      '1 raised recorder down',
      '2 raised recorder restarted',
      '2 raised syncer restarted',
      '8 cleared recorder down',
      '8 cleared recorder restarted',
      '8 cleared syncer restarted',
    ],
  },
  {
    name: 'a recorder that stands still was no news while its process lived',
    story: [
      [0, {}],
      [1, { state: 'stands still' }],
      [2, {}],
      [7, {}],
    ],
    lines: ['1 raised recorder down', '7 cleared recorder down'],
  },
  {
    name: 'no more messages an hour than allowed: the rest waits',
    story: [
      [1, { dataAgoS: 200, freeGiB: 0.5 }],
      [30, { dataAgoS: 200, freeGiB: 0.5 }],
      [62, { dataAgoS: 200, freeGiB: 0.5 }],
    ],
    alerts: { perHour: 1 },
    lines: ['1 raised no data', '62 raised disk'],
  },
  ...(
    [
      ['an empty disk in place of the target', 'target replaced', { syncCode: 'SYNC_TARGET_UNMARKED' }],
      ['another NAS under the same address', 'target replaced', { syncCode: 'SYNC_TARGET_DIFFERS' }],
      ['a target without room', 'target full', { syncCode: 'SYNC_TARGET_FULL' }],
      ['a clock that is off', 'clock', { clockS: -1.5 }],
      ['an instrument of the config that is not recorded', 'not recorded', { notOffered: ['BTC-1JAN20'] }],
      ['memory near its limit', 'memory', { heapShare: 0.95 }],
    ] as const
  ).map(([what, key, facts]) => ({
    name: `${what} was told nobody`,
    story: [
      [0, {}],
      [1, facts],
      [2, {}],
      [8, {}],
    ] as [number, Facts][],
    lines: [`1 raised ${key}`, `8 cleared ${key}`],
  })),
  {
    name: 'limits of 0 are off',
    story: [[1, { dataAgoS: 9000, freeGiB: 0, behindHours: 99 }]],
    alerts: { noDataSeconds: 0, minFreeGiB: 0, syncBehindHours: 0 },
    lines: [],
  },
]

for (const { name, story, alerts, lines } of stories) {
  t.test(name, t => {
    t.same(toldIn(story, alerts), lines)
    t.end()
  })
}

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

async function until(holds: () => boolean): Promise<void> {
  for (const endMs = performance.now() + 20_000; !holds() && performance.now() < endMs;) await sleep(50)
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
  await until(() => existsSync(join(dataDir, 'state', 'alerts-webhook.json')))
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
  await until(() => got.length > 0)
  t.match(got[0], {
    alert: 'no data',
    what: 'raised',
    text: /no data since .*the recorder stands still: no sign of life/,
  })
  write()
  const isOver = () => got.some(({ alert, what }) => alert === 'no data' && what === 'cleared')
  await until(() => isOver() || ((clock.ms += 100), write(), false))
  t.match(got.filter(({ alert }) => alert === 'no data').at(-1), { what: 'cleared', text: /data comes again/ })
  stop.abort()
  await ended
})

t.test('the command of alerts was given the login of the exchange', async t => {
  const out = join(t.testdir({}), 'environment.json')
  const names = ['DERIBIT_CLIENT_ID', 'DERIBIT_CLIENT_SECRET', 'DERIBIT_CLIENT_SECRET_FILE', 'EDGETAPE_OTHER']
  t.teardown(() => names.forEach(name => Reflect.deleteProperty(process.env, name)))
  for (const name of names) process.env[name] = 'hush-hush'
  const script = "require('node:fs').writeFileSync(process.argv[1], JSON.stringify(process.env))"
  await deliver(raised, limitsOf({ command: [process.execPath, '-e', script, out] }))
  const given = JSON.parse(readFileSync(out, 'utf8')) as Record<string, string>
  t.strictSame(
    names.filter(name => name in given),
    ['EDGETAPE_OTHER'],
  )
  t.ok(given['PATH'], 'all else is as before')
})
