import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { measureAccount } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { openByRecorder } from '../../formats/left-open.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { datesOfTree } from '../../formats/tree-place.js'
import { gatherSegments } from '../../reader/merge/gather-segments.js'
import { readFrames } from '../../reader/read-frames.js'
import { tailFrames } from '../../reader/tail/tail-frames.js'
import { compactOnce } from '../compactor/fixtures/compacted.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeRecording, type MadeFrame } from '../fixtures/made-recording.js'

const HOUR_US = 3_600_000_000
const BEGIN_US = Date.UTC(2026, 10, 21, 20, 10) * 1000
/** Of the last day three hours are over, and the fourth is written to. */
const HOURS = 8
const NAME = 'BTC-PERPETUAL'
const CHANNELS = [`quote.${NAME}`, `trades.${NAME}.100ms`, `book.${NAME}.100ms`, 'deribit_price_index.btc_usd']
const LITTLE = ['quote', 'trades', 'book', 'deribit_price_index']

/** Some frames of each family in each hour, but for an hour without any; a lost connection; nothing else is missing. */
function framesOf(): MadeFrame[] {
  const frames: MadeFrame[] = []
  const add = (family: string, conn: string, recvUs: number, frame: object) =>
    frames.push({ family, conn, recvUs, frame: JSON.stringify(frame) })
  const journal = (recvUs: number, event: string, facts: object = {}) =>
    add('journal', 'journal', recvUs, { event, ...facts })
  journal(BEGIN_US, 'started', { host: 'vps1', run: 'r1', flush_ms: 80, fsync_ms: 1000, rotate_minutes: 60 })
  journal(BEGIN_US + 1, 'connected', { conn: 'd1', session: 1, url: 'wss://example.org' })
  journal(BEGIN_US + 2, 'subscribed', { conn: 'd1', channels: CHANNELS })
  journal(BEGIN_US + 3, 'live', { conn: 'd1', channels: CHANNELS.length })
  let number = 0
  for (let hour = 0; hour < HOURS; hour++) {
    const hourUs = BEGIN_US + hour * HOUR_US
    if (hour > 0) journal(hourUs - 600e6 + 1e6, 'subscriptions', { conn: 'd1', channels: CHANNELS })
    if (hour === 5) journal(hourUs + 60e6, 'gap', { conn: 'd1', cause: 'reset', from_us: hourUs, to_us: hourUs + 50e6 })
    for (let n = 0; n < 5; n++) {
      const recvUs = hourUs + n * 300e6 + 100e6
      const timestamp = recvUs / 1000 - 5
      const data = { timestamp, instrument_name: NAME }
      const send = (family: string, channel: string, data: object) => {
        if (hour === 2 && family === 'trades') return
        add(family, 'd1', recvUs + frames.length, { jsonrpc: '2.0', method: 'subscription', params: { channel, data } })
      }
      number++
      const price = 80_000 + number
      const best = { best_bid_price: price, best_bid_amount: 10, best_ask_price: price + 1, best_ask_amount: 20 }
      send('quote', `quote.${NAME}`, { ...data, ...best })
      const trade = { ...data, trade_seq: number, trade_id: `t${number}`, price, amount: 10, direction: 'buy' }
      const trades = [{ ...trade, tick_direction: 0, mark_price: price, index_price: price }]
      send('trades', `trades.${NAME}.100ms`, trades)
      const isFirst = number === 1
      const change = { change_id: number, ...(!isFirst && { prev_change_id: number - 1 }) }
      const sides = { bids: [['new', price, 10]], asks: [['new', price + 5000, 20]] }
      send('book', `book.${NAME}.100ms`, { ...data, type: isFirst ? 'snapshot' : 'change', ...change, ...sides })
      send('deribit_price_index', 'deribit_price_index.btc_usd', { timestamp, index_name: 'btc_usd', price })
    }
  }
  return frames
}

const at = (hour: number, minute = 0) => new Date(BEGIN_US / 1000 + hour * 3_600_000 + minute * 60_000).toISOString()
const nowUs = BEGIN_US + HOURS * HOUR_US - 600e6
const OPEN_FROM_US = BEGIN_US + (HOURS - 1) * HOUR_US - 600e6

/** The same frames in segments of an hour, and of a day. */
function bothTrees(folder: string): { hours: string; days: string } {
  const trees = { hours: join(folder, 'hours'), days: join(folder, 'days') }
  const frames = framesOf()
  writeRecording(trees.hours, frames, { openFromUs: OPEN_FROM_US })
  writeRecording(trees.days, frames, { openFromUs: Date.UTC(2026, 10, 22) * 1000, ofDate: LITTLE })
  return trees
}

async function linesOf(frames: AsyncIterable<{ recvUs: number; seq: number; conn: string }>, count = Infinity) {
  const lines: string[] = []
  for await (const { recvUs, seq, conn } of frames) if (lines.push(`${recvUs} ${conn} ${seq}`) >= count) break
  return lines
}

