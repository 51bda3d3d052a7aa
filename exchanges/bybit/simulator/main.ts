import type { Grammar } from '../../../simulator/broker.js'
import type { JsonObject } from '../../../simulator/json.js'
import { startSimulator as startAny, type Simulator, type SimulatorOptions } from '../../../simulator/main.js'
import type { Protocol, Service, Venue } from '../../../simulator/protocol.js'
import { categoryOfChannel, channelOf, topicOf } from '../names.js'
import { FULL_TOPIC } from '../frames.js'
import { frameText, openFeed, openTopic } from './channels.js'
import type { FeedState } from './feeds.js'
import { METHODS } from './methods.js'
import { bybitPlan } from './plan.js'
import { SymbolScanner } from './recording-scanner.js'
import { BybitService } from './service.js'

export { replay } from './replay.js'

const isOption = (channel: string) => categoryOfChannel(channel) === 'option'

/** How channels are named and their frames spelled. */
function grammar(state: FeedState): Grammar {
  return {
    open: (channel, market) => openFeed(channel, market, state),
    frame: (channel, frame) => frameText(channel, frame as JsonObject, isOption(channel)),
    wrap: (channel, data) =>
      `{"topic":${JSON.stringify(topicOf(channel))},"type":"delta","ts":${Date.now()},"data":${data}}`,
  }
}

/** Bybit over the simulated market: four WebSockets and the public methods. Nobody logs in. */
export function protocol(): Protocol {
  let beginsAnew: FeedState['beginsAnew'] = () => false
  const state: FeedState = {
    updates: new Map(),
    beginsAnew: channel => beginsAnew(channel),
    fullBooks: new Map(),
  }
  return {
    ...grammar(state),
    plan: bybitPlan,
    scanner: () => new SymbolScanner(),
    serve: venue => {
      beginsAnew = channel => venue.faults.beginsAnew(channel)
      return serve(venue, state)
    },
  }
}

function serve(venue: Venue, state: FeedState): Service {
  const { market, channels, clock, faults } = venue
  const nowMs = () => clock.nowMs()
  const fullBook = (symbol: string) => {
    const channel = channelOf('spot', FULL_TOPIC + symbol)
    if (!state.fullBooks.has(channel)) openFeed(channel, market, state)
    return state.fullBooks.get(channel)
  }
  return new BybitService({
    channels,
    faults,
    nowMs,
    subscribed: connection => venue.subscribed(connection),
    knows: (socket, topic) => openTopic(socket, topic, market, state) !== undefined,
    call: (method, query) =>
      Object.hasOwn(METHODS, method) ? METHODS[method]?.(query, { market, faults, nowMs, fullBook }) : undefined,
  })
}

/** Starts a simulated Bybit; see there. */
export function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return startAny(protocol(), options)
}
