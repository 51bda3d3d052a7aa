import type { DeribitConfig } from './config.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Adapter, Credentials, PlanChange } from '../adapter.js'
import type { CatalogueChange } from '../listings.js'
import { Catalogue } from './catalogue.js'
import { families } from './families.js'
import * as names from './names.js'
import { describeChannel, familyOfChannel, partitionOfChannel } from './names.js'
import { framePartitions } from '../channel-partition.js'
import { channelOfFrame } from './frame-channel.js'
import { fetchInstruments } from './discovery.js'
import { madeMs } from './frame-time.js'
import { HttpRpc, type Take } from './http-rpc.js'
import { KnownChannels } from '../known-channels.js'
import { isChosen, notOfferedOf, planChannels } from './plan-channels.js'
import { Poller } from '../poller.js'
import { planPolls, type MethodPoll } from './polls.js'
import { createCreditPools, RefusedError } from './rpc.js'
import { DeribitSession, HEARTBEAT_SECONDS } from './session.js'
import { wantsRaw } from './settings.js'
import { isInShard, shardPlan } from './shard.js'
import { shownOf } from './shown.js'
import { neverRests, silenceLimits } from '../silence-limits.js'
import { TradeKeeper } from './trade-keeper.js'

const ODD_KINDS = 'instruments of a kind that is not known are recorded with what is understood of them'

/**
 * Deribit, as the recorder's connection loop sees it.
 * @throws EdgeError CREDENTIALS_MISSING raw intervals are only given to those who log in
 */
export function deribit(config: DeribitConfig, credentials: Credentials | undefined, log: Logger): Adapter {
  if (wantsRaw(config) && !credentials && config.rawFallback === undefined) throw credentialsMissing()
  const credits = createCreditPools()
  const rpc = new HttpRpc(config.url, credits)
  const channels = new KnownChannels(describeChannel)
  const catalogue = new Catalogue(instrument => isChosen(instrument, config))
  const trades = new TradeKeeper(rpc, config.backfill, log)
  let namelessEntries: readonly string[] = []
  const planned = (change: CatalogueChange): PlanChange => {
    const plan = shardPlan(planChannels(catalogue.instruments, config), config.shard)
    trades.scopes.add(plan.keys())
    const unnamed = { instruments: namelessEntries, reason: 'the exchange lists it without a name' }
    const notOffered = [notOfferedOf(catalogue.instruments, config), unnamed]
    return { plan, ...change, notOffered }
  }
  const oddNoted = new Set<string>()
  const noteOdd = (oddKinds: ReadonlyMap<string, string>) => {
    const fresh = [...oddKinds].filter(([name]) => !oddNoted.has(name))
    for (const [name] of fresh) oddNoted.add(name)
    if (fresh.length === 0) return
    log.warn({ instruments: Object.fromEntries(fresh.slice(0, 20)), count: fresh.length }, ODD_KINDS)
  }
  return {
    name: config.name,
    url: config.url,
    // The exchange sends a heartbeat in every interval: two of them without anything are a dead connection.
    liveness: { probeAfterMs: undefined, deadAfterMs: 2 * HEARTBEAT_SECONDS * 1000 },
    ordinaryBytesMax: 8 * 1024 * 1024,
    spread: {
      channelsPerConnection: config.channelsPerConnection,
      connectionsMax: config.connectionsMax,
      redundancy: config.redundancy,
      rediscoverMs: config.rediscoverMinutes * 60_000,
    },
    heardOf: channel => (neverRests({ families, names }, channel) ? channels.factsOf(channel) : undefined),
    silenceLimits: channels => silenceLimits({ families, names }, channels),
    familyOfChannel,
    madeMs,
    shown: (priceOf, nowMs) => shownOf(catalogue.instruments, priceOf, nowMs),
    async discover(take, signal) {
      const { instruments, inactive, nameless, oddKinds } = await fetchInstruments(rpc, config.currencies, take, signal)
      noteOdd(oddKinds)
      namelessEntries = nameless
      const heard = channels.takeHeard(channel => names.subjectOf(channel)?.name)
      const traded = trades.sequences.takeHeard()
      const isHeard = (name: string) => heard.has(name) || traded.has(name)
      return planned(catalogue.replace(instruments, { inactive, isHeard }))
    },
    news() {
      const change = catalogue.settle()
      if (change) return planned(change)
      return catalogue.needsList ? 'discover' : undefined
    },
    async attend(recording, signal) {
      const plan = () => planPolls(catalogue.instruments, config).filter(({ id }) => isInShard(id, config.shard))
      const take: Take = (family, answer) => recording.take('http', family, answer)
      const { callsPerSecond } = config.polls
      const poller = new Poller<MethodPoll>({
        ask: ({ id, family, method, params }, { fromMs, toMs }, asking) => {
          const span = fromMs === undefined ? {} : { start_timestamp: fromMs, end_timestamp: toMs }
          return rpc.call(family, { id, method, params: { ...params, ...span } }, take, asking)
        },
        refusalIn: error => {
          if (!(error instanceof RefusedError)) return undefined
          return error.means === 'passes' ? 'too many' : 'refused'
        },
        progress: recording.polled,
        log,
        plan,
        callsPerSecond,
      })
      await Promise.all([poller.run(signal), trades.run(recording, signal)])
    },
    openSession: (link, wanted) =>
      new DeribitSession(link, wanted, { config, credentials, log, credits, channels, catalogue, trades }),
    partitionOf: framePartitions(channelOfFrame, partitionOfChannel),
  }
}

function credentialsMissing(): EdgeError {
  return new EdgeError(
    'CREDENTIALS_MISSING',
    'exchange.interval or exchange.intervals ask for raw, which the exchange gives only after a login',
    {
      hint: 'set DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET (or DERIBIT_CLIENT_SECRET_FILE), or use exchange.interval: 100ms, or exchange.rawFallback: 100ms',
    },
  )
}
