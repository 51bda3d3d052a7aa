import t from 'tap'
import { compactOnce, rowsOf } from './fixtures/compacted.js'
import { rawLines, sealSegment } from './fixtures/segments.js'

const bar = (minute: number, close: number, more = '') =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"chart.trades.BTC-PERPETUAL.1","data":{"tick":${
    1795000020000 + 60_000 * minute
  },"open":1,"high":9,"low":1,"close":${close},"volume":1,"cost":1${more}}}}`

t.test('the last row of a bar is final, however the line of the next one became a row', async t => {
  const dataDir = t.testdir()
  // Longer lines than the reader of CSV takes, and fields that nobody knows, go other ways than the rest.
  const long = `,"note":"${'x'.repeat(1_100_000)}"`
  const frames = [bar(0, 1), bar(0, 2), bar(1, 3, long), bar(2, 4, ',"new":1'), bar(2, 5), bar(3, 6)]
  sealSegment(dataDir, 'chart.trades', rawLines(frames))
  const report = await compactOnce(dataDir)
  t.match(report, { failed: 0, rows: { candles: frames.length } })
  const rows = await rowsOf(dataDir, 'candles')
  t.same(rows.map(({ close, is_final }) => [close, is_final]).sort(), [
    [1, false],
    [2, true],
    [3, true],
    [4, false],
    [5, true],
    [6, false],
  ])
})
