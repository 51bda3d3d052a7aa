import { join } from 'node:path'
import t from 'tap'
import { startReplay, type ReplayOptions } from '../../reader/replay/replay-server.js'
import { applyBookFrame } from '../../reader/book/apply-frame.js'
import { BookBuilder } from '../../reader/book/book-builder.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { writeRecording, type MadeFrame } from '../fixtures/made-recording.js'
import { SteppedMarket } from '../fixtures/simulated-books.js'
import { framesTaken, recordedLines, startRecorder, until, type RecordedLine } from '../fixtures/recorder-process.js'
import { TestClient } from '../exchanges/deribit/simulator/client.js'

// They mostly wait.
t.jobs = 3

const START_US = Date.UTC(2026, 10, 22, 14) * 1000

const notification = (channel: string, data: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } })

const replayOf = (path: string, more: Partial<ReplayOptions> = {}) =>
  startReplay({ path, host: '127.0.0.1', port: 0, speed: 0, loop: false, ...more })

/** Frames of each channel, in order; answers of discovery under their family. */
function byChannel(lines: readonly RecordedLine[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { conn, family, frame } of lines) {
    const text = frame.toString('utf8')
    const channel = /^d\d+$/.test(conn) ? /"channel":"([^"]+)"/.exec(text)?.[1] : undefined
    if (channel !== undefined) found.set(channel, [...(found.get(channel) ?? []), text])
    else if (family === 'instruments') found.set(family, [text])
  }
  return found
}

t.test('recording a replay gives the same frames, byte for byte', async t => {
  const folder = t.testdir({ a: {}, b: {} })
  const exchange = await startSimulator({ rate: 800, instruments: 30 })
  t.teardown(() => exchange.close())
  const first = startRecorder(t, join(folder, 'a'), { url: exchange.url })
  await until('a few seconds of a market', () => framesTaken(first) > 1500)
  first.process.kill('SIGTERM')
  await first.process
  const recorded = byChannel(recordedLines(first.dataDir))
  t.ok(recorded.size > 100, `${recorded.size} channels`)

  const replay = await replayOf(first.dataDir, { speed: 5 })
  t.teardown(() => replay.close())
  const second = startRecorder(t, join(folder, 'b'), { url: replay.url })
  await replay.finished
  await until('the last frame is taken', () => framesTaken(second) > replay.framesSent())
  second.process.kill('SIGTERM')
  await second.process
  const again = byChannel(recordedLines(second.dataDir))
  t.strictSame([...again.keys()].sort(), [...recorded.keys()].sort(), 'the same channels')
  let frames = 0
  for (const [channel, texts] of recorded) {
    frames += texts.length
    if (JSON.stringify(again.get(channel)) !== JSON.stringify(texts)) t.fail(`${channel} differs`)
  }
  t.ok(frames > 1000, `${frames} frames compared`)
  const journal = recordedLines(second.dataDir).filter(({ family }) => family === 'journal')
  t.notOk(journal.some(({ frame }) => /"event":"(book_break|trade_hole|gap)"/.test(frame.toString())))
})

t.test('distances are kept, scaled by speed, over several days, and again with loop', async t => {
  const day = 86_400_000_000
  const dataDir = t.testdir()
  const at = (us: number, n: number) => ({
    family: 'quote',
    conn: 'd1',
    recvUs: START_US + us,
    frame: notification('quote.X', { n }),
  })
  writeRecording(dataDir, [at(0, 1), at(1_000_000, 2), at(day, 3), at(day + 500_000, 4)])
  const replay = await replayOf(dataDir, { speed: 86_400, loop: true })
  t.teardown(() => replay.close())
  const client = await TestClient.connect(replay.url)
  t.teardown(() => client.close())
  const times: number[] = []
  client.socket.on('message', data => {
    if ((data as Buffer).includes('"n"')) times.push(performance.now())
  })
  t.strictSame(await client.subscribe('quote.X'), ['quote.X'])
  await client.until(() => client.of('quote.X').length >= 8)
  t.strictSame(
    client
      .of('quote.X')
      .slice(0, 8)
      .map(({ n }) => n),
    [1, 2, 3, 4, 1, 2, 3, 4],
  )
  const [first = 0, , third = 0] = times
  t.ok(
    third - first > 900 && third - first < 5_000,
    `a day in ${Math.round(third - first)} ms at 86,400 times the speed`,
  )
  const late = await replayOf(dataDir, { fromUs: START_US + 1_000_000, toUs: START_US + day + 1 })
  t.teardown(() => late.close())
  const other = await TestClient.connect(late.url)
  t.teardown(() => other.close())
  await other.subscribe('quote.X')
  await late.finished
  await other.until(() => other.of('quote.X').length === 2)
  t.strictSame(
    other.of('quote.X').map(({ n }) => n),
    [2, 3],
    'from a time on, up to another',
  )
  await t.rejects(replayOf(dataDir, { fromUs: START_US + 9 * day }), { code: 'REPLAY_EMPTY' })
})

