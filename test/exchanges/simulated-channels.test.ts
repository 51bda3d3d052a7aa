/** What the simulated exchanges send is what the product understands: each channel that is planned, frame by frame. */
import assert from 'node:assert/strict'
import t from 'tap'
import { bybitConfig } from '../../exchanges/bybit/config.js'
import { parseInstruments } from '../../exchanges/bybit/instruments.js'
import { bybit } from '../../exchanges/bybit/main.js'
import { CATEGORIES, topicOf } from '../../exchanges/bybit/names.js'
import { planChannels as planBybit } from '../../exchanges/bybit/plan-channels.js'
import { bookIdsIn, eachTradeId } from '../../exchanges/bybit/sequence-bytes.js'
import { protocol as bybitProtocol } from '../../exchanges/bybit/simulator/main.js'
import { METHODS } from '../../exchanges/bybit/simulator/methods.js'
import { BookChain, type BookIds } from '../../exchanges/book-chain.js'
import type { Exchange } from '../../exchanges/exchange.js'
import { bookIds } from '../../exchanges/okx/book.js'
import { okxConfig } from '../../exchanges/okx/config.js'
import { instrumentOf, TYPES } from '../../exchanges/okx/instruments.js'
import { okx } from '../../exchanges/okx/main.js'
import { planChannels as planOkx } from '../../exchanges/okx/plan.js'
import { protocol as okxProtocol } from '../../exchanges/okx/simulator/main.js'
import { methods } from '../../exchanges/okx/simulator/methods.js'
import { tradeRowsOf } from '../../exchanges/okx/trade-numbers.js'
import { TradeSequences } from '../../exchanges/trade-sequences.js'
import { parsedObject } from '../../platform/json-object.js'
import { Broker } from '../../simulator/broker.js'
import { Faults } from '../../simulator/faults.js'
import { Market } from '../../simulator/market/market.js'
import type { Protocol } from '../../simulator/protocol.js'

const START_MS = Date.UTC(2026, 10, 30, 7, 59, 58)
const STEPS = 400

interface Subject {
  exchange: Pick<Exchange, 'name' | 'names' | 'frames' | 'books'>
  protocol: Protocol
  plan: (market: Market) => ReadonlyMap<string, number>
  idsOf: (frame: Buffer) => BookIds | undefined
  madeMs: (frame: Buffer) => number | undefined
}

const noFaults = new Faults(
  () => undefined,
  (_channel, data) => data,
)

function okxPlan(market: Market) {
  const parts = { market, faults: noFaults, clock: { nowMs: () => market.nowMs, nowUs: () => market.nowMs * 1000 } }
  const rowsOf = (query: Record<string, string>) => {
    const answer = methods['public/instruments']?.(query, parts)
    return answer && 'rows' in answer ? answer.rows : []
  }
  const listed = TYPES.flatMap(instType =>
    instType === 'OPTION'
      ? ['BTC-USD', 'ETH-USD'].flatMap(instFamily => rowsOf({ instType, instFamily }))
      : rowsOf({ instType }),
  )
  const instruments = listed.flatMap(row => instrumentOf(row as Record<string, unknown>) ?? [])
  const all = ['trades', 'trades-all', 'books', 'books5', 'bbo-tbt', 'tickers', 'candle']
  const config = okxConfig.parse({
    adapter: 'okx',
    name: 'okx',
    channels: { spot: all, perpetual: [...all, 'mark-price', 'open-interest', 'funding-rate'] },
  })
  return planOkx(instruments, config)
}

function bybitPlan(market: Market) {
  const world = { market, faults: noFaults, nowMs: () => market.nowMs, fullBook: () => undefined }
  const config = bybitConfig.parse({
    name: 'bybit',
    depth: 200,
    channels: { exchange: ['insurance', 'adl_alert', 'status'] },
  })
  const instruments = CATEGORIES.flatMap(category => {
    const coins = category === 'option' ? [{ baseCoin: 'BTC' }, { baseCoin: 'ETH' }] : [{}]
    const lists = coins.map(query => METHODS['market/instruments-info']?.({ category, limit: '1000', ...query }, world))
    return lists.flatMap(list => parseInstruments(category, (list?.['list'] ?? []) as unknown[]).instruments)
  })
  return planBybit(instruments, config)
}

