/**
 * Files that were removed, of which all that is left is a hole in the numbers: each is told of in the channels that lay in
 * it, and in no other, however files are grouped. What lies where is said by what the recorder groups frames with.
 */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { accountOf } from '../../../coverage/account/account-of.js'
import { isLost, type Account } from '../../../coverage/account/account.js'
import { measureAccount } from '../../../coverage/account/measure.js'
import { Targets } from '../../../coverage/account/targets.js'
import type { Adapter } from '../../../exchanges/adapter.js'
import { bybit } from '../../../exchanges/bybit/adapter.js'
import { bybitConfig } from '../../../exchanges/bybit/config.js'
import { topicOf } from '../../../exchanges/bybit/names.js'
import { deribit } from '../../../exchanges/deribit/adapter.js'
import { deribitConfig } from '../../../exchanges/deribit/config.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { okx } from '../../../exchanges/okx/adapter.js'
import { okxConfig } from '../../../exchanges/okx/config.js'
import { argOf } from '../../../exchanges/okx/names.js'
import type { Partition } from '../../../formats/partition.js'
import { segmentPath } from '../../../formats/raw-path.js'
import { createLogger } from '../../../platform/log.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { writeRecording, type MadeFrame } from '../../fixtures/made-recording.js'

const S = 1_000_000
const HOUR = 3600 * S
const FROM_US = Date.UTC(2026, 10, 22, 12) * 1000

interface Venue {
  name: string
  adapter: Adapter
  frameOf: (channel: string) => object
  /** Each lies in another file than the others, once files are grouped by kind and currency. */
  channels: readonly [channel: string, lies: string][]
}
const log = createLogger('test')
const VENUES: readonly Venue[] = [
  {
    name: 'bybit',
    adapter: bybit(bybitConfig.parse({ name: 'bybit' }), log),
    frameOf: channel => ({ topic: topicOf(channel), type: 'snapshot', ts: 1, data: [] }),
    channels: [
      ['publicTrade.BTC', 'option/USDC'],
      ['publicTrade.BTCUSDT', 'perpetual/USDT'],
      ['publicTrade.BTCPERP', 'perpetual/USDC'],
      ['publicTrade.BTCUSD', 'perpetual/BTC'],
      ['tickers.BTC-25JUN27-106000-P-USDT', 'option/USDT'],
      ['tickers.BTC-25JUN27-106000-P', 'option/USDC'],
      ['spot.publicTrade.BTCUSDT', 'spot/USDT'],
      ['spot.publicTrade.ETHBTC', 'spot/BTC'],
      ['spot.tickers.BTCUSDC', 'spot/USDC'],
      ['system.status', ''],
    ],
  },
  {
    name: 'okx',
    adapter: okx(okxConfig.parse({ name: 'okx', adapter: 'okx' }), log),
    frameOf: channel => ({ arg: argOf(channel), data: [{}] }),
    channels: [
      ['opt-summary.BTC-USD', 'option/BTC'],
      ['opt-summary.BTC-USD_UM', 'option/USD'],
      ['option-trades.ETH-USD', 'option/ETH'],
      ['index-tickers.BTC-USDT', 'index/BTC'],
      ['index-tickers.ETH-USD', 'index/ETH'],
      ['trades.BTC-USDT', 'spot/USDT'],
      ['trades.BTC-USDT-SWAP', 'perpetual/USDT'],
      ['trades.BTC-USD-SWAP', 'perpetual/BTC'],
      ['liquidation-orders.SWAP', 'perpetual/OTHER'],
      ['liquidation-orders.FUTURES', 'future/OTHER'],
      ['status', ''],
    ],
  },
  {
    name: 'deribit',
    adapter: deribit(deribitConfig.parse({ name: 'deribit' }), undefined, log),
    frameOf: channel => ({ jsonrpc: '2.0', method: 'subscription', params: { channel, data: {} } }),
    channels: [
      ['trades.option.BTC.100ms', 'option/BTC'],
      ['trades.future.BTC.100ms', 'future/BTC'],
      ['trades.option_combo.BTC.100ms', 'option_combo/BTC'],
      ['trades.future_combo.BTC.100ms', 'future_combo/BTC'],
      ['trades.ETH-PERPETUAL.100ms', 'perpetual/ETH'],
      ['trades.BTC_USDC.100ms', 'spot/USDC'],
      ['deribit_price_index.btc_usd', 'index/BTC'],
      ['deribit_price_index.eth_usd', 'index/ETH'],
      ['markprice.options.eth_usd', 'index/ETH'],
      ['platform_state', ''],
    ],
  },
]

