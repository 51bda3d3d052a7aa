/** What an export is told to be missing: of the channels that bring its instruments, and of no others. */
import t from 'tap'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { accountOfSpan } from '../../../reader/export/account.js'
import { exportFiles, type ExportOptions } from '../../../reader/export/export-files.js'
import { EdgeError } from '../../../platform/edge-error.js'
import { compactOnce } from '../../compactor/fixtures/compacted.js'
import { writeRecording, type MadeFrame } from '../../fixtures/made-recording.js'

const S = 1_000_000
const FROM_US = Date.UTC(2026, 10, 22, 12) * 1000
const SPAN = { fromUs: FROM_US, toUs: FROM_US + 100 * S }
const WHOLE = { from: true, to: true }

/** Losses of an instrument in a family, s, where one channel is refused from the 20th second to the 60th, and another never. */
async function lostOf(root: string, exchange: string, channels: { refused: string; others: string[] }) {
  const { refused, others } = channels
  const all = [refused, ...others]
  const told: [second: number, frame: object][] = [
    [0, { event: 'started', run: 'r1', host: 'vps1', flush_ms: 80, fsync_ms: 1000, rotate_minutes: 60 }],
    [0, { event: 'subscribed', conn: 'd1', channels: all }],
    [20, { event: 'unsubscribed', conn: 'd1', channels: [refused], reason: 'silent' }],
    [20, { event: 'rejected', conn: 'd1', channels: [refused], message: 'no answer', again_in_s: 40 }],
    [60, { event: 'subscribed', conn: 'd1', channels: [refused] }],
    [100, { event: 'stopped', reason: 'test' }],
  ]
  const journal = told.map(([second, frame]): MadeFrame => ({
    ...{ family: 'journal', conn: 'journal', recvUs: FROM_US + second * S, frame: JSON.stringify(frame) },
  }))
  writeRecording(root, journal, { exchange })
  const account = await accountOfSpan(root, exchange, SPAN, WHOLE)
  return (instrument: string | undefined, channel = refused) =>
    account(instrument, exchangeNamed(exchange).names.familyOfChannel(channel)).gaps.map(({ fromUs, toUs }) =>
      [fromUs, toUs].map(us => (us - FROM_US) / S),
    )
}

const LOST = [[20, 60]]

t.test(
  'OKX: a lost summary of options was covered by that of another family that settles in the same currency',
  async t => {
    const lost = await lostOf(t.testdir(), 'okx', {
      refused: 'opt-summary.ETH-USD_UM',
      others: ['opt-summary.BTC-USD_UM', 'opt-summary.ETH-USD'],
    })
    t.same(lost('ETH-USD_UM-261225-4000-C'), LOST)
    t.same(lost('BTC-USD_UM-261225-90000-C'), [])
    t.same(lost('ETH-USD-261225-4000-C'), [])
    t.same(lost('ETH-USD_UM-SWAP'), [], 'a perpetual has none')
  },
)

t.test("Deribit: lost trades of one sort of combo, and of options, were covered by the other sort's", async t => {
  const folder = t.testdir()
  const combos = ['trades.future_combo.BTC.raw', 'trades.option.BTC.raw']
  const lost = await lostOf(`${folder}/first`, 'deribit', { refused: 'trades.option_combo.BTC.raw', others: combos })
  t.same(lost('BTC-CS-25DEC26-90000_95000'), LOST)
  t.same(lost('BTC-FS-25DEC26_PERP'), [])
  t.same(lost('BTC-25DEC26-90000-C'), [])
  const options = await lostOf(`${folder}/a`, 'deribit', {
    refused: 'trades.option.BTC.raw',
    others: ['trades.future_combo.BTC.raw', 'trades.option_combo.BTC.raw', 'trades.option.ETH.raw'],
  })
  t.same(options('BTC-25DEC26-90000-C'), LOST)
  t.same(options('ETH-25DEC26-4000-C'), [])
  t.same(options('BTC-FS-25DEC26_PERP'), [])
  const both = await lostOf(`${folder}/b`, 'deribit', {
    refused: 'trades.combo.BTC.raw',
    others: ['trades.future.BTC.raw', 'trades.combo.ETH.raw'],
  })
  for (const combo of ['BTC-FS-25DEC26_PERP', 'BTC-CS-25DEC26-90000_95000']) t.same(both(combo), LOST, combo)
  for (const other of ['BTC-PERPETUAL', 'BTC-25DEC26', 'ETH-FS-25DEC26_PERP']) t.same(both(other), [], other)
})

t.test('Bybit: trades of options are those of their coin, whatever they settle in; a pair is no perpetual', async t => {
  const folder = t.testdir()
  const lost = await lostOf(`${folder}/first`, 'bybit', {
    refused: 'publicTrade.BTC',
    others: ['publicTrade.ETH', 'publicTrade.BTCUSDT', 'spot.publicTrade.BTCUSDT'],
  })
  for (const option of ['BTC-25JUN27-106000-P-USDT', 'BTC-25JUN27-106000-P']) t.same(lost(option), LOST, option)
  for (const other of ['ETH-25JUN27-4000-C-USDT', 'BTCUSDT']) t.same(lost(other), [], other)
  t.same(lost('spot.BTCUSDT', 'spot.publicTrade.BTCUSDT'), [])
  const pair = await lostOf(`${folder}/spot`, 'bybit', {
    refused: 'spot.publicTrade.BTCUSDT',
    others: ['publicTrade.BTCUSDT'],
  })
  t.same([pair('spot.BTCUSDT'), pair('BTCUSDT', 'publicTrade.BTCUSDT')], [LOST, []])
})

