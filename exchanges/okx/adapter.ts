import type { Logger } from '../../platform/log.js'
import type { Adapter, PlanChange } from '../adapter.js'
import { framePartitions } from '../channel-partition.js'
import { matcherOf } from '../globs.js'
import { KnownChannels } from '../known-channels.js'
import type { CatalogueChange } from '../listings.js'
import { Poller } from '../poller.js'
import { neverRests, silenceLimits } from '../silence-limits.js'
import { Catalogue } from './catalogue.js'
import type { OkxConfig } from './config.js'
import { Discovery } from './discovery.js'
import { families, familyNamed } from './families.js'
import { channelOfFrame, madeMs } from './frames.js'
import { OkxHttp, RefusedError } from './http.js'
import * as names from './names.js'
import { planChannels } from './plan.js'
import { planPolls, spanQuery, type MethodPoll } from './polls.js'
import { DEAD_AFTER_MS, OkxSession } from './session.js'
import { shownOf } from './shown.js'
import { TradeKeeper } from './trade-keeper.js'

/** An address may make three connections in a second; one is left for whatever else it runs. */
const DIALS_PER_SECOND = 2
/** Codes that ask for patience: too many calls, a busy or broken service. */
const TOO_MANY = new Set([50001, 50004, 50011, 50013, 50026])

/** OKX, as the recorder's connection loop sees it. */
export function okx(config: OkxConfig, log: Logger): Adapter {
  const http = new OkxHttp(config)
  const channels = new KnownChannels(names.describeArg)
  const isChosen = matcherOf(config.instruments)
  const catalogue = new Catalogue(
    ({ instrument_name, kind }) => config.channels[kind].length > 0 && isChosen(instrument_name),
  )
  const discovery = new Discovery(http, config)
  const trades = new TradeKeeper(http, config.backfill, log)
  const fills = new TradeKeeper(http, config.backfill, log, 'trades-all')
  const business = businessUrl(config.url)
  let nameless: readonly string[] = []
  const planned = (change: CatalogueChange): PlanChange => ({
    plan: planChannels(catalogue.instruments, config),
    ...change,
    notOffered: [{ instruments: nameless, reason: 'the exchange lists it without a name' }],
  })
  return {
    name: config.name,
    url: config.url,
    endpointOf: channel => (familyNamed(names.familyOfChannel(channel))?.isBusiness ? business : config.url),
    liveness: { probeAfterMs: undefined, deadAfterMs: DEAD_AFTER_MS },
    ordinaryBytesMax: 8 * 1024 * 1024,
    // `ping` and `pong` are bare texts.
    textIn: ['control', 'sent'],
    spread: {
      channelsPerConnection: config.channelsPerConnection,
      connectionsMax: config.connectionsMax,
      redundancy: config.redundancy,
      dialsPerSecond: DIALS_PER_SECOND,
      rediscoverMs: config.rediscoverMinutes * 60_000,
    },
    silenceLimits: subscribed => silenceLimits({ families, names }, subscribed),
    heardOf: channel =>
      neverRests({ families, names }, channel)
        ? channels.factsOf(JSON.stringify(names.argOf(channel)).slice(1, -1))
        : undefined,
    familyOfChannel: names.familyOfChannel,
    madeMs,
    shown: (priceOf, nowMs) => shownOf(catalogue.instruments, priceOf, nowMs),
    async discover(take, signal) {
      const listed = await discovery.fetch(catalogue.instruments, take, signal)
      nameless = listed.nameless
      const heard = channels.takeHeard(channel => names.subjectOf(channel)?.name)
      const traded = trades.sequences.takeHeard()
      const isHeard = (name: string) => heard.has(name) || traded.has(name)
      return planned(catalogue.replace(listed.instruments, { inactive: listed.inactive, isHeard }))
    },
    news() {
      const change = catalogue.settle()
      if (change) return planned(change)
      return catalogue.needsList ? 'discover' : undefined
    },
    async attend(recording, signal) {
      const poller = new Poller<MethodPoll>({
        ask: ({ family, path, query }, span, asking) =>
          http.rows(
            path,
            { ...query, ...spanQuery(span) },
            (filed, bytes) => recording.take('http', filed, bytes),
            rows => (rows.length > 0 ? family : 'control'),
            asking,
          ),
        refusalIn: error => {
          if (!(error instanceof RefusedError)) return undefined
          return TOO_MANY.has(error.refusal) ? 'too many' : 'refused'
        },
        progress: recording.polled,
        log,
        plan: () => planPolls(catalogue.instruments, config),
        callsPerSecond: config.polls.callsPerSecond,
      })
      await Promise.all([poller.run(signal), trades.run(recording, signal), fills.run(recording, signal)])
    },
    openSession: (link, wanted) =>
      new OkxSession(link, wanted, { config, log, channels, catalogue, keepers: [trades, fills] }),
    partitionOf: framePartitions(channelOfFrame, names.partitionOfChannel),
  }
}

/** Business data come on a socket beside that of public data. */
function businessUrl(url: string): string {
  return url.replace(/\/public(?=\/?$)/, '/business')
}
