import { systemClock, type Clock } from '../platform/clock.js'
import { EdgeError } from '../platform/edge-error.js'
import { version } from '../platform/package-info.js'
import { Logins } from '../exchanges/deribit/simulator/auth.js'
import { Broker, type Channels } from './broker.js'
import { openFeed } from '../exchanges/deribit/simulator/channels.js'
import { SimulatedClock } from './clock.js'
import { Control } from './control.js'
import { Credits } from '../exchanges/deribit/simulator/credits.js'
import { Desk, MARKET_METHODS } from '../exchanges/deribit/simulator/dispatch.js'
import { Faults, type Strike } from './faults.js'
import { Market, type MarketOptions } from './market/market.js'
import type { Exchange } from '../exchanges/deribit/simulator/methods/method.js'
import { DEFAULTS, type Settings, type SimulatorOptions } from './options.js'
import { Pacemaker, TICK_MS } from './pacemaker.js'
import { RecordingPlayer, scanRecording } from './recorded-source.js'
import { rpcError } from '../exchanges/deribit/simulator/rpc-error.js'
import { errorText } from '../exchanges/deribit/simulator/rpc.js'
import { ExchangeServer, WEBSOCKET_PATH } from './server.js'
import type { Session } from './connection.js'

export type { Fault, Faults } from './faults.js'
export type { Market } from './market/market.js'
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
  /** Frames of channels made (or recorded frames sent) so far, each counted once however many subscribers it had. */
  framesMade(): number
  /** WebSocket connections of now. */
  connections(): number
  /** Resolves when all recorded frames were sent; never without `recorded`. */
  finished: Promise<void>
  /** Cuts all connections and frees the port. */
  close(): Promise<void>
}

/** Where frames of channels come from: a market that is made, or a recording. */
interface Source {
  market: Market
  clock: SimulatedClock
  channels: Channels
  framesMade(): number
  subscribed(session: Session): void
  finished: Promise<void>
  start(): void
  stop(): void
}

/**
 * Starts a simulated Deribit, on loopback unless told otherwise; resolves when it takes connections.
 * @throws EdgeError SIMULATOR_SPEED not above 0; SIMULATOR_LISTEN the port cannot be had; RECORDING_EMPTY no frame in it
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings: Settings = { ...DEFAULTS, ...options }
  if (settings.speed <= 0 && settings.recorded === undefined) {
    throw new EdgeError('SIMULATOR_SPEED', `found speed ${settings.speed}, wanted one above 0`, {
      hint: 'only recorded frames can be sent as fast as possible (speed 0); a market is made faster by rate',
    })
  }
  const real = settings.clock ?? systemClock
  const { recorded } = settings
  const source = recorded === undefined ? madeMarket(settings, real) : await recording(settings, recorded, real)
  const { market, clock, channels } = source
  const replayed = recorded !== undefined
  const faults: Faults = new Faults(fault => strike(fault, exchange, server))
  const exchange: Exchange = {
    market,
    channels,
    clock,
    faults,
    logins: new Logins(settings.credentials, replayed),
    credits: settings.credits === false ? undefined : new Credits(settings.credits, () => real.monotonicUs() / 1000),
    rawForAll: settings.rawForAll,
    accepts: channel => openFeed(channel, market) !== undefined,
    subscribed: session => source.subscribed(session),
    version,
  }
  const control = new Control(faults, market, () => ({
    now_ms: clock.nowMs(),
    market_ms: market.nowMs,
    connections: server.sessions.size,
    frames: source.framesMade(),
    instruments: market.listings.size,
  }))
  const server: ExchangeServer = new ExchangeServer(exchange, new Desk(exchange, MARKET_METHODS), settings, control)
  const address = `${settings.host}:${await server.listen()}`
  source.start()
  return {
    url: `ws://${address}${WEBSOCKET_PATH}`,
    httpUrl: `http://${address}/api/v2`,
    faults,
    market,
    framesMade: () => source.framesMade(),
    connections: () => server.sessions.size,
    finished: source.finished,
    close: () => {
      source.stop()
      return server.close()
    },
  }
}

function marketOptions(settings: Settings, startMs: number): MarketOptions {
  const stepMs = Math.max(1, Math.round(TICK_MS * settings.speed))
  return {
    seed: settings.seed,
    startMs,
    stepMs,
    eventsPerStep: settings.speed > 0 ? (settings.rate * stepMs) / settings.speed / 1000 : 0,
    options: settings.instruments,
    depth: settings.depth,
    newInstrumentEveryMs: settings.newInstrumentEveryMs,
  }
}

function madeMarket(settings: Settings, real: Clock): Source {
  const clock = new SimulatedClock(real, settings.startMs ?? real.nowMs(), settings.speed)
  const market = new Market(marketOptions(settings, clock.startMs))
  const channels = new Broker(market)
  const pacemaker = new Pacemaker(market, channels, clock)
  return {
    market,
    clock,
    channels,
    framesMade: () => channels.framesMade,
    subscribed: () => undefined,
    finished: new Promise(() => undefined),
    start: () => pacemaker.start(),
    stop: () => pacemaker.stop(),
  }
}

/** Channels carry nothing of their own: the recorded frames are all that is sent. */
const NOTHING_OF_ITS_OWN: Channels = {
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  announce: () => undefined,
}

async function recording(settings: Settings, path: string, real: Clock): Promise<Source> {
  const { instruments, indices, startMs } = await scanRecording(path)
  const clock = new SimulatedClock(real, startMs ?? real.nowMs(), settings.speed || 1)
  const market = new Market(marketOptions(settings, clock.startMs), instruments, indices)
  const player = new RecordingPlayer(path, settings.speed)
  return {
    market,
    clock,
    channels: NOTHING_OF_ITS_OWN,
    framesMade: () => player.framesSent,
    subscribed: session => player.playTo(session),
    finished: player.finished,
    start: () => undefined,
    stop: () => undefined,
  }
}

/** Carries out a fault that hits the connections of now. */
function strike(fault: Strike, { channels, clock }: Exchange, server: ExchangeServer): void {
  if (fault.type === 'maintenance') {
    server.refuseUntilMs = Date.now() + fault.forMs
    channels.announce('platform_state', { maintenance: true })
  }
  const sessions = [...server.sessions]
  const struck = fault.type === 'close' && fault.oldest === true ? sessions.slice(0, 1) : sessions
  for (const session of struck) {
    switch (fault.type) {
      case 'silence':
        session.fallSilent()
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
