/** A recording that misses something, played: nobody is shown what stood before the gap as if it held after it. */
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { cliMain } from '../fixtures/cli.js'
import { writeRecording, type MadeFrame } from '../fixtures/made-recording.js'
import { until } from '../fixtures/recorder-process.js'
import { TestClient } from '../exchanges/deribit/simulator/client.js'

// They mostly wait.
t.jobs = 2

const START_US = Date.UTC(2026, 10, 22, 14) * 1000
const BOOK = 'book.BTC-PERPETUAL.raw'
const LOST = [BOOK, 'quote.BTC-PERPETUAL']
const KEPT = 'quote.ETH-PERPETUAL'

const at = (s: number, family: string, conn: string, frame: unknown): MadeFrame => ({
  ...{ family, conn },
  recvUs: START_US + s * 1_000_000,
  frame: JSON.stringify(frame),
})
const told = (s: number, detail: Record<string, unknown>) => at(s, 'journal', 'journal', detail)
const notification = (channel: string, data: unknown) => ({
  jsonrpc: '2.0',
  method: 'subscription',
  params: { channel, data },
})
const quote = (s: number, conn: string, channel: string) => at(s, 'quote', conn, notification(channel, { s }))
const book = (s: number, id: number, more: object) =>
  at(s, 'book', 'd1', notification(BOOK, { ...more, change_id: id, bids: [['new', id, 1]], asks: [], s }))

/** Connection d1 was down from second 10 to 20; d2 was not. */
function recordingWithGap(t: Test): string {
  const dataDir = t.testdir()
  writeRecording(dataDir, [
    told(0, { event: 'started', run: 'r1' }),
    told(0, { event: 'subscribed', conn: 'd1', channels: LOST }),
    told(0, { event: 'subscribed', conn: 'd2', channels: [KEPT] }),
    told(0, { event: 'live', conn: 'd1' }),
    told(0, { event: 'live', conn: 'd2' }),
    book(1, 101, { type: 'snapshot' }),
    quote(2, 'd1', 'quote.BTC-PERPETUAL'),
    quote(3, 'd2', KEPT),
    book(8, 102, { type: 'change', prev_change_id: 101 }),
    quote(9, 'd1', 'quote.BTC-PERPETUAL'),
    told(10, { event: 'disconnected', conn: 'd1', cause: 'reset' }),
    quote(12, 'd2', KEPT),
    quote(18, 'd2', KEPT),
    told(20, { event: 'subscribed', conn: 'd1', channels: LOST }),
    told(20, { event: 'live', conn: 'd1' }),
    told(20, {
      ...{ event: 'gap', conn: 'd1', cause: 'reset', families: ['book', 'quote'] },
      ...{ from_us: START_US + 10_000_000, to_us: START_US + 20_000_000 },
    }),
    book(21, 900, { type: 'snapshot' }),
    quote(22, 'd1', 'quote.BTC-PERPETUAL'),
    quote(23, 'd2', KEPT),
  ])
  return dataDir
}

async function replayed(t: Test, ...flags: string[]) {
  const args = [cliMain, 'replay', recordingWithGap(t), '--port', '0', '--speed', '0', ...flags]
  const replay = execa(process.execPath, args, { stdin: 'ignore', reject: false })
  t.teardown(() => replay.kill('SIGKILL'))
  const said = { out: '', err: '' }
  replay.stdout.on('data', text => (said.out += String(text)))
  replay.stderr.on('data', text => (said.err += String(text)))
  await until('it listens', () => said.out.includes('\n') || replay.exitCode !== null)
  return {
    said,
    url: said.out.trim(),
    done: () => until('the end of the recording', () => said.err.includes('end of the recording')),
  }
}

async function subscribed(t: Test, url: string): Promise<TestClient> {
  const client = await TestClient.connect(url)
  t.teardown(() => client.close())
  await client.subscribe(...LOST, KEPT)
  return client
}

/** When what a client was told of a channel was received, by second. */
const seconds = (client: TestClient, channel: string) => client.of(channel).map(({ s }) => s)
const GAP = /the recording has a gap: 2026-11-22T14:00:10\S* to 2026-11-22T14:00:20\S*, reset/g

t.test('who comes in a gap is shown nothing of before it, but what others brought', async t => {
  const { url, said, done } = await replayed(t, '--from', '2026-11-22T14:00:15')
  const client = await subscribed(t, url)
  await done()
  await client.until(() => client.of(KEPT).length === 3)
  t.strictSame(seconds(client, KEPT), [12, 18, 23], 'its connection was up: it still stands')
  t.strictSame(seconds(client, 'quote.BTC-PERPETUAL'), [22])
  t.strictSame(
    client.of(BOOK).map(({ type, change_id }) => [type, change_id]),
    [['snapshot', 900]],
  )
  t.equal(said.err.match(GAP)?.length, 1, said.err)
})

t.test('--cut-at-gaps ends connections at the gap, and who comes again misses nothing after it', async t => {
  const { url, said, done } = await replayed(t, '--cut-at-gaps')
  const before = await subscribed(t, url)
  await before.until(() => before.closed)
  t.strictSame(seconds(before, BOOK), [1, 8])
  t.strictSame(seconds(before, 'quote.BTC-PERPETUAL'), [2, 9])
  t.equal(said.err.match(GAP)?.length, 1, said.err)

  const after = await subscribed(t, url)
  await done()
  await after.until(() => after.of(KEPT).length > 0 && seconds(after, KEPT).at(-1) === 23)
  t.equal(after.closed, undefined)
  t.strictSame(
    after.of(BOOK).map(({ type, change_id }) => [type, change_id]),
    [['snapshot', 900]],
  )
  t.strictSame(seconds(after, 'quote.BTC-PERPETUAL'), [22])
})