/** Of which channels something is lost, by what they are called in the account. */
const lostOf = ({ groups }: Account) =>
  groups
    .flatMap(({ spans, channels }) => (spans.some(isLost) ? channels : []))
    .map(({ family, about }) => `${family} ${about}`)
    .sort()

for (const { name, adapter, frameOf, channels } of VENUES) {
  const { families, names } = exchangeNamed(name)
  const all = channels.map(([channel]) => channel)
  const storedOf = (channel: string) =>
    adapter.partitionOf?.(Buffer.from(JSON.stringify(frameOf(channel))), names.familyOfChannel(channel))
  const textOf = (stored: Partition | undefined) => (stored ? `${stored.kind}/${stored.currency}` : '')
  const targets = new Targets({ name, families, names })
  const shownOf = (channel: string) => `${targets.of(channel).family} ${targets.of(channel).channel.about}`

  t.test(`${name}: a removed file was told as missing of no channel, or of another than those that lay in it`, t => {
    const entries = [
      journalEntry({ exchange: name, recvUs: FROM_US }, 'started'),
      journalEntry({ exchange: name, recvUs: FROM_US + S }, 'subscribed', { conn: 'd1', channels: all }),
      journalEntry({ exchange: name, recvUs: FROM_US + HOUR }, 'stopped', { reason: 'test' }),
    ]
    for (const [channel, lies] of channels) {
      const stored = storedOf(channel)
      t.equal(textOf(stored), lies, `${channel} is stored by its kind and currency`)
      const family = names.familyOfChannel(channel)
      const span = { fromUs: FROM_US + 60 * S, toUs: FROM_US + 120 * S }
      const vanished = [{ ...span, host: 'h1', family, ...stored, cause: 'gone' }]
      const facts = { exchange: { name, families, names }, entries, signs: [], alive: new Set<string>(), vanished }
      const account = accountOf(
        { ...facts, nowUs: FROM_US + HOUR },
        { fromUs: FROM_US + 2 * S, toUs: FROM_US + 300 * S },
      )
      const lay = all.filter(one => names.familyOfChannel(one) === family && textOf(storedOf(one)) === lies)
      t.same(lostOf(account), lay.map(shownOf).sort(), `${channel} lies in ${lies}`)
    }
    t.end()
  })

  t.test(`${name}: of files on disk, grouped by kind and currency, the one that was removed is missed`, async t => {
    const folder = t.testdir()
    const frames: MadeFrame[] = []
    const journal = (recvUs: number, frame: object) =>
      frames.push({ family: 'journal', conn: 'journal', recvUs, frame: JSON.stringify(frame) })
    const facts = { run: 'r1', host: 'vps1', flush_ms: 80, fsync_ms: 1000, rotate_minutes: 60 }
    journal(FROM_US, { event: 'started', ...facts })
    journal(FROM_US + S, { event: 'subscribed', conn: 'd1', channels: all })
    for (let hour = 0; hour < 3; hour++) {
      const us = FROM_US + hour * HOUR + 2 * S
      if (hour > 0) journal(us, { event: 'subscriptions', conn: 'd1', channels: all })
      for (const channel of all) {
        const of = { family: names.familyOfChannel(channel), stored: storedOf(channel), conn: 'd1' }
        frames.push({ ...of, recvUs: us + 60 * S, frame: JSON.stringify(frameOf(channel)) })
      }
    }
    journal(FROM_US + 3 * HOUR - S, { event: 'stopped', reason: 'test' })
    writeRecording(folder, frames, { exchange: name })

    const [[channel] = ['']] = channels
    const hour = { fromUs: FROM_US + HOUR + 30 * 60 * S, toUs: FROM_US + HOUR + 40 * 60 * S }
    const lost = async () => lostOf(await measureAccount(folder, hour, FROM_US + 10 * HOUR))
    t.same(await lost(), [], 'all are there')
    // Files of an hour are begun in the order of its channels, behind that of the journal.
    const files = new Set(all.map(one => `${names.familyOfChannel(one)} ${textOf(storedOf(one))}`)).size + 1
    const named = {
      exchange: name,
      channel: names.familyOfChannel(channel),
      ...storedOf(channel),
      host: 'vps1',
      run: 'r1',
    }
    const startedMs = (FROM_US + HOUR + 62 * S) / 1000
    const path = join(folder, segmentPath({ ...named, startedMs, number: files + 2 }, 'sealed'))
    t.ok(existsSync(path), path)
    for (const file of [path, path.replace(/\.jsonl\.zst$/, '.json')]) rmSync(file)
    t.same(await lost(), [shownOf(channel)])
  })
}
