import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { framesTaken, rawFiles, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'

/** Loaded before all else: a thread of the recorder dies soon after its start. */
const DYING_THREAD = `
if (!require('node:worker_threads').isMainThread) setTimeout(() => { throw new Error('of its own') }, 500)
`

// They mostly wait.
t.jobs = 3

/** `npm run long ends` holds it to 5 s, on a quiet machine. */
const ENDS_WITHIN_MS = 20_000

t.test('records a market, and a signal seals everything soon', async t => {
  const exchange = await startSimulator({ rate: 1000, instruments: 60 })
  t.teardown(() => exchange.close())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const folder = t.testdir({})
    const recorder = startRecorder(t, folder, { url: exchange.url })
    await until('trades, quotes and books', () =>
      ['trades', 'quote', 'book', 'ticker', 'perpetual'].every(family => framesTaken(recorder, family) > 0),
    )
    await until('a second of index prices', () => framesTaken(recorder, 'deribit_price_index') >= 4)
    const asked = performance.now()
    recorder.process.kill(signal)
    const { exitCode } = await recorder.process
    t.equal(exitCode, 0, `${signal}: exit code`)
    t.ok(performance.now() - asked < ENDS_WITHIN_MS, `${signal}: soon`)
    const states = new Set(rawFiles(recorder.dataDir).map(path => parseSegmentPath(path)?.state))
    t.same(states, new Set(['sealed', 'manifest']), `${signal}: nothing is left open`)
    const lines = recordedLines(recorder.dataDir)
    const received = lines
      .filter(({ conn }) => conn === 'd1')
      .map(({ seq }) => seq)
      .sort((one, other) => one - other)
    t.same(
      received,
      received.map((_, index) => index + 1),
      `${signal}: no frame of the connection is missing`,
    )
    const events = lines
      .filter(({ family }) => family === 'journal')
      .map(({ frame }) => (JSON.parse(frame.toString('utf8')) as { event: string }).event)
    for (const event of ['started', 'connected', 'subscribed', 'disconnected', 'stopped'])
      t.ok(events.includes(event), `${signal}: journal has ${event}`)
  }
})

t.test('a second recorder on the same folder says who holds it', async t => {
  const exchange = await startSimulator({ rate: 50, instruments: 8 })
  t.teardown(() => exchange.close())
  const folder = t.testdir({})
  const first = startRecorder(t, folder, { url: exchange.url })
  await until('the first records', () => framesTaken(first) > 0)
  const second = await startRecorder(t, folder, { url: exchange.url }).process
  t.equal(second.exitCode, 1)
  t.match(second.stderr, `another recorder is running here: pid ${first.process.pid ?? 0} on`)
  first.process.kill('SIGKILL')
  await first.process
  const third = startRecorder(t, folder, { url: exchange.url })
  await until('the lock is free after kill -9', () => framesTaken(third, 'quote') > 0)
  third.process.kill()
  const { exitCode, stderr } = await third.process
  t.equal(exitCode, 0, stderr)
})

t.test('secrets stay out of files and logs', async t => {
  const secret = 'a-very-secret-word'
  const exchange = await startSimulator({
    rate: 50,
    instruments: 8,
    credentials: [{ clientId: 'me', clientSecret: secret }],
  })
  t.teardown(() => exchange.close())
  const env = { DERIBIT_CLIENT_ID: 'me', DERIBIT_CLIENT_SECRET: secret, EDGETAPE_LOG: 'trace' }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, interval: 'raw' }, undefined, env)
  await until('raw books', () => framesTaken(recorder, 'book') > 0)
  recorder.process.kill()
  const { stderr, stdout } = await recorder.process
  const lines = recordedLines(recorder.dataDir)
  const everything = [stderr, stdout, ...lines.map(({ frame }) => frame.toString('utf8'))].join('\n')
  t.notMatch(everything, secret)
  t.match(everything, '"client_secret":"[secret]"', 'the login itself is recorded')
  t.match(everything, '"access_token":"[secret]"')
  t.notMatch(everything, /"(access|refresh)_token":"(?!\[secret\])/)
})

t.test('raw without credentials is refused before anything is written', async t => {
  const recorder = startRecorder(t, t.testdir({}), { url: 'ws://127.0.0.1:9/ws/api/v2', interval: 'raw' })
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 2)
  t.match(stderr, 'DERIBIT_CLIENT_ID')
  t.same(rawFiles(recorder.dataDir), [])
})

t.test('a status that hangs holds up neither the recording nor its end', async t => {
  const exchange = await startSimulator({ rate: 200, instruments: 8 })
  t.teardown(() => exchange.close())
  const folder = t.testdir({ data: { state: {} } })
  // Whoever writes to it waits for ever, as on a network disk that is gone.
  execFileSync('mkfifo', [join(folder, 'data', 'state', 'recorder.json.tmp')])
  const recorder = startRecorder(t, folder, { url: exchange.url })
  const stored = () =>
    rawFiles(recorder.dataDir)
      .filter(path => path.includes('channel=quote'))
      .reduce((sum, path) => sum + statSync(join(recorder.dataDir, path)).size, 0)
  await until('quotes are stored', () => stored() > 2000)
  process.kill(recorder.process.pid ?? 0, 'SIGTERM')
  const { signal, stderr } = await recorder.process
  t.equal(signal, 'SIGTERM', 'no exit gets past what hangs: the signal itself ends it')
  t.match(stderr, 'something does not answer')
  const states = new Set(rawFiles(recorder.dataDir).map(path => parseSegmentPath(path)?.state))
  t.same(states, new Set(['sealed', 'manifest']), 'all is sealed before')
})

t.test(
  'where nothing can ever be stored the recorder says so at its start, instead of losing what it takes',
  async t => {
    const exchange = await startSimulator({ rate: 50, instruments: 8 })
    t.teardown(() => exchange.close())
    // A file where the folder of all segments must be.
    const folder = t.testdir({ data: { raw: { 'exchange=deribit': 'not a folder' } } })
    const recorder = startRecorder(t, folder, { url: exchange.url })
    const { exitCode, stderr } = await recorder.process
    t.equal(exitCode, 1)
    t.match(stderr, /edgetape: cannot mkdir .*exchange=deribit: \w+/)
    t.match(stderr, 'edgetape: hint: something else stands there: move it away')
    t.notMatch(stderr, /^\s+at /m, 'no stack trace')
  },
)

t.test('when the storage thread ends the process does, so that a supervisor starts it again', async t => {
  const exchange = await startSimulator({ rate: 50, instruments: 8 })
  t.teardown(() => exchange.close())
  const folder = t.testdir({ 'thread.cjs': DYING_THREAD })
  const env = { NODE_OPTIONS: `--require=${join(folder, 'thread.cjs')}` }
  const recorder = startRecorder(t, folder, { url: exchange.url }, {}, env)
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 1)
  t.match(stderr, 'the storage thread ended: of its own')
})
