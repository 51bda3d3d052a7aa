import { systemClock, type Clock } from '../platform/clock.js'
import { EdgeError } from '../platform/edge-error.js'
import { Broker, type Channels } from './broker.js'
import { SimulatedClock } from './clock.js'
import type { Connection } from './connection.js'
import { Control } from './control.js'
import { Faults, type Strike } from './faults.js'
import { Market, type MarketOptions } from './market/market.js'
import { DEFAULTS, type Settings, type SimulatorOptions } from './options.js'
import { Pacemaker, TICK_MS } from './pacemaker.js'
import type { Protocol, Service } from './protocol.js'
import { RecordingPlayer, scanRecording } from './recorded-source.js'
import { TruthFile } from './truth.js'
import { ExchangeServer } from './server.js'

export type { Fault, Faults } from './faults.js'
export type { Market } from './market/market.js'
export type { SimulatorOptions } from './options.js'

/** A running simulated exchange. */
export interface Simulator {
  /** Of the WebSocket that brings market data, e.g. `ws://127.0.0.1:8090/ws/api/v2`. */
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
  subscribed(connection: Connection): void
  finished: Promise<void>
  start(): void
  stop(): void
}

/**
 * Starts a simulated exchange that speaks `protocol`, on loopback unless told otherwise; resolves when it takes connections.
 * @throws EdgeError SIMULATOR_SPEED not above 0; SIMULATOR_LISTEN the port cannot be had; RECORDING_EMPTY no frame in it
 */
export async function startSimulator(protocol: Protocol, options: SimulatorOptions = {}): Promise<Simulator> {
  const settings: Settings = { ...DEFAULTS, ...options }
  if (settings.speed <= 0 && settings.recorded === undefined) {
    throw new EdgeError('SIMULATOR_SPEED', `found speed ${settings.speed}, wanted one above 0`, {
      hint: 'only recorded frames can be sent as fast as possible (speed 0); a market is made faster by rate',
    })
  }
  const real = settings.clock ?? systemClock
  const { recorded, truthFile } = settings
  const truth = truthFile === undefined ? undefined : new TruthFile(truthFile)
  const source =
    recorded === undefined
      ? madeMarket(protocol, settings, real, truth)
      : await recording(protocol, settings, recorded, real)
  const { market, clock, channels } = source
  const faults: Faults = new Faults(
    fault => strike(fault, service, server, market),
    (channel, data) => protocol.wrap(channel, data),
    what => truth?.did(what),
  )
  const service = protocol.serve({
    market,
    channels,
    clock,
    real,
    faults,
    isRecorded: recorded !== undefined,
    subscribed: connection => source.subscribed(connection),
  })
  const control = new Control(
    faults,
    market,
    what => truth?.did(what),
    () => ({
      now_ms: clock.nowMs(),
      market_ms: market.nowMs,
      connections: server.connections.size,
      frames: source.framesMade(),
      instruments: market.listings.size,
    }),
  )
  const server: ExchangeServer = new ExchangeServer(service, faults, settings, control)
  const address = `${settings.host}:${await server.listen()}`
  source.start()
  return {
    url: `ws://${address}${service.webSocketPaths[0] ?? ''}`,
    httpUrl: `http://${address}${service.httpPath}`,
    faults,
    market,
    framesMade: () => source.framesMade(),
    connections: () => server.connections.size,
    finished: source.finished,
    close: async () => {
      source.stop()
      await server.close()
      await truth?.close()
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
    isStill: settings.isStill,
  }
}

function madeMarket(protocol: Protocol, settings: Settings, real: Clock, truth: TruthFile | undefined): Source {
  const clock = new SimulatedClock(real, settings.startMs ?? real.nowMs(), settings.speed)
  const market = new Market(protocol.plan, marketOptions(settings, clock.startMs))
  const channels = new Broker(market, protocol, truth)
  const pacemaker = new Pacemaker(market, ms => channels.turn(ms), clock)
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

async function recording(protocol: Protocol, settings: Settings, path: string, real: Clock): Promise<Source> {
  const scanner = protocol.scanner()
  const { startMs } = await scanRecording(path, frame => scanner.look(frame))
  const clock = new SimulatedClock(real, startMs ?? real.nowMs(), settings.speed || 1)
  const listings = scanner.listings(Math.floor((startMs ?? 0) / 1000) * 1000)
  const market = new Market(protocol.plan, marketOptions(settings, clock.startMs), listings)
  const player = new RecordingPlayer(path, settings.speed)
  return {
    market,
    clock,
    channels: NOTHING_OF_ITS_OWN,
    framesMade: () => player.framesSent,
    subscribed: connection => player.playTo(connection),
    finished: player.finished,
    start: () => undefined,
    stop: () => undefined,
  }
}

/** Carries out a fault that hits the connections of now, or the market. */
function strike(fault: Strike, service: Service, server: ExchangeServer, market: Market): void {
  const connections = [...server.connections]
  switch (fault.type) {
    case 'renumber':
      market.renumber(fault.instrument)
      break
    case 'silence':
      for (const connection of fault.oldest === true ? connections.slice(0, 1) : connections) connection.fallSilent()
      break
    case 'mute':
      connections[0]?.mute(fault.channel)
      break
    case 'close':
      for (const connection of fault.oldest === true ? connections.slice(0, 1) : connections) {
        if (fault.code === undefined) connection.cut()
        else connection.end(fault.code, fault.reason ?? '')
      }
      break
    case 'upgrade':
      service.warn?.(connections)
      setTimeout(() => {
        for (const connection of connections) connection.end(1001, 'service upgrade')
      }, fault.afterMs).unref()
      break
    case 'maintenance':
      server.refuseUntilMs = Date.now() + fault.forMs
      service.maintain(connections)
  }
}
