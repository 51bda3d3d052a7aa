import t from 'tap'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'

// Mostly waits.

t.setTimeout(120_000)

interface Entry {
  event: string
  conn: string
  channel?: string
  channels?: string[]
  last_change_id?: number
  prev_change_id?: number
  change_id?: number
  from_us: number
  to_us: number
}

interface BookFrame {
  params: { channel: string; data: { type: string; change_id: number; prev_change_id?: number } }
}

t.test('a dropped book frame is journalled and healed on its channel alone', async t => {
  const exchange = await startSimulator({ rate: 2000, instruments: 10 })
  t.teardown(() => exchange.close())
  const channels = { perpetual: ['book', 'quote'], future: [], option: ['book'], spot: [], combo: [], index: [] }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies: ['BTC'], channels })
  const booked = () => framesTaken(recorder, 'book')
  await until('books', () => booked() > 100)
  exchange.faults.inject({ type: 'drop', channel: 'book.BTC-PERPETUAL.100ms' })
  await until('the frame dropped', () => exchange.faults.struck['drop'] === 1)
  const before = booked()
  await until('more books', () => booked() > before + 60)
  // Many at once: one frame of each of these channels is lost.
  exchange.faults.inject({ type: 'drop', channel: 'book.BTC-*', times: 12 })
  await until('frames dropped', () => exchange.faults.struck['drop'] === 13)
  const after = booked()
  await until('books again', () => booked() > after + 150)
  recorder.process.kill('SIGTERM')
  t.equal((await recorder.process).exitCode, 0)

  const lines = recordedLines(recorder.dataDir)
  const journal = lines
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as Entry)
  const frames = lines
    .filter(({ family }) => family === 'book')
    .map(({ frame, recvUs }) => ({ recvUs, ...(JSON.parse(frame.toString('utf8')) as BookFrame).params }))
  const breaks = journal.filter(({ event }) => event === 'book_break')
  const dropped = new Set(exchange.faults.hits.map(({ channel }) => channel))
  t.same(new Set(breaks.map(({ channel }) => channel)), dropped, 'each channel that lost a frame, and no other')
  t.equal(journal.filter(({ event }) => event === 'disconnected').length, 1, 'the connection stays')

  for (const { channel, last_change_id, prev_change_id, change_id, from_us, to_us } of breaks) {
    const own = frames.filter(frame => frame.channel === channel)
    const shown = own.findIndex(({ data }) => data.change_id === change_id)
    t.equal(own[shown]?.recvUs, to_us)
    t.equal(own[shown]?.data.prev_change_id, prev_change_id)
    t.equal(own[shown - 1]?.data.change_id, last_change_id, 'frames are stored throughout')
    t.equal(own[shown - 1]?.recvUs, from_us)
    const fresh = own.find(({ data, recvUs }) => data.type === 'snapshot' && recvUs > to_us)
    const resync = journal.find(entry => entry.event === 'resync' && entry.channel === channel && entry.to_us > to_us)
    t.ok(fresh, `${channel}: a fresh snapshot`)
    t.match(resync, { change_id: fresh?.data.change_id, from_us, to_us: fresh?.recvUs })
  }
  const restarted = journal.filter(({ event }) => event === 'unsubscribed').flatMap(({ channels = [] }) => channels)
  t.same(new Set(restarted), dropped, 'only these are subscribed anew')
  const calls = journal.filter(({ event }) => event === 'unsubscribed').length
  t.ok(calls <= 1 + Math.ceil((breaks.length - 1) / 2) + 3, `breaks that come together share calls: ${calls} calls`)
})
