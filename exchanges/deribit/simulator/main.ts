import { version } from '../../../platform/package-info.js'
import type { Grammar } from '../../../simulator/broker.js'
import type { Faults } from '../../../simulator/faults.js'
import { startSimulator as startAny, type Simulator, type SimulatorOptions } from '../../../simulator/main.js'
import type { Protocol, Service, Venue } from '../../../simulator/protocol.js'
import type { Credential } from '../../simulation.js'
import { Logins } from './auth.js'
import { openFeed } from './channels.js'
import { Credits } from './credits.js'
import { Desk, MARKET_METHODS } from './dispatch.js'
import { encode } from './json-text.js'
import type { Exchange } from './methods/method.js'
import { spellingFor } from './number-spelling.js'
import { deribitPlan } from './plan.js'
import { NameScanner } from './recording-scanner.js'
import { RoutedSpot } from './routed-spot.js'
import { notificationText } from './rpc.js'
import { RpcService } from './service.js'

export { replay } from './replay.js'

/** How strict the simulated exchange is. Everything has a default. */
export interface DeribitOptions {
  /** Who may log in. Default: nobody. */
  credentials?: readonly Credential[]
  /** Raw channels without login. Default false. */
  rawForAll?: boolean
  /** Multiplies sizes and refill of the credit pools; false for no limits. Default 1. */
  credits?: number | false
  /** Multiplies the times of heartbeat and idle close; 0.01 makes 10 s of it 100 ms. Default 1. */
  timeScale?: number
  /**
   * Whether trades of combos can be asked for by instrument. Default false: a client of the live service says that they
   * can be had by currency and kind alone.
   */
  combosByInstrument?: boolean
  /** Spot pairs that trade elsewhere on the exchange's behalf, `BTC_USDC`: their trades are not sent. Default: BTC_USDC. */
  routedSpot?: readonly string[]
}

/** At the exchange pairs of the great coins are routed since August 2026; others, here ETH_USDC, are matched by itself. */
const ROUTED_SPOT = ['BTC_USDC']

/** How channels are named and their frames spelled. */
export const grammar: Grammar = {
  open: openFeed,
  frame: (channel, data, made) => notificationText(channel, encode(data, spellingFor(made))),
  wrap: notificationText,
}

/** Deribit over the simulated market: JSON-RPC, logins, credits, heartbeats. */
export function protocol(options: DeribitOptions = {}): Protocol {
  let faults: Pick<Faults, 'beginsAnew'> | undefined
  return {
    ...grammar,
    open: (channel, market) => openFeed(channel, market, each => faults?.beginsAnew(each) === true),
    plan: deribitPlan,
    scanner: () => new NameScanner(),
    serve: venue => {
      ;({ faults } = venue)
      return serve(venue, options)
    },
  }
}

function serve(venue: Venue, options: DeribitOptions): Service {
  const { credentials = [], rawForAll = false, credits = 1, timeScale = 1, combosByInstrument = false } = options
  const routedSpot = new RoutedSpot(options.routedSpot ?? ROUTED_SPOT)
  const { market, channels, clock, real, faults, isRecorded } = venue
  const exchange: Exchange = {
    market,
    combosByInstrument,
    routedSpot,
    channels,
    clock,
    faults,
    logins: new Logins(credentials, isRecorded),
    credits: credits === false ? undefined : new Credits(credits, () => real.monotonicUs() / 1000),
    rawForAll,
    accepts: channel => openFeed(channel, market) !== undefined && !routedSpot.hidesChannel(channel),
    subscribed: ({ connection }) => venue.subscribed(connection),
    version,
  }
  return new RpcService({ channels, clock, desk: new Desk(exchange, MARKET_METHODS), timeScale })
}

/** Starts a simulated Deribit; see there. */
export function startSimulator(options: SimulatorOptions & DeribitOptions = {}): Promise<Simulator> {
  return startAny(protocol(options), options)
}
