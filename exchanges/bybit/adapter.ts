import type { Logger } from '../../platform/log.js'
import type { Adapter, PlanChange } from '../adapter.js'
import { framePartitions } from '../channel-partition.js'
import { matcherOf } from '../globs.js'
import { KnownChannels } from '../known-channels.js'
import { Listings, type CatalogueChange } from '../listings.js'
import { Poller } from '../poller.js'
import { neverRests, silenceLimits } from '../silence-limits.js'
import type { BybitConfig } from './config.js'
import { Discovery } from './discovery.js'
import { families } from './families.js'
import { frames, madeMs } from './frames.js'
import { FullBookAnswers } from './full-books.js'
import { BybitHttp, httpUrlOf, RefusedError } from './http.js'
import type { Instrument } from './instruments.js'
import * as names from './names.js'
import { planChannels } from './plan-channels.js'
import { askAllPages, planPolls, type MethodPoll } from './polls.js'
import { BybitSession, PING_SECONDS } from './session.js'
import { shownOf } from './shown.js'
import { TradeComparison } from './trade-comparison.js'
import { TradeOverlap } from './trade-overlap.js'

const {
  CATEGORIES,
  categoryOfChannel,
  channelOf,
  expiryMsOf,
  familyOfChannel,
  isSpot,
  ownSocketOf,
  partitionOfChannel,
  topicOf,
} = names
type Category = names.Category

/** A ping is answered at once: two that are not are a dead connection. */
const DEAD_AFTER_MS = (2 * PING_SECONDS + 5) * 1000

/** Bybit, as the recorder's connection loop sees it. */
export function bybit(config: BybitConfig, log: Logger): Adapter {
  const http = new BybitHttp(httpUrlOf(config.url, config.httpUrl), config.polls.callsPerSecond)
  const discovery = new Discovery(http, config)
  const isChosen = matcherOf(config.instruments)
  const listings = new Listings<Instrument>(
    ({ symbol, kind }) => isChosen(symbol) && config.channels[kind].length > 0,
    { isOver: () => true, expiryMsOf },
  )
  const trades = new TradeOverlap(http, config.backfill.offHours, log)
  const comparison = new TradeComparison({
    ...{ http, trades, log, everyMs: config.backfill.compareMinutes * 60_000 },
    callsPerSecond: config.polls.callsPerSecond / 2,
  })
  const answers = new FullBookAnswers(http, log)
  const known = { spot: knownOf('spot'), others: knownOf('linear') }
  const base = config.url.replace(/\/+$/, '').replace(new RegExp(`/(${CATEGORIES.join('|')})$`), '')
  let nameless: readonly string[] = []
  const planned = (change: CatalogueChange): PlanChange => {
    const plan = planChannels(listings.instruments, config)
    trades.keepOnly(channel => plan.has(channel))
    return { plan, ...change, notOffered: [{ instruments: nameless, reason: 'the exchange lists it without a name' }] }
  }
  const categories = new Map<string, Category>()
  const categoryOf = (channel: string) => {
    const name = names.symbolOf(channel)
    return (name !== undefined && !isSpot(channel) ? categories.get(name) : undefined) ?? categoryOfChannel(channel)
  }
  return {
    name: config.name,
    url: `${base}/linear`,
    endpointOf: channel => `${base}/${ownSocketOf(channel) ?? categoryOf(channel)}`,
    liveness: { probeAfterMs: undefined, deadAfterMs: DEAD_AFTER_MS },
    // A snapshot of 1,000 levels has about 50 kB, an answer about 1 MB.
    ordinaryBytesMax: 8 * 1024 * 1024,
    spread: {
      channelsPerConnection: config.channelsPerConnection,
      connectionsMax: config.connectionsMax,
      redundancy: config.redundancy,
      rediscoverMs: config.rediscoverMinutes * 60_000,
    },
    silenceLimits: channels => silenceLimits({ families, names }, channels),
    heardOf: channel =>
      neverRests({ families, names }, channel)
        ? (isSpot(channel) ? known.spot : known.others).factsOf(topicOf(channel))
        : undefined,
    familyOfChannel,
    madeMs,
    shown: (priceOf, nowMs) => shownOf(listings.instruments, priceOf, nowMs),
    partitionOf: framePartitions(frames.channelOf, partitionOfChannel),
    async discover(take, signal) {
      const { instruments, inactive, nameless: entries } = await discovery.list(listings.instruments, take, signal)
      nameless = entries
      for (const { symbol, category } of instruments) if (category !== 'spot') categories.set(symbol, category)
      const heard = new Set([
        ...known.others.takeHeard(names.symbolOf),
        ...[...known.spot.takeHeard(names.symbolOf)].map(name => channelOf('spot', name)),
      ])
      return planned(listings.replace(instruments, { inactive, isHeard: name => heard.has(name) }))
    },
    news: () => undefined,
    async attend(recording, signal) {
      const poller = new Poller<MethodPoll>({
        ask: (poll, span, asking) =>
          askAllPages(http, poll, span, bytes => recording.take('http', poll.family, bytes), asking),
        refusalIn: error => {
          if (!(error instanceof RefusedError)) return undefined
          return error.isPassing ? 'too many' : 'refused'
        },
        progress: recording.polled,
        log,
        plan: () => planPolls(listings.instruments, config),
        callsPerSecond: config.polls.callsPerSecond,
      })
      const works = [trades, comparison, answers].map(work => work.run(recording, signal))
      await Promise.all([poller.run(signal), ...works])
    },
    openSession(link, wanted) {
      const [first = ''] = wanted()
      const ofSpot = isSpot(first)
      return new BybitSession(link, wanted, {
        config,
        log,
        known: ofSpot ? known.spot : known.others,
        trades,
        answers,
        isSpot: ofSpot,
      })
    },
  }
}

/** Facts of topics as one category's frames name them; but for spot those of all are of one sort. */
function knownOf(category: Category): KnownChannels {
  return new KnownChannels(topic => {
    const channel = channelOf(category, topic)
    return { channel, family: familyOfChannel(channel), isNews: false }
  })
}
