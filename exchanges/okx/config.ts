import { z } from '../../platform/zod.js'
import { redundancy, snapshotHours } from '../config-keys.js'
import { familiesOfKind, indexFamilies, type ConfigKind } from './families.js'

/** Minutes between polls; an hour by default, a week at most. */
const hourly = (what: string) => z.number().min(0).max(10_080).default(60).describe(what)

const CHANNELS_MEANING: Readonly<Record<ConfigKind, string>> = {
  perpetual: 'channels of perpetual swaps',
  future: 'channels of dated futures',
  option: 'channels of options',
  spot: 'channels of spot pairs',
}

const MAIN = ['trades', 'books', 'bbo-tbt', 'tickers'] as const
const CONTRACT = [...MAIN, 'mark-price', 'open-interest', 'liquidation-orders'] as const

const listOf = (kind: ConfigKind, fallback: readonly string[]) =>
  z
    .array(z.enum(familiesOfKind(kind) as [string, ...string[]]))
    .default([...fallback])
    .describe(`${CHANNELS_MEANING[kind]}; []: none`)

const channels = z
  .strictObject({
    perpetual: listOf('perpetual', [...CONTRACT, 'funding-rate', 'estimated-price']),
    future: listOf('future', [...CONTRACT, 'estimated-price']),
    option: listOf('option', [...CONTRACT, 'opt-summary', 'option-trades', 'estimated-price']),
    spot: listOf('spot', MAIN),
    index: z
      .array(z.enum(indexFamilies as ['index-tickers', 'index-candle']))
      .default(['index-tickers'])
      .describe('channels of the indices of these instruments; []: none'),
    exchange: z
      .array(z.enum(['public-struc-block-trades']))
      .default([])
      .describe('channels that are about no instrument; []: none but status'),
  })
  .prefault({})

/** `BTC*`, `*-USDT-SWAP`: letters, digits, hyphens, points, `_` and `*`. */
const glob = z.string().regex(/^[A-Z0-9*._-]{1,64}$/, "an instrument's name, in which * stands for anything: BTC*")

const BARS = '1s 1m 3m 5m 15m 30m 1H 2H 4H 6H 12H 1D 2D 3D 5D 1W 1M 3M'.split(' ')

/** The keys below `exchange:` of OKX. */
export const okxConfig = z.strictObject({
  adapter: z.literal('okx').describe('okx; need not be said'),
  name: z.literal('okx').describe('okx: also the first partition of every path'),
  url: z
    .url({ protocol: /^wss?$/ })
    .default('wss://ws.okx.com:8443/ws/v5/public')
    .describe('WebSocket endpoint of public data; that of business data is beside it'),
  httpUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('where methods are asked; default: https://www.okx.com, or beside a WebSocket elsewhere'),
  instruments: z
    .array(glob)
    .min(1)
    .default(['BTC*', 'ETH*'])
    .describe('which instruments, by name; * stands for anything'),
  candleBars: z
    .array(z.enum([...BARS, ...BARS.slice(9).map(bar => `${bar}utc`)] as [string, ...string[]]))
    .min(1)
    .default(['1m'])
    .describe('how long the bars of candles are, where channels of candles are listed'),
  channelsPerConnection: z
    .int()
    .min(1)
    .max(900)
    .default(300)
    .describe('most channels on one connection; more open further connections, balanced by expected traffic'),
  connectionsMax: z
    .int()
    .min(2)
    .max(60)
    .default(20)
    .describe('connections at once; beyond it each takes more channels'),
  rediscoverMinutes: z
    .number()
    .min(0.1)
    .max(1440)
    .default(1)
    .describe('how often the list of instruments is fetched, minutes; also at the start of each hour'),
  snapshotHours: snapshotHours('each book'),
  redundancy,
  backfill: z
    .strictObject({
      tradesPerHole: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(50_000)
        .describe('of more missing trades than this the newest are asked for; 0: none'),
    })
    .prefault({}),
  polls: z
    .strictObject({
      callsPerSecond: z
        .number()
        .min(0.1)
        .max(8)
        .default(2)
        .describe('calls over HTTP in a second for what is polled, at most'),
      fundingHistory: z
        .strictObject({
          everyMinutes: hourly('time between polls of settled funding, minutes; 0: none'),
          backHours: z
            .number()
            .min(1)
            .max(2160)
            .default(720)
            .describe(
              'how far back the first poll reaches, and the most any later one does, hours; the exchange keeps 3 months',
            ),
        })
        .prefault({}),
      deliveries: z
        .strictObject({
          everyMinutes: hourly(
            'time between polls of the last prices that futures and options ended at, minutes; 0: none',
          ),
        })
        .prefault({}),
    })
    .prefault({}),
  channels,
})

export type OkxConfig = z.infer<typeof okxConfig>
