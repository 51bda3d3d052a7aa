import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { metrics } from '../../../monitor/metrics/table.js'
import { serve } from '../../../monitor/http/serve.js'
import { configSchema } from '../../../config/schema.js'
import type { Clock } from '../../../platform/clock.js'
import { createLogger } from '../../../platform/log.js'
import { writeStatus } from '../../../formats/status.js'
import { withEnvironment } from '../../fixtures/environment.js'

// Mostly waits.

withEnvironment(t, { EDGETAPE_LOG: 'silent' })

const iso = (ms: number) => new Date(ms).toISOString()

/** Writes what healthy parts write. */
function writeHealthy(dataDir: string, atMs: number): void {
  writeStatus(dataDir, 'recorder', {
    exchange: 'deribit',
    run: 'r1',
    started_at: iso(atMs - 3_600_000),
    written_at: iso(atMs),
    stored_frames: 99,
    lost_frames: 0,
    families: { quote: { frames: 100, bytes: 5000, last_frame_at: iso(atMs) }, sent: { frames: 1, bytes: 1 } },
    connections: [{ name: 'd1', state: 'live', frames: 101, channels: 3, sessions: 1, last_frame_at: iso(atMs) }],
  })
  writeStatus(dataDir, 'compactor', { rows: { quote: 7 }, backlog_segments: 2 })
  writeStatus(dataDir, 'syncer', {
    backlog_files: 5,
    unverified_files: 1,
    oldest_unverified_age_s: 60,
    written_at: iso(atMs),
  })
}

interface Served {
  url: string
  dataDir: string
  clock: Clock & { ms: number }
  ask: (path: string, options?: { method?: string; headers?: Record<string, string> }) => Promise<Answer>
  /** Asks until the answer is the one that is wanted. */
  becomes: (path: string, status: number, body?: string) => Promise<Answer>
}

interface Answer {
  status: number | undefined
  headers: Record<string, string | string[] | undefined>
  body: string
}

async function served(t: Test, http: object = {}): Promise<Served> {
  const dataDir = t.testdir()
  const clock = { ms: Date.now(), nowMs: () => clock.ms, monotonicUs: () => Math.floor(performance.now() * 1000) }
  writeHealthy(dataDir, clock.ms)
  const config = configSchema.parse({ exchange: { name: 'deribit' }, dataDir, http: { port: 0, ...http } })
  const stop = new AbortController()
  const url = await new Promise<string>((resolve, reject) => {
    const ended = serve({ config, log: createLogger('test'), signal: stop.signal, clock, onListening: resolve })
    ended.catch(reject)
    t.teardown(async () => {
      stop.abort()
      await ended
    })
  })
  const ask: Served['ask'] = (path, { method = 'GET', headers = {} } = {}) =>
    new Promise((resolve, reject) => {
      const asked = httpRequest(url + path, { method, headers, agent: false }, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() })
        })
      })
      asked.on('error', reject)
      asked.end()
    })
  const becomes: Served['becomes'] = async (path, status, body) => {
    for (const endMs = Date.now() + 20_000; ;) {
      const answer = await ask(path)
      const isWanted = answer.status === status && (body === undefined || answer.body === body)
      if (isWanted || Date.now() > endMs) return answer
      await sleep(50)
    }
  }
  return { url, dataDir, clock, ask, becomes }
}

t.test('health is that of the data, not of the process alone', async t => {
  const { dataDir, clock, becomes } = await served(t, { noDataSeconds: 30 })
  t.equal((await becomes('/healthz', 200)).status, 200)
  t.equal((await becomes('/readyz', 200)).body, 'ok\n')

  t.comment('the recorder lives and speaks, but no data comes')
  const lastDataMs = clock.ms
  clock.ms += 31_000
  writeStatus(dataDir, 'recorder', {
    exchange: 'deribit',
    started_at: iso(lastDataMs - 60_000),
    written_at: iso(clock.ms),
    families: {
      quote: { frames: 100, bytes: 5000, last_frame_at: iso(lastDataMs) },
      rpc: { frames: 100, bytes: 5000, last_frame_at: iso(clock.ms) },
    },
    connections: [{ name: 'd1', state: 'live', last_frame_at: iso(clock.ms) }],
  })
  t.match(await becomes('/healthz', 503), { status: 503, body: 'no data for 31 s\n' }, 'heartbeats are no data')
  t.equal((await becomes('/readyz', 503)).status, 503)

  t.comment('it just started and has as long to bring data')
  writeStatus(dataDir, 'recorder', { exchange: 'deribit', started_at: iso(clock.ms - 1000), written_at: iso(clock.ms) })
  t.equal((await becomes('/healthz', 200)).status, 200)
  t.match(await becomes('/readyz', 503), { status: 503, body: 'no data yet\nno connection is live\n' })

  t.comment('the recorder hangs')
  writeHealthy(dataDir, clock.ms)
  t.equal((await becomes('/healthz', 200)).status, 200)
  clock.ms += 20_000
  t.match(await becomes('/healthz', 503), { status: 503, body: /^the recorder stands still: no sign of life for 20 s/ })

  t.comment('another part dies')
  writeHealthy(dataDir, clock.ms)
  writeStatus(dataDir, 'compactor', { pid: 2 ** 22 + 1 })
  t.match(await becomes('/readyz', 503, 'the compactor is dead\n'), { status: 503, body: 'the compactor is dead\n' })
  t.equal((await becomes('/healthz', 200)).status, 200, 'data is recorded all the same')

  writeStatus(dataDir, 'recorder', { stopped: true })
  t.match(await becomes('/healthz', 503), { status: 503, body: 'the recorder is stopped\n' })
})