const subjects: readonly Subject[] = [
  {
    exchange: okx,
    protocol: okxProtocol(),
    plan: okxPlan,
    idsOf: bookIds,
    madeMs: frame => Number(/"ts":"(\d{13})"/.exec(frame.toString())?.[1]) || undefined,
  },
  {
    exchange: bybit,
    protocol: bybitProtocol(),
    plan: bybitPlan,
    idsOf: bookIdsIn,
    madeMs: frame => Number(/"ts":(\d{13})/.exec(frame.toString())?.[1]) || undefined,
  },
]

/** All frames of all planned channels, over some seconds and the end of a day. */
function recorded({ protocol, plan }: Subject) {
  const market = new Market(protocol.plan, {
    seed: 5,
    startMs: START_MS,
    stepMs: 10,
    eventsPerStep: 12,
    options: 24,
    depth: 20,
    newInstrumentEveryMs: 0,
  })
  const broker = new Broker(market, protocol)
  const channels = [...plan(market).keys()]
  const frames: { channel: string; frame: Buffer; ms: number }[] = []
  const subscriber = {
    deliver: (channel: string, frame: Buffer) => void frames.push({ channel, frame, ms: market.nowMs }),
  }
  for (const channel of channels) broker.subscribe(channel, subscriber)
  for (let step = 0; step < STEPS; step++) {
    market.step()
    broker.turn(market.nowMs)
  }
  // What is pending has its turn: books then show the market as it stands.
  for (let ms = market.nowMs; ms < market.nowMs + 1000; ms += 10) broker.turn(ms)
  return { market, channels, frames, unknown: channels.filter(channel => !protocol.open(channel, market)) }
}

const recordings = subjects.map(subject => ({ ...subject, ...recorded(subject) }))

for (const { exchange, idsOf, madeMs, market, channels, frames, unknown } of recordings) {
  const { name, names, books } = exchange
  const isOf = (channel: string, ...families: string[]) =>
    families.includes(names.familyOfChannel(channel).replace('.spot', ''))

  t.test(`${name}: all that is planned is offered, and nearly all of it speaks at once`, t => {
    t.ok(channels.length > 100, `${channels.length} channels`)
    const gone = unknown.filter(channel => !(names.expiryMsOf(channel) <= market.nowMs))
    t.same(gone, [])
    const first = new Set(frames.filter(({ ms }) => ms === START_MS).map(({ channel }) => channel))
    const mute = channels.filter(
      channel => !first.has(channel) && isOf(channel, 'book', 'books', 'quote', 'bbo-tbt', 'ticker', 'tickers'),
    )
    t.same(mute, [], 'what must speak on subscribing does')
    t.end()
  })

  t.test(`${name}: every frame names its channel, by its bytes, to a parser, and in the text of a line`, t => {
    const odd: string[] = []
    for (const { channel, frame, ms } of frames) {
      const family = names.familyOfChannel(channel)
      const named = exchange.frames.channelText.exec(frame.toString())?.[1] ?? ''
      const called = exchange.frames.calledIn?.(named, family) ?? named
      const isNamed = exchange.frames.channelOf(frame, family) === channel && called === channel
      const made = madeMs(frame)
      // What is told of the last maintenance is of then.
      const isOfNow = made === undefined || Math.abs(made - ms) < 90 * 86_400_000 || family === 'status'
      if (!isNamed || !isOfNow || !parsedObject(frame)) odd.push(frame.toString().slice(0, 200))
    }
    t.same(odd.slice(0, 3), [])
    t.ok(frames.length > 1000, `${frames.length} frames`)
    t.end()
  })

  t.test(`${name}: full books chain without a break, and rebuild to those of the market`, t => {
    const chains = new Map<string, BookChain>()
    const state = new Map<string, Record<'bids' | 'asks', Map<number, number>>>()
    for (const { channel, frame, ms } of frames.filter(({ channel }) => isOf(channel, 'book', 'books'))) {
      const [ids, change] = [idsOf(frame), books?.changeOf(frame.toString())]
      if (!ids || !change) {
        t.fail(frame.toString().slice(0, 200))
        continue
      }
      const chain = chains.get(channel) ?? new BookChain()
      chains.set(channel, chain)
      const isMute = change.bids.length + change.asks.length === 0
      if (!change.isSnapshot && !isMute && ids.changeId === chain.lastChangeId)
        t.fail(`${channel}: two changes of one number`)
      const link = chain.see(ids, ms * 1000)
      if (link === 'break' || link === 'broken' || link === 'early') t.fail(`${channel} ${link}`)
      if (change.isSnapshot !== books?.isSnapshot(frame) || change.isSnapshot !== ids.isSnapshot)
        t.fail(`${channel}: of two minds`)
      const own = state.get(channel) ?? { bids: new Map(), asks: new Map() }
      state.set(channel, own)
      for (const side of ['bids', 'asks'] as const) {
        if (change.isSnapshot) own[side].clear()
        for (const [price, amount] of change[side])
          if (amount === 0) own[side].delete(price)
          else own[side].set(price, amount)
      }
    }
    t.ok(state.size > 20, `${state.size} books`)
    for (const [channel, { bids, asks }] of state) {
      const subject = names.subjectOf(channel)
      const listing = market.find(
        names.nameOfRow?.(subject?.name ?? '', subject?.kinds[0] ?? '') ?? subject?.name ?? '',
      )
      if (!listing) {
        t.fail(`nobody lists ${channel}`)
        continue
      }
      const own = [[...bids].sort(([a], [b]) => b - a), [...asks].sort(([a], [b]) => a - b)]
      const theirs = (['bids', 'asks'] as const).map(side =>
        listing.book[side].map(level => listing.priceOf(level.ticks)),
      )
      if (JSON.stringify(own.map(side => side.map(([price]) => price))) !== JSON.stringify(theirs))
        t.same(own, theirs, channel)
    }
    t.end()
  })
}

