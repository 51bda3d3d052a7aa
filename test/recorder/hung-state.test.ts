import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { WebSocket } from 'ws'
import { heartbeatText } from '../../exchanges/deribit/simulator/rpc.js'
import { segmentPath } from '../../formats/raw-path.js'
import { numberedFrame, numberOf } from '../fixtures/numbered-exchange.js'
import { rawFiles, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'
import { PERPETUAL, scriptedExchange } from '../fixtures/scripted-exchange.js'
import { SEGMENT_NAME } from '../fixtures/segments.js'

// Mostly waits.

t.setTimeout(120_000)

/** How long is recorded, ms; the exchange asks ten times a second whether its client is there. */
const RECORDED_MS = 8000
const ASK_EVERY_MS = 100
/** What a heartbeat may take more than on a disk that answers; a thread that waits for the disk never answers. */
const LATE_MS = 500

interface Feed {
  url: string
  /** When each frame was sent, µs since the epoch. */
  sentUs: number[]
  /** How long each heartbeat was waited for, ms. */
  answeredMs: number[]
  /** Asked and not answered. */
  open: () => number
}

/** An exchange that sends numbered frames, and asks for a sign of life over and over. */
async function askingExchange(teardown: (end: () => unknown) => void): Promise<Feed> {
  const sentUs: number[] = []
  const answeredMs: number[] = []
  let askedMs: number | undefined
  const exchange = await scriptedExchange([PERPETUAL], (socket: WebSocket) => {
    socket.on('message', (data: Buffer) => {
      if (askedMs === undefined || !data.includes('public/test')) return
      answeredMs.push(performance.now() - askedMs)
      askedMs = undefined
    })
    const frames = setInterval(() => {
      sentUs.push((performance.timeOrigin + performance.now()) * 1000)
      socket.send(numberedFrame(sentUs.length - 1, 'quote.BTC-PERPETUAL', 0))
    }, 10)
    const asks = setInterval(() => {
      if (askedMs !== undefined) return
      askedMs = performance.now()
      socket.send(heartbeatText('test_request'))
    }, ASK_EVERY_MS)
    socket.on('close', () => {
      clearInterval(frames)
      clearInterval(asks)
    })
  })
  teardown(() => exchange.close())
  return {
    url: exchange.url,
    sentUs,
    answeredMs,
    open: () => (askedMs === undefined ? 0 : performance.now() - askedMs),
  }
}

/** The share of stamps that is no later than this behind the sending, µs. */
function stampDelayUs(dataDir: string, { sentUs }: Feed, share: number): number {
  const delays = recordedLines(dataDir).flatMap(({ frame, recvUs }) => {
    const n = numberOf(frame, 0)
    return n === undefined ? [] : [recvUs - (sentUs[n] ?? 0)]
  })
  return delays.sort((one, other) => one - other)[Math.floor(delays.length * share)] ?? Infinity
}

t.test('a disk below state/ and raw/ that hangs kept the thread that stamps frames and answers heartbeats', async t => {
  const root = t.testdir({ sound: {}, hung: { data: { state: {} } } })
  const dataDir = join(root, 'hung', 'data')
  const earlier = segmentPath({ ...SEGMENT_NAME, channel: 'trades' }, 'sealed')
  mkdirSync(dirname(join(dataDir, earlier)), { recursive: true })
  // Whoever opens one waits for ever, as on a network disk that is gone.
  for (const path of [
    'state/recorder.json.tmp',
    'state/recorder-polls-deribit-vps1.json',
    'state/recorder-polls-deribit-vps1.json.tmp',
    earlier,
  ])
    execFileSync('mkfifo', [join(dataDir, path)])

  const feeds = {
    sound: await askingExchange(end => t.teardown(end)),
    hung: await askingExchange(end => t.teardown(end)),
  }
  const segments = { rotateMinutes: 60, flushMs: 100, fsyncMs: 100 }
  const start = (name: 'sound' | 'hung') => startRecorder(t, join(root, name), { url: feeds[name].url }, segments)
  const recorders = { sound: start('sound'), hung: start('hung') }
  const enough = RECORDED_MS / 10
  await until('frames went to both', () => feeds.sound.sentUs.length > enough && feeds.hung.sentUs.length > enough)

  const worst = (feed: Feed) =>
    Math.max(
      feed.open(),
      feed.answeredMs.reduce((most, ms) => Math.max(most, ms), 0),
    )
  const [soundMs, hungMs] = [worst(feeds.sound), worst(feeds.hung)]
  t.ok(feeds.hung.answeredMs.length > 20, `${feeds.hung.answeredMs.length} heartbeats were answered`)
  t.ok(
    hungMs < soundMs + LATE_MS,
    `the slowest heartbeat: ${hungMs.toFixed(0)} ms, ${soundMs.toFixed(0)} ms on a sound disk`,
  )

  for (const recorder of Object.values(recorders)) recorder.process.kill('SIGTERM')
  const { stderr } = await recorders.hung.process
  await recorders.sound.process
  t.match(stderr, 'something does not answer', 'its end did not wait for the disk')
  execFileSync('rm', [join(dataDir, earlier)])
  t.ok(rawFiles(dataDir).some(path => path.includes('channel=quote')))
  const [sound, hung] = [
    stampDelayUs(recorders.sound.dataDir, feeds.sound, 0.99),
    stampDelayUs(dataDir, feeds.hung, 0.99),
  ]
  t.ok(
    hung < sound + 1000 * LATE_MS,
    `stamps p99: ${(hung / 1000).toFixed(1)} ms, ${(sound / 1000).toFixed(1)} ms on a sound disk`,
  )
})
