import t from 'tap'
import { deribitConfig } from '../../../exchanges/deribit/config.js'
import { describeChannel, familyOfChannel } from '../../../exchanges/deribit/names.js'
import { Credits } from '../../../exchanges/credits.js'
import { channelOfFrame } from '../../../exchanges/deribit/frame-channel.js'
import { KnownChannels } from '../../../exchanges/known-channels.js'
import { parseInstruments } from '../../../exchanges/deribit/instruments.js'
import { planChannels } from '../../../exchanges/deribit/plan-channels.js'
import { chunkChannels } from '../../../exchanges/deribit/subscribe-chunks.js'
import { capturedFrames } from '../../fixtures/captured-frames.js'
import { instrument, option, perpetual } from './fixtures/instruments.js'

t.test('the family of a channel is one of a fixed set', t => {
  const families = {
    'trades.option.BTC.100ms': 'trades',
    'book.BTC-PERPETUAL.100ms': 'book',
    'book.BTC-PERPETUAL.none.10.100ms': 'book_grouped',
    'ticker.BTC-PERPETUAL.raw': 'ticker',
    'incremental_ticker.BTC-PERPETUAL': 'incremental_ticker',
    'chart.trades.BTC-PERPETUAL.1': 'chart.trades',
    'markprice.options.btc_usd': 'markprice.options',
    'deribit_price_index.btc_usd': 'deribit_price_index',
    platform_state: 'platform_state',
    'platform_state.public_methods_state': 'platform_state',
    'block_rfq.trades.any': 'block_rfq.trades',
    'tradesX.y': 'other',
    '../../etc/passwd': 'other',
    'a/b': 'other',
    '\0': 'other',
    '': 'other',
  }
  for (const [channel, family] of Object.entries(families)) t.equal(familyOfChannel(channel), family, channel)
  t.end()
})

t.test('the channel is found in the bytes of every captured notification', t => {
  for (const file of [
    'book',
    'ticker',
    'trades',
    'quote',
    'perpetual',
    'markprice_options',
    'incremental_ticker',
    'chart_trades',
    'book_grouped',
    'platform_state',
  ]) {
    for (const line of capturedFrames(t, `${file}.jsonl`) ?? []) {
      const expected = (JSON.parse(line) as { params: { channel: string } }).params.channel
      if (channelOfFrame(Buffer.from(line)) !== expected) t.fail(`${file}: ${expected}`)
    }
  }
  for (const line of capturedFrames(t, 'rpc.jsonl') ?? []) t.equal(channelOfFrame(Buffer.from(line)), undefined)
  const reordered = '{"params":{"data":{"a":1},"channel":"quote.X"},"method":"subscription","jsonrpc":"2.0"}'
  t.equal(channelOfFrame(Buffer.from(reordered)), 'quote.X')
  t.equal(
    channelOfFrame(Buffer.from('{"jsonrpc":"2.0","method":"subscription","params":{"channel":"' + 'x'.repeat(300))),
    undefined,
  )
  t.end()
})

const config = (over: object) => deribitConfig.parse({ name: 'deribit', ...over })

const future = instrument('BTC-25DEC26', 'future', { settlement_period: 'month' })

t.test('the plan follows the config', t => {
  const all = [...planChannels([perpetual, future, option], config({})).keys()]
  t.ok(all.includes('trades.future.BTC.100ms'), 'futures and perpetuals share a trades channel')
  t.ok(all.includes('trades.option.BTC.100ms'))
  t.ok(all.includes('perpetual.BTC-PERPETUAL.100ms'))
  t.notOk(all.includes('perpetual.BTC-25DEC26.100ms'), 'only perpetuals have funding')
  t.ok(all.includes('deribit_price_index.btc_usd'))
  t.ok(all.includes('quote.BTC-25DEC26-90000-C'))
  const apart = planChannels(
    [perpetual, future],
    config({ channels: { perpetual: ['trades'], future: [], index: [], exchange: [] } }),
  )
  t.same([...apart.keys()], ['trades.BTC-PERPETUAL.100ms'], 'without futures the perpetual’s own channel is taken')
  t.same([...planChannels([perpetual], config({ currencies: ['ETH'] })).keys()], [], 'other currencies are left out')
  t.end()
})

t.test('instrument lists are understood, and what is not is told', t => {
  const linear = instrument('SOL_USDC-PERPETUAL', 'future', {
    settlement_currency: 'USDC',
    settlement_period: 'perpetual',
    price_index: 'sol_usdc',
  })
  t.ok(planChannels([linear], config({ currencies: ['USDC'] })).has('quote.SOL_USDC-PERPETUAL'))
  t.same(
    parseInstruments([{ instrument_name: 'X', kind: 'future', base_currency: 'BTC', is_active: false }]).instruments,
    [],
  )
  t.same(parseInstruments([{ instrument_name: 5 }]).nameless, ['{"instrument_name":5}'], 'it is told as it came')
  t.end()
})

t.test('calls stay under 500 channels and 32 kB', t => {
  const names = Array.from(
    { length: 1201 },
    (_, index) => `ticker.BTC-25DEC26-${90000 + index}-C.${'x'.repeat(index % 90)}`,
  )
  const chunks = chunkChannels(names)
  t.same(chunks.flat(), names)
  for (const channels of chunks) {
    t.ok(channels.length <= 500)
    t.ok(
      Buffer.byteLength(JSON.stringify({ jsonrpc: '2.0', id: 1e9, method: 'public/subscribe', params: { channels } })) <
        32_000,
    )
  }
  t.end()
})

t.test('credits make callers wait as long as the refill takes', t => {
  let now = 0
  const credits = new Credits(30_000, 10_000, () => now)
  for (let call = 0; call < 10; call++) t.equal(credits.take(3000), 0)
  t.equal(credits.take(3000), 300)
  t.equal(credits.take(3000), 600)
  now = 600
  t.equal(credits.take(3000), 300)
  now = 1e9
  t.equal(credits.take(30_000), 0, 'a pool never holds more than its size')
  t.ok(credits.take(1) > 0)
  t.end()
})

t.test('channels are known by the bytes of their names', t => {
  const known = new KnownChannels(describeChannel)
  const frame = Buffer.from('xxquote.BTC-PERPETUALyy')
  t.match(known.factsAt(frame, 2, 21), { channel: 'quote.BTC-PERPETUAL', family: 'quote', isNews: false })
  t.equal(known.factsAt(frame, 2, 21), known.factsOf('quote.BTC-PERPETUAL'), 'worked out once')
  t.match(known.factsOf('instrument.state.any.any'), { family: 'instrument.state', isNews: true })
  // Two names with the same 32-bit hash.
  const [one, other] = ['costarring', 'liquid']
  t.equal(known.factsOf(one).channel, one)
  t.equal(known.factsOf(other).channel, other)
  t.equal(known.factsOf(one).channel, one)
  t.end()
})