t.test('backfilled trades come in their place', async t => {
  const dataDir = t.testdir()
  const trade = (seq: number, ms: number) =>
    `{"trade_seq":${seq},"trade_id":"${seq}","timestamp":${START_US / 1000 + ms},"instrument_name":"BTC-PERPETUAL","price":2.0e3,"starbase_match_id":22753854900248${1_000_000 + seq}}`
  const live = (ms: number, ...seqs: number[]) => ({
    family: 'trades',
    conn: 'd1',
    recvUs: START_US + ms * 1000,
    frame: `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[${seqs.map(seq => trade(seq, ms - 1)).join(',')}]}}`,
  })
  const filled = (ms: number, ...trades: string[]) => ({
    family: 'trades',
    conn: 'backfill',
    recvUs: START_US + ms * 1000,
    frame: `{"jsonrpc":"2.0","id":"trades BTC-PERPETUAL 3 5","result":{"trades":[${trades.join(',')}],"has_more":false}}`,
  })
  const quote = (ms: number) => ({
    family: 'quote',
    conn: 'd1',
    recvUs: START_US + ms * 1000,
    frame: notification('quote.BTC-PERPETUAL', { ms }),
  })
  writeRecording(dataDir, [
    live(0, 1, 2),
    ...[10, 20, 30, 40].map(quote),
    live(50, 6),
    // Trade 5 happened between the quotes at 20 and 30; 4 is told of later than the frame that follows it.
    filled(60, trade(4, 45), trade(3, 15), trade(6, 49)),
    filled(5_000, trade(5, 48), trade(9, 70)),
    quote(6_000),
  ])
  const replay = await replayOf(dataDir)
  t.teardown(() => replay.close())
  const client = await TestClient.connect(replay.url)
  t.teardown(() => client.close())
  await client.subscribe(
    'trades.BTC-PERPETUAL.100ms',
    'trades.future.BTC.100ms',
    'trades.option.BTC.raw',
    'quote.BTC-PERPETUAL',
  )
  await replay.finished
  await client.until(() => client.of('quote.BTC-PERPETUAL').length === 5)
  const order = client.notifications
    .filter(({ channel }) => channel !== 'trades.future.BTC.100ms')
    .flatMap(({ data }) =>
      Array.isArray(data)
        ? data.map(row => `t${String((row as { trade_seq: number }).trade_seq)}`)
        : [`q${String((data as { ms: number }).ms)}`],
    )
  t.strictSame(order, ['t1', 't2', 'q10', 't3', 'q20', 'q30', 'q40', 't4', 't5', 't6', 't9', 'q6000'])
  t.strictSame(
    client.rows('trades.future.BTC.100ms').map(row => row['trade_seq']),
    [3, 4, 5, 9],
    'on the channel of its kind, too, where that was not recorded itself',
  )
  t.strictSame(client.of('trades.option.BTC.raw'), [])
  const texts = client.texts.join('\n')
  for (const seq of [3, 4, 5]) t.ok(texts.includes(`22753854900248${1_000_000 + seq}`), 'every digit of long ids')
})

t.test('who subscribes in the middle of a book gets a snapshot of it; copies are sent once', async t => {
  const dataDir = t.testdir()
  const stepped = new SteppedMarket(3, START_US / 1000)
  const name = 'BTC-PERPETUAL'
  const channel = `book.${name}.raw`
  const frames: MadeFrame[] = ['d1', 'd2'].map(conn => ({
    family: 'journal',
    conn: 'journal',
    recvUs: START_US,
    frame: JSON.stringify({ event: 'subscribed', conn, channels: [channel] }),
  }))
  const states = new Map<number, string>()
  let sent = 0
  stepped.subscribe(channel, ({ text, ms }) => {
    sent++
    for (const [delayUs, conn] of [
      [100, 'd1'],
      [300, 'd2'],
    ] as const)
      frames.push({ family: 'book', conn, recvUs: ms * 1000 + delayUs, frame: text })
  })
  for (let step = 0; step < 400; step++) {
    stepped.step()
    states.set(stepped.market.find(name)?.book.changeId ?? 0, stepped.stateOf(name))
  }
  frames.sort((a, b) => a.recvUs - b.recvUs)
  writeRecording(dataDir, frames)
  const whole = await replayOf(dataDir)
  const middle = await replayOf(dataDir, { fromUs: START_US + 2_000_000 })
  t.teardown(() => Promise.all([whole.close(), middle.close()]))
  for (const { replay, isWhole } of [
    { replay: whole, isWhole: true },
    { replay: middle, isWhole: false },
  ]) {
    const client = await TestClient.connect(replay.url)
    t.teardown(() => client.close())
    t.strictSame(await client.subscribe(channel, 'book.NO-SUCH.raw'), [channel], 'what was not recorded is left out')
    await replay.finished
    await client.until(() => client.notifications.length === replay.framesSent() + (isWhole ? 0 : 1))
    if (isWhole) t.equal(client.notifications.length, sent, 'each frame once')
    const book = new BookBuilder()
    const links = client.notifications.map(({ text }, n) => {
      const link = applyBookFrame(book, text, n, 'replay')
      const state = JSON.stringify({ bids: book.bids.list(), asks: book.asks.list() })
      if (states.has(book.changeId) && states.get(book.changeId) !== state) t.fail(`differs at ${book.changeId}`)
      return link
    })
    t.equal(links[0], 'snapshot')
    t.ok(links.slice(1).every(link => link === 'next') && links.length > 100, `${links.length} frames chain`)
  }
})
