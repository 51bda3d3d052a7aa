/** An outage with failed tries in it, in which the recorder is killed: what is told of it after, and of the quiet time then. */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { isLost } from '../../coverage/account/account.js'
import { measureAsked } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { Observer } from '../../monitor/observe/observer.js'
import { unionOf } from '../../platform/spans.js'
import { commandHere } from '../fixtures/command-here.js'
import {
  framesTaken,
  rawFiles,
  recordedLines,
  startRecorder,
  statusOf,
  until,
  type RecordedLine,
  type RecorderProcess,
} from '../fixtures/recorder-process.js'
import { sealLeft } from '../fixtures/segments.js'

// Mostly waits.

const FEW = ['trades', 'quote', 'book']
const channels = { perpetual: FEW, future: [], option: [], spot: [], combo: [], index: [], exchange: [] }
const QUIET_MS = 8000
const SECOND_US = 1_000_000
const CHANNEL = 'quote.BTC-PERPETUAL'

interface Told {
  event: string
  cause?: string
}
const told = ({ frame }: RecordedLine) => JSON.parse(frame.toString('utf8')) as Told

interface Connection {
  state: string
  last_error: { message: string } | null
}
const connectionsOf = (recorder: RecorderProcess) => (statusOf(recorder)['connections'] ?? []) as Connection[]
const isLive = (recorder: RecorderProcess) => {
  const connections = connectionsOf(recorder)
  return connections.length > 0 && connections.every(({ state }) => state === 'live')
}

t.test('one outage, failed tries and kills in it: missing once, and over when frames come again', async t => {
  const folder = t.testdir({})
  const exchange = await startSimulator({ rate: 300, instruments: 2 })
  t.teardown(() => exchange.close())
  const { faults } = exchange
  const start = () => startRecorder(t, folder, { url: exchange.url, currencies: ['BTC'], channels })
  const kill = async ({ process }: RecorderProcess) => {
    process.kill('SIGKILL')
    await process
  }
  const triesFail = (recorder: RecorderProcess, how: string) =>
    until(`a try fails by ${how}`, () =>
      connectionsOf(recorder).some(({ last_error: error }) => error?.message.includes(how)),
    )

  const first = start()
  await until('it records', () => isLive(first) && framesTaken(first, 'quote') > 20 && framesTaken(first, 'book') > 20)
  await delay(2000)
  faults.inject({ type: 'reject_subscribe', code: 10028, message: 'too_many_requests', times: Infinity })
  faults.inject({ type: 'maintenance', forMs: 600_000 })
  await triesFail(first, 'HTTP 503')
  faults.inject({ type: 'maintenance', forMs: 0 })
  await triesFail(first, 'too_many_requests')
  faults.inject({ type: 'maintenance', forMs: 600_000 })
  await kill(first)

  const second = start()
  await until('it runs, and is not even given a list', () => Number(statusOf(second)['stored_frames']) > 0)
  await kill(second)

  faults.inject({ type: 'maintenance', forMs: 0 })
  const third = start()
  await triesFail(third, 'too_many_requests')
  await kill(third)

  faults.clear()
  const last = start()
  await until('it records again', () => isLive(last) && framesTaken(last, 'quote') > 0)
  await delay(QUIET_MS)
  const { dataDir, configFile } = last
  await until('nothing lasts still while it records', () =>
    new Observer(dataDir).look().gaps.every(({ toUs }) => toUs !== undefined),
  )
  last.process.kill('SIGTERM')
  t.equal((await last.process).exitCode, 0)
  sealLeft(dataDir)
  t.match(await commandHere(['compact', '--once', '--config', configFile]), { exitCode: 0 })
  t.same(
    new Observer(dataDir).look().gaps.filter(({ kind, toUs }) => kind === 'outage' && toUs === undefined),
    [],
    'nor after the end',
  )

  const lines = recordedLines(dataDir)
  const runs = [...new Set(lines.map(({ run }) => run))]
  const lastRun = runs.at(-1)
  t.equal(runs.length, 4, 'each run left what it knew', { runs, files: rawFiles(dataDir) })
  const quotes = lines.filter(({ family, frame }) => family === 'quote' && frame.includes(`"${CHANNEL}"`))
  const before = quotes.filter(({ run }) => run === runs[0])
  const after = quotes.filter(({ run }) => run === lastRun)
  t.equal(quotes.length, before.length + after.length, 'frames before and after alone')
  const ownJournal = lines.filter(({ family, run }) => family === 'journal' && run === lastRun)
  const liveUs = ownJournal.find(line => told(line).event === 'live')?.recvUs ?? Infinity

  await t.test('of the whole span', async t => {
    const { groups, window } = await measureAsked(dataDir)
    const own = groups.find(({ channels }) =>
      channels.some(({ family, about }) => family === 'quote' && about === 'BTC-PERPETUAL'),
    )
    const missing = own?.spans.filter(isLost) ?? []
    const seen = missing.map(({ state, cause, fromUs, toUs }) => ({ state, cause, fromUs, toUs }))
    const outages = unionOf(missing).filter(({ fromUs }) => fromUs >= (before[0]?.recvUs ?? 0))
    t.equal(outages.length, 1, 'one span is missing', { seen })
    const [{ fromUs, toUs } = { fromUs: 0, toUs: 0 }] = outages
    t.ok(Math.abs(fromUs - (before.at(-1)?.recvUs ?? 0)) < SECOND_US, 'from the last frame', { seen })
    t.ok(Math.abs(toUs - (after[0]?.recvUs ?? 0)) < SECOND_US, 'to the first', { seen })
    t.ok(
      missing.every(({ toUs }) => toUs <= window.toUs - QUIET_MS * 500),
      'nothing lasts to the end',
    )
  })

  await t.test('of the quiet time since', async t => {
    const window = { fromUs: liveUs + 2 * SECOND_US, toUs: Infinity }
    const { losses, lines } = summaryOf(await measureAsked(dataDir, window), exchangeNamed)
    t.same(losses, [], 'nothing is missing but trades that were fetched')
    t.same(
      lines
        .filter(({ family }) => FEW.includes(family))
        .map(({ family, complete }) => [family, complete])
        .sort(),
      FEW.map(family => [family, 1]).sort(),
    )
  })
})