t.test('OKX: fills of trades and of trades-all are numbered without a hole, and are the same fills', t => {
  const [recording] = recordings
  assert.ok(recording)
  const { frames, market } = recording
  const sequences = { trades: new TradeSequences(), 'trades-all': new TradeSequences() }
  for (const family of ['trades', 'trades-all'] as const) {
    const own = frames.filter(({ channel }) => channel.startsWith(`${family}.`))
    t.ok(own.length > 50, `${own.length} frames of ${family}`)
    for (const { frame, ms } of own)
      for (const { instrument, first, last } of tradeRowsOf(parsedObject(frame))) {
        if (sequences[family].see(instrument, last, ms * 1000, first)) t.fail(`${instrument} ${last} is strange`)
      }
    t.same(sequences[family].takeHoles(Infinity), [], family)
  }
  let known = 0
  for (const { name, tradeSeq } of market.listings.values()) {
    // Of what traded in that time the last number is known by both.
    const heardUs = sequences.trades.lastUsOf(name)
    if (heardUs === undefined || heardUs <= START_MS * 1000 || !sequences['trades-all'].lastUsOf(name)) continue
    known++
    for (const one of Object.values(sequences)) {
      one.list(name, { from: tradeSeq, to: tradeSeq }, Infinity)
      t.same(one.takeHoles(Infinity), [], `${name} up to ${tradeSeq}`)
    }
  }
  t.ok(known > 5, `${known} traded`)
  t.end()
})

t.test('Bybit: each trade has an id of its own, on one channel', t => {
  const [, recording] = recordings
  assert.ok(recording)
  const { frames } = recording
  const byId = new Map<number, string>()
  for (const { channel, frame } of frames.filter(({ channel }) => topicOf(channel).startsWith('publicTrade.')))
    eachTradeId(frame, id => {
      if (byId.has(id)) t.fail(`${channel}: ${frame.toString()}`)
      byId.set(id, channel)
    })
  t.ok(byId.size > 50, `${byId.size} trades on ${new Set(byId.values()).size} channels`)
  t.end()
})
