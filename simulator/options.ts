import type { Clock } from '../platform/clock.js'

/** How to run a simulated exchange. Everything has a default. */
export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  host?: string
  /** Default 0: any free port. */
  port?: number
  /** Decides the market, together with start time, rate and counts. Default 1. */
  seed?: number
  /** Market events (book changes and taker orders) per real second. Default 500. */
  rate?: number
  /** How many options to list. Default 400. */
  instruments?: number
  /** Levels per side of perpetual and spot books. Default 60. */
  depth?: number
  /** Simulated time per real time. With `recorded`, 0 means as fast as possible. Default 1. */
  speed?: number
  /** When the simulated clock starts, ms since the epoch. Default: now. */
  startMs?: number
  /** A new strike is listed about this often in simulated time, 0 for never. Default 5 minutes. */
  newInstrumentEveryMs?: number
  /** Indices and volatility stay as they are at the start, while books and trades go on. Default false. */
  isStill?: boolean
  /** Default 32; 0 for no limit. */
  maxConnectionsPerIp?: number
  /** Unsent bytes at which a slow reader is cut. Default 64 MiB. */
  maxBufferedBytes?: number
  /** permessage-deflate where the client offers it. Default true. */
  deflate?: boolean
  /** Serve recorded frames from this file in place of a market. */
  recorded?: string
  /** What it does is written there, and every frame that it makes of a channel once somebody asked for it. */
  truthFile?: string
  clock?: Clock
}

type Optional = 'startMs' | 'recorded' | 'truthFile' | 'clock'

/** Options with all defaults filled in. */
export type Settings = Required<Omit<SimulatorOptions, Optional>> & Pick<SimulatorOptions, Optional>

export const DEFAULTS: Settings = {
  host: '127.0.0.1',
  port: 0,
  seed: 1,
  rate: 500,
  instruments: 400,
  depth: 60,
  speed: 1,
  newInstrumentEveryMs: 300_000,
  isStill: false,
  maxConnectionsPerIp: 32,
  maxBufferedBytes: 64 * 1024 * 1024,
  deflate: true,
}
