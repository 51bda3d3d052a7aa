import type { Logger } from '../../platform/log.js'
import type { Adapter, PlanChange } from '../adapter.js'
import { framePartitions } from '../channel-partition.js'
import { KnownChannels } from '../known-channels.js'
import type { CatalogueChange } from '../listings.js'
import { silenceLimits } from '../silence-limits.js'
import { Catalogue } from './catalogue.js'
import type { OkxConfig } from './config.js'
import { Discovery } from './discovery.js'
import { families, familyNamed } from './families.js'
import { channelOfFrame, madeMs } from './frames.js'
import { OkxHttp } from './http.js'
import { chooserOf } from './instruments.js'
import * as names from './names.js'
import { planChannels } from './plan.js'
import { DEAD_AFTER_MS, OkxSession } from './session.js'
import { TradeKeeper } from './trade-keeper.js'

/** OKX, as the recorder's connection loop sees it. */
export function okx(config: OkxConfig, log: Logger): Adapter {
  const http = new OkxHttp(config)
  const channels = new KnownChannels(names.describeArg)
  const isChosen = chooserOf(config.instruments)
  const catalogue = new Catalogue(
    ({ instrument_name, kind }) => config.channels[kind].length > 0 && isChosen(instrument_name),
  )
  const discovery = new Discovery(http, config)
  const trades = new TradeKeeper(http, config.backfill, log)
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
    spread: {
      channelsPerConnection: config.channelsPerConnection,
      connectionsMax: config.connectionsMax,
      redundancy: config.redundancy,
      rediscoverMs: config.rediscoverMinutes * 60_000,
    },
    silenceLimits: subscribed => silenceLimits({ families, names }, subscribed),
    familyOfChannel: names.familyOfChannel,
    madeMs,
    async discover(take, signal) {
      const listed = await discovery.fetch(take, signal)
      nameless = listed.nameless
      const heard = channels.takeHeard()
      const traded = trades.sequences.takeHeard()
      const isHeard = (name: string) => heard.has(name) || traded.has(name)
      return planned(catalogue.replace(listed.instruments, { inactive: listed.inactive, isHeard }))
    },
    news() {
      const change = catalogue.settle()
      if (change) return planned(change)
      return catalogue.needsList ? 'discover' : undefined
    },
    attend: (recording, signal) => trades.run(recording, signal),
    openSession: (link, wanted) => new OkxSession(link, wanted, { config, log, channels, catalogue, trades }),
    partitionOf: framePartitions(channelOfFrame, names.partitionOfChannel),
  }
}

/** Business data come on a socket beside that of public data. */
function businessUrl(url: string): string {
  return url.replace(/\/public(?=\/?$)/, '/business')
}
