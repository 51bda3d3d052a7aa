import type { Grammar } from '../../../simulator/broker.js'
import type { JsonObject } from '../../../simulator/json.js'
import { startSimulator as startAny, type Simulator, type SimulatorOptions } from '../../../simulator/main.js'
import type { Protocol } from '../../../simulator/protocol.js'
import type { Credential } from '../../simulation.js'
import { argOf } from '../names.js'
import { openFeed } from './channels.js'
import { okxPlan } from './plan.js'
import { NameScanner } from './scanner.js'
import { OkxService } from './service.js'

export { replay } from './replay.js'

/** How strict the simulated exchange is. */
export interface OkxOptions {
  /** Nothing that is simulated needs a login. */
  credentials?: readonly Credential[]
  /** Multiplies the time of the idle close. Default 1. */
  timeScale?: number
}

/** How channels are named and their frames spelled: what a feed says are the members behind `arg`. */
export const grammar: Grammar = {
  open: openFeed,
  frame: (channel, data) => JSON.stringify({ arg: argOf(channel), ...(data as JsonObject) }),
  wrap: (channel, data) => `{"arg":${JSON.stringify(argOf(channel))},"data":[${data}]}`,
}

/** OKX over the simulated market: two sockets, acks and errors by channel, questions over HTTP. */
export function protocol({ timeScale = 1 }: OkxOptions = {}): Protocol {
  return {
    ...grammar,
    plan: okxPlan,
    scanner: () => new NameScanner(),
    serve: ({ market, channels, clock, real, faults, isRecorded, ...venue }) =>
      new OkxService({
        channels,
        faults,
        timeScale,
        subscribed: connection => venue.subscribed(connection),
        methodParts: { market, clock, faults },
        nowMs: () => real.monotonicUs() / 1000,
        accepts: channel => isRecorded || openFeed(channel, market) !== undefined,
      }),
  }
}

/** Starts a simulated OKX; see there. */
export function startSimulator(options: SimulatorOptions & OkxOptions = {}): Promise<Simulator> {
  return startAny(protocol(options), options)
}
