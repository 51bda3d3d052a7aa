import { join } from 'node:path'
import t from 'tap'
import { formatOf } from '../../cli/book/write-rows.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeRecording, type MadeFrame } from '../fixtures/made-recording.js'
import { matchAll } from '../fixtures/match-all.js'

const START_US = Date.UTC(2026, 10, 22, 14) * 1000

function frame(ms: number, facts: object): MadeFrame {
  const data = { timestamp: START_US / 1000 + ms, instrument_name: 'BTC-PERPETUAL', ...facts }
  const params = { channel: 'book.BTC-PERPETUAL.100ms', data }
  const text = JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params })
  return { family: 'book', conn: 'd1', recvUs: START_US + ms * 1000, frame: text }
}

const frames = [
  frame(0, {
    type: 'snapshot',
    change_id: 1,
    bids: [
      ['new', 100, 3],
      ['new', 99.5, 2],
    ],
    asks: [['new', 101, 1]],
  }),
  frame(1000, { type: 'change', prev_change_id: 1, change_id: 2, bids: [['change', 100, 1]], asks: [['new', 102, 4]] }),
  frame(2000, { type: 'change', prev_change_id: 9, change_id: 10, bids: [['new', 1, 1]], asks: [] }),
  frame(3000, { type: 'snapshot', change_id: 11, bids: [['new', 102, 1]], asks: [['new', 101, 1]] }),
  frame(4000, { type: 'change', prev_change_id: 11, change_id: 12, bids: [['delete', 102, 0]], asks: [] }),
]

t.test('a book at a moment, and samples in every format', async t => {
  const dataDir = t.testdir()
  writeRecording(dataDir, frames)
  const book = (...args: string[]) => commandHere(['book', 'BTC-PERPETUAL', '--path', dataDir, ...args])
  const at = await book('--at', '2026-11-22T14:00:01', '--format', 'csv')
  t.equal(at.stdout, 'side,level,price,amount,total\nbid,1,100,1,1\nbid,2,99.5,2,3\nask,1,101,1,1\nask,2,102,4,5')
  t.match(at.stderr, /book\.BTC-PERPETUAL\.100ms at 2026-11-22T14:00:01\.000000Z: known, change 2 received at /)
  const unknown = await book('--at', '2026-11-22T14:00:02.5', '--json')
  matchAll(t, JSON.parse(unknown.stdout), { state: 'unknown', because: 'change 9 is missing', bids: [], asks: [] })
  t.match(unknown, { exitCode: 1, stderr: /unknown since 2026-11-22T14:00:02\.000000Z: change 9 is missing/ })

  const span = ['--every', '500', '--from', '2026-11-22T14:00', '--to', '2026-11-22T14:00:04', '--top', '1']
  const csv = await book(...span, '--format', 'csv')
  const lines = csv.stdout.split('\n')
  t.equal(
    lines[0],
    'ts,state,change_id,mid,spread,bid_amount,ask_amount,imbalance,bid_price_1,bid_amount_1,ask_price_1,ask_amount_1',
  )
  t.equal(lines[1], '2026-11-22T14:00:00.000000Z,known,1,100.5,1,3,1,0.5,100,3,101,1')
  t.equal(lines[5], '2026-11-22T14:00:02.000000Z,unknown,,,,,,,,,,')
  t.equal(lines[7], '2026-11-22T14:00:03.000000Z,crossed,11,101.5,-1,1,1,0,102,1,101,1')
  t.equal(lines.length, 9)
  t.match(csv.stderr, /8 samples from \d frames; 2 unknown, 1 breaks in the chain/)
  t.match(csv.stderr, /unknown 2 times: change 9 is missing\n.*crossed after 1 frames/)

  const file = join(dataDir, 'x.parquet')
  t.equal((await book(...span, '--out', file)).exitCode, 0)
  const connection = await openDuckDb()
  const result = await connection.runAndReadAll(
    `SELECT count(*), epoch_us(min(ts)), count(mid), sum(bid_price_1), typeof(any_value(change_id)) FROM ${sqlText(file)}`,
  )
  t.strictSame(result.getRows(), [[8n, BigInt(START_US), 6n, 604, 'BIGINT']])
  connection.closeSync()

  t.match(await book(), { exitCode: 2, stderr: /wanted --at, or --every with --from and --to/ })
  t.throws(() => formatOf({ out: 'x.txt' }), { code: 'BOOK_FORMAT' })
  t.equal(formatOf({ out: 'x.json' }), 'json')
})
