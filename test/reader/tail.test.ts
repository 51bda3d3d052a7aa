import { appendFileSync, mkdirSync, readdirSync } from 'node:fs'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadavg, availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import pino from 'pino'
import t from 'tap'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { lineHead } from '../../formats/raw-line.js'
import { segmentPath } from '../../formats/raw-path.js'
import { listen } from '../../monitor/http/server.js'
import { tailStream } from '../../monitor/http/tail-stream.js'
import { localDisk } from '../../platform/disk.js'
import { readFrames } from '../../reader/read-frames.js'
import { tailFrames } from '../../reader/tail/tail-frames.js'
import { SegmentWriter } from '../../recorder/storage/segment-writer.js'
import { cliMain } from '../fixtures/cli.js'
import { framesTaken, startRecorder, until } from '../fixtures/recorder-process.js'
import { seal } from '../fixtures/segments.js'

const FLUSH_MS = 100
/** Above flushMs, at the 99th percentile. */
const LATENCY_MS = 200

/** Writes quote lines into segments of this moment, one flush a call. */
class HandRecorder {
  readonly #dataDir: string
  #writer: SegmentWriter | undefined
  #number = 0
  seq = 0

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  flush(count: number, instrument = 'BTC-PERPETUAL', padding = ''): void {
    this.#writer ??= new SegmentWriter(localDisk, this.#dataDir, this.#name(), Infinity)
    const recvUs = Date.now() * 1000
    const lines = Array.from({ length: count }, () => {
      const frame = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.${instrument}","data":{"timestamp":${Date.now()},"instrument_name":"${instrument}","best_bid_price":1.5,"best_bid_amount":2.0,"best_ask_price":3,"best_ask_amount":4${padding}}}}`
      return `${lineHead(recvUs, 'd1', ++this.seq, 'frame')}${frame}}\n`
    })
    const bytes = new Uint8Array(Buffer.from(lines.join('')))
    this.#writer.append({ bytes, frames: count, firstRecvUs: recvUs, lastRecvUs: recvUs })
  }