const HOUR = ['--from', at(4), '--to', at(5)]
const sql = (text: string) => ['query', text, '--json', '--path', '{tree}']
/** What programs ask of a tree, as people type it; answered twice, from segments of an hour and of a day. */
const ASKED: Readonly<Record<string, string[]>> = {
  'dump of an hour': ['dump', '{tree}', ...HOUR],
  'dump of a family from the middle of a day on': ['dump', '{tree}', '--channel', 'trades', '--from', at(6)],
  'rows of an hour': sql(`SELECT * FROM quote WHERE recv_ts BETWEEN '${at(4)}' AND '${at(5)}' ORDER BY seq`),
  'rows of a day': sql(`SELECT * FROM trades WHERE date = '2026-11-22' ORDER BY seq`),
  'all rows': sql('SELECT instrument_name, count(*), min(recv_ts), max(recv_ts) FROM book GROUP BY ALL'),
  'what is missing': sql('SELECT * FROM gaps ORDER BY ALL'),
  'a view of a moment': sql(`SELECT * FROM price_index WHERE recv_ts < '${at(6)}' ORDER BY recv_ts DESC LIMIT 1`),
  'the book at a moment late in the day': ['book', NAME, '--at', at(6, 20), '--json', '--path', '{tree}'],
  'a book in steps': ['book', NAME, '--from', at(4), '--to', at(5), '--every', '600000', '--json', '--path', '{tree}'],
}

async function requireSame(t: Test, trees: { hours: string; days: string }, asked: string) {
  const args = ASKED[asked] ?? []
  const [hours, days] = await Promise.all(
    [trees.hours, trees.days].map(async tree => {
      const { stdout, stderr, exitCode } = await commandHere(args.map(arg => arg.replace('{tree}', tree)))
      return { out: stdout.replaceAll(tree, ''), exitCode, err: exitCode === 0 ? '' : stderr }
    }),
  )
  t.match(hours, { exitCode: 0 }, asked)
  t.ok((hours?.out.length ?? 0) > 60, `${asked}: there is an answer`)
  t.same(days, hours, asked)
}

t.test('every reader answers from segments of a day as from those of hours', { timeout: 300_000 }, async t => {
  const trees = bothTrees(t.testdir())
  t.ok([...rawFiles(trees.days)].length < [...rawFiles(trees.hours)].length / 2, 'there are fewer files')
  await t.test('frames', async t => {
    for (const span of [{}, { from: at(4), to: at(5) }, { from: at(6) }, { to: at(3) }]) {
      const [hours, days] = await Promise.all(
        [trees.hours, trees.days].map(path => linesOf(readFrames({ path, ...span }))),
      )
      t.ok(hours && hours.length > 20)
      t.same(days, hours, JSON.stringify(span))
    }
    const since = await linesOf(readFrames({ path: trees.days, from: at(5) }))
    const tailed = await linesOf(tailFrames({ path: trees.days, since: at(5) }), since.length)
    t.same(tailed.sort(), since.sort(), 'tail, from inside of a segment that was begun hours before')
  })
  await t.test('the account', async t => {
    for (const [from, to] of [
      [0, HOURS],
      [4, 5],
      [6, 7],
    ] as const) {
      const span = { fromUs: BEGIN_US + from * HOUR_US, toUs: BEGIN_US + to * HOUR_US }
      const [hours, days] = await Promise.all(
        [trees.hours, trees.days].map(async root => {
          const told = summaryOf(await measureAccount(root, span, nowUs), exchangeNamed, 'hour')
          return JSON.stringify({ ...told, lines: [...told.lines] })
        }),
      )
      t.match(hours, /quote/)
      t.same(days, hours, `hours ${from} to ${to}`)
    }
  })
  await t.test('walks', t => {
    t.same(datesOfTree(trees.days), datesOfTree(trees.hours))
    const openIn = (root: string, fromMs: number) =>
      openByRecorder(root, fromMs).flatMap(({ open }) => open.map(path => parseSegmentPath(path)?.name.channel))
    t.same(openIn(trees.days, OPEN_FROM_US / 1000).sort(), openIn(trees.hours, OPEN_FROM_US / 1000).sort())
    t.end()
  })
  for (const asked of Object.keys(ASKED)) await requireSame(t, trees, asked)

  await t.test('once they are converted, and once the day is rolled up', async t => {
    const nowMs = () => nowUs / 1000 + 30 * 86_400_000
    for (const tree of [trees.hours, trees.days]) t.match(await compactOnce(tree, { nowMs }), { failed: 0 })
    for (const asked of Object.keys(ASKED)) await requireSame(t, trees, asked)
  })
  await t.test('verified, merged, copied', async t => {
    const merged = t.testdir()
    await gatherSegments([trees.days], merged, { fromUs: BEGIN_US + 2 * HOUR_US, toUs: BEGIN_US + 3 * HOUR_US })
    const names = [...rawFiles(merged)].filter(({ state }) => state === 'sealed').map(({ name }) => name.channel)
    t.same([...new Set(names)].sort(), [...LITTLE, 'journal'].sort(), 'those of an hour, though begun before it')
    const copy = join(t.testdir({}), 'copy')
    cpSync(trees.days, copy, { recursive: true })
    const { stdout, exitCode } = await commandHere(['verify', copy])
    t.equal(exitCode, 0, stdout)
  })
})

t.test('what two recorders have, in segments of an hour and of a day, is in the tables once', async t => {
  const frames = framesOf()
  for (const [one, other] of [
    [[], LITTLE],
    [LITTLE, []],
    [LITTLE, LITTLE],
  ]) {
    const tree = t.testdir()
    writeRecording(tree, frames, { ...(one && { ofDate: one }) })
    writeRecording(tree, frames, { host: 'vps2', run: 'r2', ...(other && { ofDate: other }) })
    t.match(await compactOnce(tree, { nowMs: () => nowUs / 1000 }), { failed: 0 })
    const question = 'SELECT count(*) AS rows, count(DISTINCT trade_id) AS trades FROM trades'
    const { stdout } = await commandHere(['query', question, '--json', '--path', tree])
    const { rows, trades } = JSON.parse(stdout) as { rows: number; trades: number }
    t.equal(rows, trades, 'each trade once')
    t.equal(trades, 5 * (HOURS - 1), 'and all of them')
  }
})