t.test(
  'files that no journal tells of were held for nobody: of an option whose trades come by coin, and where they are not grouped',
  async t => {
    const folder = t.testdir()
    const ofFiles = async (root: string, exchange: string, stored: MadeFrame['stored']) => {
      const at = (second: number): MadeFrame => ({
        family: 'trades',
        stored,
        conn: 'd1',
        recvUs: FROM_US + second * S,
        frame: '{}',
      })
      writeRecording(root, [at(10), at(90)], { exchange })
      const account = await accountOfSpan(root, exchange, SPAN, { from: false, to: false })
      return (instrument: string) => {
        const { recorded, gaps } = account(instrument, 'trades')
        return {
          recorded: recorded && [recorded.fromUs, recorded.toUs].map(us => Math.round((us - FROM_US) / S)),
          gaps,
        }
      }
    }
    const here = { recorded: [10, 90], gaps: [] }
    const nothing = { recorded: undefined, gaps: [] }
    const bybit = await ofFiles(`${folder}/first`, 'bybit', { kind: 'option', currency: 'USDC' })
    t.same(bybit('BTC-25JUN27-106000-P'), here)
    t.same(bybit('BTCPERP'), nothing, 'another kind')
    t.same(bybit('BTCUSDT'), nothing)
    const okx = await ofFiles(`${folder}/okx`, 'okx', { kind: 'option', currency: 'USD' })
    t.same(okx('ETH-USD_UM-261225-4000-C'), here)
    t.same(okx('ETH-USD-261225-4000-C'), nothing, 'it settles in ETH')
    const combos = await ofFiles(`${folder}/combos`, 'deribit', { kind: 'option_combo', currency: 'BTC' })
    t.same(combos('BTC-CS-25DEC26-90000_95000'), here)
    t.same([combos('BTC-FS-25DEC26_PERP'), combos('BTC-25DEC26-90000-C')], [nothing, nothing])
    const all = await ofFiles(`${folder}/all`, 'deribit', undefined)
    t.same([all('BTC-PERPETUAL'), all('ETH-25DEC26-4000-C')], [here, here], 'whatever it may be')
  },
)

/** Why files of these instruments are not written, where a loss is to be refused. */
async function refusedOf(root: string, more: Pick<ExportOptions, 'format' | 'instruments'> & Partial<ExportOptions>) {
  const asked = { root, fresh: undefined, out: `${root}-out`, note: () => undefined }
  const span = { from: SPAN.fromUs, to: SPAN.toUs }
  try {
    await exportFiles({ ...asked, ...span, gaps: 'refuse', ...more })
    return undefined
  } catch (error) {
    return error instanceof EdgeError ? error.code : error
  }
}

/** With a frame of data, so that there is something to be exported. */
async function converted(root: string, exchange: string, data: Pick<MadeFrame, 'family'> & { frame: object }) {
  const frame = { ...data, conn: 'd1', recvUs: FROM_US + 10 * S, frame: JSON.stringify(data.frame) }
  writeRecording(root, [frame], { exchange, run: 'r2' })
  await compactOnce(root, { nowMs: () => FROM_US / 1000 + 3_600_000 })
}

t.test('a file of several options told of the losses of the first one alone', async t => {
  const folder = t.testdir({ data: {} })
  const root = `${folder}/data`
  const [lost, other] = ['BTC-25DEC26-90000-C', 'BTC-25DEC26-100000-C']
  await lostOf(root, 'deribit', { refused: `ticker.${lost}.raw`, others: [`ticker.${other}.raw`] })
  const params = { channel: `ticker.${other}.raw`, data: { instrument_name: other, timestamp: FROM_US / 1000 } }
  await converted(root, 'deribit', { family: 'ticker', frame: { jsonrpc: '2.0', method: 'subscription', params } })
  const what = { format: 'tardis-csv', types: ['options_chain'] } as const
  t.equal(await refusedOf(root, { ...what, instruments: [other, lost] }), 'EXPORT_GAPS')
  t.equal(await refusedOf(root, { ...what, instruments: [lost, other] }), 'EXPORT_GAPS', 'in whichever order')
  t.equal(await refusedOf(root, { ...what, instruments: [other] }), undefined)
})

t.test('Bybit: a table of a pair had the account of the perpetual of the same name', async t => {
  const folder = t.testdir({ data: {} })
  const root = `${folder}/data`
  await lostOf(root, 'bybit', { refused: 'spot.publicTrade.BTCUSDT', others: ['publicTrade.BTCUSDT'] })
  const trade = { T: FROM_US / 1000, s: 'BTCUSDT', S: 'Buy', v: '1', p: '1', L: 'PlusTick', i: '1', BT: false }
  const frame = { topic: 'publicTrade.BTCUSDT', type: 'snapshot', ts: FROM_US / 1000, data: [trade] }
  await converted(root, 'bybit', { family: 'trades', frame })
  const of = (instrument: string) => refusedOf(root, { format: 'csv', view: 'trades', instruments: [instrument] })
  t.equal(await of('spot.BTCUSDT'), 'EXPORT_GAPS')
  t.equal(await of('BTCUSDT'), undefined)
})