  rotate(): void {
    const path = this.#writer?.path ?? ''
    this.#writer?.close()
    this.#writer = undefined
    seal(this.#dataDir, path)
  }

  get openPath(): string {
    return join(this.#dataDir, this.#writer?.path ?? '')
  }

  #name() {
    const startedMs = Math.floor(Date.now() / 1000) * 1000
    return { exchange: 'deribit', channel: 'quote', startedMs, host: 'vps1', run: 'r1', number: ++this.#number }
  }
}

/** Takes what is told in the background. */
function taken<T>(iterable: AsyncIterable<T>): { items: T[]; ended: Promise<void> } {
  const items: T[] = []
  const take = async () => {
    for await (const item of iterable) items.push(item)
  }
  return { items, ended: take() }
}

t.test('each frame of a recorder comes once and soon, over rotations and a kill of the recorder', async t => {
  const folder = t.testdir()
  const exchange = await startSimulator({ rate: 300, instruments: 30 })
  t.teardown(() => exchange.close())
  const segments = { rotateMinutes: 0.1, flushMs: FLUSH_MS, fsyncMs: 100 }
  const first = startRecorder(t, folder, { url: exchange.url }, segments)
  await until('raw data', () => framesTaken(first) > 50)
  const stop = new AbortController()
  const since = Date.now() * 1000
  const lag = monitorEventLoopDelay({ resolution: 10 })
  lag.enable()
  const latencies: number[] = []
  const seen: string[] = []
  const keyOf = (frame: { segment: { run: string } | undefined; conn: string; seq: number }) =>
    `${frame.segment?.run ?? ''} ${frame.conn} ${frame.seq}`
  const follow = async () => {
    for await (const frame of tailFrames({ path: first.dataDir, since, signal: stop.signal })) {
      seen.push(keyOf(frame))
      if (/^d\d$/.test(frame.conn)) latencies.push(Date.now() - frame.recvUs / 1000)
    }
  }
  const following = follow()
  await until('several rotations', () => seen.length > 2500)
  first.process.kill('SIGKILL')
  await first.process
  const before = seen.length
  const second = startRecorder(t, folder, { url: exchange.url }, segments)
  await until('frames of the next run', () => seen.length > before + 500)
  second.process.kill('SIGTERM')
  await second.process
  const recorded: string[] = []
  for await (const frame of readFrames({ path: first.dataDir, from: since })) recorded.push(keyOf(frame))
  await until('the last frames', () => seen.length >= recorded.length, 10_000).catch(() => undefined)
  stop.abort()
  await following
  t.strictSame([...seen].sort(), recorded.sort(), 'all, each once')
  const sorted = latencies.sort((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0
  const busy = loadavg()[0] ?? 0
  t.comment(`p50 ${sorted[sorted.length >> 1]?.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, load ${busy.toFixed(1)}`)
  // On a machine with more to do than it can, nobody's clock is on time: what this very process waited counts as well.
  const allowed = FLUSH_MS + LATENCY_MS + (busy > availableParallelism() ? 4 * (lag.percentile(99) / 1e6) + 2000 : 0)
  t.ok(p99 < allowed, `p99 of ${p99.toFixed(0)} ms is below ${allowed.toFixed(0)} ms`)
})

t.test('what is chosen, from when it is asked for; asleep while nothing comes', async t => {
  const dataDir = t.testdir()
  const recorder = new HandRecorder(dataDir)
  recorder.flush(3)
  recorder.rotate()
  const sinceUs = Date.now() * 1000 + 1000
  await delay(5)
  recorder.flush(2, 'ETH-PERPETUAL')
  const stop = new AbortController()
  const all = taken(tailFrames({ path: dataDir, since: sinceUs, signal: stop.signal }))
  const ofEth = taken(tailFrames({ path: dataDir, since: 0, instrument: 'ETH-PERPETUAL', signal: stop.signal }))
  const ofBtc = taken(tailFrames({ path: dataDir, since: 0, channels: ['quote.BTC-PERPETUAL'], signal: stop.signal }))
  const trades = taken(tailFrames({ path: dataDir, since: 0, channels: ['trades'], signal: stop.signal }))
  await until('what is there', () => all.items.length === 2 && ofBtc.items.length === 3)
  recorder.flush(1)
  await until('what comes', () => all.items.length === 3)
  const usedUs = process.cpuUsage().user
  await delay(1500)
  const spentMs = (process.cpuUsage().user - usedUs) / 1000
  t.ok(spentMs < 300, `${spentMs.toFixed(0)} ms of CPU in 1.5 s without anything`)
  recorder.rotate()
  recorder.flush(4, 'ETH-PERPETUAL')
  recorder.rotate()
  recorder.flush(1)
  await until('over rotations', () => all.items.length === 8)
  stop.abort()
  await Promise.all([all.ended, ofEth.ended, ofBtc.ended, trades.ended])
  t.strictSame(
    all.items.map(({ seq }) => seq),
    [4, 5, 6, 7, 8, 9, 10, 11],
  )
  t.equal(ofEth.items.length, 6)
  t.strictSame(
    ofBtc.items.map(({ seq }) => seq),
    [1, 2, 3, 6, 11],
  )
  t.strictSame(trades.items, [])
})

t.test('a recorder that begins later, and makes its folders one by one, is heard at once', async t => {
  const dataDir = t.testdir({ raw: {} })
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const all = taken(tailFrames({ path: dataDir, since: 0, signal: stop.signal }))
  const name = { exchange: 'deribit', channel: 'quote', startedMs: Date.now(), host: 'vps1', run: 'r1', number: 1 }
  const levels = dirname(segmentPath(name, 'open')).split('/')
  for (let depth = 2; depth <= levels.length; depth++) {
    mkdirSync(join(dataDir, ...levels.slice(0, depth)))
    await delay(200)
  }
  new HandRecorder(dataDir).flush(2)
  await until('its frames', () => all.items.length === 2, 15_000)
  stop.abort()
  await all.ended
  t.equal(all.items.length, 2)
})

t.test('a write that is under way, or was taken back, is waited for', async t => {
  const dataDir = t.testdir()
  const recorder = new HandRecorder(dataDir)
  recorder.flush(2)
  const stop = new AbortController()
  const all = taken(tailFrames({ path: dataDir, since: 0, signal: stop.signal }))
  await until('what is there', () => all.items.length === 2)
  // The first bytes of a zstd frame, then nothing for a while; then they are gone.
  appendFileSync(recorder.openPath, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58]))
  await delay(50)
  const { truncateSync, statSync } = await import('node:fs')
  truncateSync(recorder.openPath, statSync(recorder.openPath).size - 6)
  recorder.flush(3)
  await until('what comes behind', () => all.items.length === 5)
  stop.abort()
  await all.ended
  t.strictSame(
    all.items.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  )
})

t.test('by the command: frames and rows', async t => {
  const dataDir = t.testdir()
  const recorder = new HandRecorder(dataDir)
  recorder.flush(2)
  const run = (...args: string[]) => {
    const process_ = execa(process.execPath, [cliMain, 'tail', '--path', dataDir, '--from', '1h', ...args], {
      reject: false,
      stdin: 'ignore',
    })
    t.teardown(() => process_.kill('SIGKILL'))
    const lines: string[] = []
    process_.stdout.on('data', (text: Buffer) => lines.push(...text.toString().split('\n').filter(Boolean)))
    return { process: process_, lines }
  }
  const frames = run('quote')
  const rows = run('--table', 'quote')
  const table = run('--table', 'quote', '--format', 'table')
  await until('what is there', () => frames.lines.length === 2 && rows.lines.length === 2 && table.lines.length === 3)
  recorder.flush(1, 'ETH-PERPETUAL')
  await until('what comes', () => frames.lines.length === 3 && rows.lines.length === 3 && table.lines.length === 4)
  t.match(JSON.parse(frames.lines[2] ?? ''), { conn: 'd1', seq: 3 })
  t.match(JSON.parse(rows.lines[2] ?? ''), { instrument_name: 'ETH-PERPETUAL', best_bid_price: 1.5, source: 'live' })
  t.match(table.lines[0], /^recv_ts +exchange_ts +instrument_name/)
  for (const { process } of [frames, rows, table]) process.kill('SIGTERM')
  for (const { process } of [frames, rows, table]) t.equal((await process).exitCode, 0, 'told to stop, it stops')
  const wrong = await execa(process.execPath, [cliMain, 'tail', '--path', dataDir, '--table', 'quotes'], {
    reject: false,
  })
  t.equal(wrong.exitCode, 2)
})

t.test('over HTTP as server-sent events; a consumer that is too slow is told so and cut off', async t => {
  const dataDir = t.testdir()
  const recorder = new HandRecorder(dataDir)
  recorder.flush(1)
  const stop = new AbortController()
  const log = pino({ level: 'silent' })
  const server = await listen('127.0.0.1', 0, {}, log, tailStream(dataDir, log, stop.signal))
  t.teardown(() => {
    stop.abort()
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/tail`
  const answers = async (query: string, reads: boolean) => {
    const text: string[] = []
    const response = await new Promise<import('node:http').IncomingMessage>(resolve => get(`${url}${query}`, resolve))
    if (reads) response.on('data', (piece: Buffer) => text.push(piece.toString()))
    return { response, text: () => text.join('') }
  }
  const reader = await answers('?channel=quote,&instrument=ETH-PERPETUAL&conn=', true)
  t.match(reader.response.headers['content-type'], /^text\/event-stream/)
  const slow = await answers('', false)
  await delay(200)
  recorder.flush(2, 'ETH-PERPETUAL')
  await until('two events', () => reader.text().split('\ndata: {"recv_us"').length === 3)
  t.match(reader.text(), /^retry: 2000\n\nid: \d{16}\ndata: \{"recv_us":\d+,"conn":"d1","seq":2,/)
  const padding = `,"x":"${'y'.repeat(4000)}"`
  for (let n = 0; n < 8; n++) {
    recorder.flush(500, 'BTC-PERPETUAL', padding)
    await delay(20)
  }
  let cut = ''
  slow.response.on('data', (piece: Buffer) => (cut = (cut + piece.toString()).slice(-500)))
  await new Promise(resolve => slow.response.once('close', resolve))
  t.match(cut, /event: cut\ndata: \{"reason":"it takes less than comes","waiting_bytes":\d+\}\n\n$/)
  t.notMatch(reader.text(), /BTC-PERPETUAL/)
  // The rest is refused at the door.
  const others = await Promise.all([1, 2, 3].map(() => answers('', false)))
  const beyond = await answers('', true)
  t.equal(beyond.response.statusCode, 503)
  for (const { response } of [...others, reader]) response.destroy()
})

t.test('nothing to follow is said', async t => {
  const dataDir = t.testdir()
  mkdirSync(join(dataDir, 'parquet'))
  t.strictSame(readdirSync(dataDir), ['parquet'])
  await t.rejects(tailFrames({ path: dataDir }).next(), { code: 'READ_NO_RAW' })
})