t.test('metrics as Prometheus reads them', async t => {
  const { ask, clock } = await served(t)
  const { headers, body } = await ask('/metrics')
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  t.match(body, /^# HELP edgetape_frames_received_total \S.*\n# TYPE edgetape_frames_received_total counter\n/m)
  t.match(body, /^edgetape_frames_received_total\{exchange="deribit",family="quote"\} 100$/m)
  t.match(body, /^edgetape_part_up\{part="recorder",exchange="deribit"\} 1$/m)
  t.match(body, /^edgetape_healthy 1$/m)
  t.match(body, /^edgetape_compactor_rows_total\{table="quote"\} 7$/m)
  t.match(body, /^edgetape_sync_behind_seconds 60/m)
  t.match(body, new RegExp(`^edgetape_last_data_timestamp_seconds\\{exchange="deribit"\\} ${clock.ms / 1000}$`, 'm'))
  t.notMatch(body, /edgetape_channels_planned/, 'what no file tells is left out')
  t.match(body, /^edgetape_recorder_lost_frames_total\{exchange="deribit"\} 0$/m, 'a told zero is not')
})

t.test('names and units follow the conventions of Prometheus', t => {
  for (const { name, help, type } of metrics) {
    t.match(name, /^edgetape_[a-z][a-z_]*$/)
    t.match(help, /^[A-Z].*\.$/, `${name} is described`)
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: counters, and no others, end in _total`)
    t.notMatch(name, /_(ms|us|minutes|hours|days|kib|mib|kilobytes)(_|$)/, `${name} is in a base unit`)
  }
  t.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length)
  t.end()
})

t.test('nothing else is answered, and no file can be read', async t => {
  const { ask, url } = await served(t)
  for (const path of ['/state/recorder.json', '/../package.json', '/%2e%2e/package.json', '//etc/passwd', '/api/', '/__proto__', '/constructor', '/metrics/'])
    t.equal((await ask(path)).status, 404, path) // prettier-ignore
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
    t.match(await ask('/metrics', { method }), { status: 405, headers: { allow: 'GET, HEAD' } }, method)
  t.match(await ask('/api/status', { method: 'HEAD' }), { status: 200, body: '' })
  for (const host of ['evil.example', 'evil.example:9464', '192.168.0.7', 'localhost.evil.example'])
    t.equal((await ask('/api/status', { headers: { host } })).status, 421, `by the name ${host}`)
  for (const host of ['localhost', 'LOCALHOST:80', '[::1]:9464', '127.0.0.1'])
    t.equal((await ask('/api/status', { headers: { host } })).status, 200, `by the name ${host}`)
  const { headers } = await ask('/api/status')
  t.match(headers['content-security-policy'], /default-src 'none'/)
  t.equal(headers['x-content-type-options'], 'nosniff')

  const { hostname, port } = new URL(url)
  const raw = await new Promise<string>(resolve => {
    const socket = connect(Number(port), hostname, () =>
      socket.write('GET ../../etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    )
    socket.once('data', data => {
      resolve(data.toString())
      socket.destroy()
    })
  })
  t.match(raw, /^HTTP\/1\.1 40[04] /, 'a path that no client would send')
})

t.test('a port that is taken is told', async t => {
  const { url, dataDir } = await served(t)
  const http = { port: Number(new URL(url).port) }
  const config = configSchema.parse({ exchange: { name: 'deribit' }, dataDir, http })
  const signal = new AbortController().signal
  await t.rejects(serve({ config, log: createLogger('test'), signal }), { code: 'HTTP_PORT_TAKEN', hint: /http\.port/ })
})

t.test('a hundred connections that ask nothing shut nobody out, and do not stay', async t => {
  const { url, ask } = await served(t)
  const { hostname, port } = new URL(url)
  const idle = Array.from({ length: 100 }, () => connect(Number(port), hostname))
  t.teardown(() => idle.forEach(socket => socket.destroy()))
  let over = 0
  const closed = idle.map(async socket => {
    socket.on('error', error => t.match(error.message, /ECONNRESET|EPIPE/))
    await new Promise<void>(resolve => socket.once('close', () => resolve()).resume())
    over++
  })
  await Promise.all(idle.map(socket => new Promise<void>(resolve => socket.once('connect', () => resolve()))))
  // Half a question is none.
  for (const socket of idle.slice(50)) socket.write('GET /healthz HTTP/1.1\r\nHost: ')
  t.equal((await ask('/healthz')).status, 200)
  t.ok(over < idle.length, 'answered while they are there')
  await Promise.all(closed)
})
