import { systemClock } from '../platform/clock.js'
import { version } from '../platform/package-info.js'
import { Logins } from './auth.js'
import { Broker } from './broker.js'
import { openFeed } from './channels.js'
import { SimulatedClock } from './clock.js'
import { Control } from './control.js'
import { Credits } from './credits.js'
import { Faults, type Fault } from './faults.js'
import { Market } from './market/market.js'
import type { Exchange } from './methods/method.js'
import { DEFAULTS, type SimulatorOptions } from './options.js'
import { Pacemaker, TICK_MS } from './pacemaker.js'
import { rpcError } from './rpc-error.js'
import { errorText } from './rpc.js'
import { ExchangeServer, WEBSOCKET_PATH } from './server.js'

export type { Fault, Faults } from './faults.js'
export type { SimulatorOptions } from './options.js'

/** A running simulated exchange. */
export interface Simulator {
  /** Of the WebSocket, e.g. `ws://127.0.0.1:8090/ws/api/v2`. */
  url: string
  /** Of the HTTP methods, e.g. `http://127.0.0.1:8090/api/v2`; control calls are under `/control` of the same port. */
  httpUrl: string
  faults: Faults
  /** What is true at the exchange right now, to compare with what a client recorded. */
  market: Market
  /** Frames of channels made so far, each counted once however many subscribers it had. */
  framesMade(): number
  /** WebSocket connections of now. */
  connections(): number
  /** Resolves when all recorded frames were sent; never without `recorded`. */
  finished: Promise<void>
  /** Cuts all connections and frees the port. */
  close(): Promise<void>
}

/** Starts a simulated Deribit on loopback; resolves when it takes connections. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = { ...DEFAULTS, ...options }
  const real = settings.clock ?? systemClock
  const clock = new SimulatedClock(real, settings.startMs ?? real.nowMs(), settings.speed)
  const stepMs = Math.max(1, Math.round(TICK_MS * settings.speed))
  const market = new Market({
    seed: settings.seed,
    startMs: clock.startMs,
    stepMs,
    eventsPerStep: (settings.rate * stepMs) / settings.speed / 1000,
    options: settings.instruments,
    depth: settings.depth,
    newInstrumentEveryMs: settings.newInstrumentEveryMs,
  })
  const broker = new Broker(market)
  const pacemaker = new Pacemaker(market, broker, clock)
  const faults: Faults = new Faults(fault => strike(fault, exchange, server))
  const exchange: Exchange = {
    market,
    channels: broker,
    clock,
    faults,
    logins: new Logins(settings.credentials, false),
    credits: settings.credits === false ? undefined : new Credits(settings.credits, () => real.monotonicUs() / 1000),
    rawForAll: settings.rawForAll,
    accepts: channel => openFeed(channel, market) !== undefined,
    subscribed: () => undefined,
    version,
  }
  const control: Control = new Control(faults, market, () => ({
    now_ms: clock.nowMs(),
    connections: server.sessions.size,
    frames: broker.framesMade,
    instruments: market.listings.size,
  }))
  const server: ExchangeServer = new ExchangeServer(exchange, settings, control)
  const address = `${settings.host}:${await server.listen()}`
  pacemaker.start()
  return {
    url: `ws://${address}${WEBSOCKET_PATH}`,
    httpUrl: `http://${address}/api/v2`,
    faults,
    market,
    framesMade: () => broker.framesMade,
    connections: () => server.sessions.size,
    finished: new Promise(() => undefined),
    close: () => {
      pacemaker.stop()
      return server.close()
    },
  }
}

/** Faults that hit all connections of now. */
function strike(
  fault: Extract<Fault, { type: 'silence' | 'close' | 'maintenance' }>,
  { channels, clock }: Exchange,
  server: ExchangeServer,
): void {
  if (fault.type === 'maintenance') {
    server.refuseUntilMs = Date.now() + fault.forMs
    channels.announce('platform_state', { maintenance: true })
  }
  for (const session of [...server.sessions]) {
    switch (fault.type) {
      case 'silence':
        session.silent = true
        break
      case 'close':
        if (fault.code === undefined) session.cut()
        else session.end(fault.code, fault.reason ?? '')
        break
      case 'maintenance': {
        const now = clock.nowUs()
        session.send(errorText(undefined, rpcError(11051), { usIn: now, usOut: now }))
        session.end(1001, 'system_maintenance')
      }
    }
  }
}
