import { z } from '../../platform/zod.js'
import { redundancy, snapshotHours } from '../config-keys.js'

/** What a kind of instrument may be recorded of, in the order in which people see it. */
const SPOT_FAMILIES = ['trades', 'book', 'quote', 'ticker', 'candles', 'book_full', 'book_rpi', 'price_limit'] as const
const DERIVATIVE_FAMILIES = [...SPOT_FAMILIES, 'liquidations'] as const
const OPTION_FAMILIES = ['trades', 'book', 'ticker'] as const
const EXCHANGE_FAMILIES = ['insurance', 'adl_alert', 'status', 'rfq_trades'] as const

export const KINDS = ['perpetual', 'future', 'option', 'spot'] as const
export type ConfigKind = (typeof KINDS)[number]
export type ChannelFamily = (typeof DERIVATIVE_FAMILIES)[number]

const channels = z
  .strictObject({
    perpetual: z
      .array(z.enum(DERIVATIVE_FAMILIES))
      .default(['trades', 'book', 'quote', 'ticker', 'candles', 'liquidations'])
      .describe(
        'what is taken of each perpetual, linear and inverse; also book_rpi, price_limit, and book_full once there is one',
      ),
    future: z
      .array(z.enum(DERIVATIVE_FAMILIES))
      .default(['trades', 'book', 'quote', 'ticker', 'candles', 'liquidations'])
      .describe('what is taken of each dated future'),
    option: z
      .array(z.enum(OPTION_FAMILIES))
      .default(['trades', 'book', 'ticker'])
      .describe('what is taken of each option; there are no others'),
    spot: z
      .array(z.enum(SPOT_FAMILIES))
      .default(['trades', 'book', 'quote', 'ticker', 'candles'])
      .describe('what is taken of each spot pair; also book_full (all levels), book_rpi, price_limit'),
    exchange: z
      .array(z.enum(EXCHANGE_FAMILIES))
      .default([])
      .describe(
        'what is not about one instrument: insurance, adl_alert, status, rfq_trades; the last two on sockets of their own',
      ),
  })
  .prefault({})

const backfill = z
  .strictObject({
    offHours: z
      .number()
      .min(0)
      .max(8760)
      .default(72)
      .describe('after a longer pause of the recorder it is not looked for what traded meanwhile, hours; 0: never'),
    compareMinutes: z
      .number()
      .min(0)
      .max(1440)
      .default(1)
      .describe("time between two looks at the exchange's own list of an instrument's last trades, minutes; 0: never"),
  })
  .prefault({})

const everyMinutes = z.number().min(0).max(10_080)
const backHours = z.number().min(1).max(87_600)

const polls = z
  .strictObject({
    callsPerSecond: z
      .number()
      .min(0.1)
      .max(50)
      .default(5)
      .describe('calls over HTTP in a second, at most; the exchange allows 120 for an address'),
    fundingHistory: z
      .strictObject({
        everyMinutes: everyMinutes.default(60).describe('time between polls of settled funding, minutes; 0: none'),
        backHours: backHours
          .default(720)
          .describe('how far back the first poll reaches, and the most any later one does, hours'),
      })
      .prefault({}),
    openInterest: z
      .strictObject({
        everyMinutes: everyMinutes.default(60).describe('time between polls of open interest, minutes; 0: none'),
        backHours: backHours
          .default(24)
          .describe('how far back the first poll reaches, and the most any later one does, hours'),
        interval: z
          .enum(['5min', '15min', '30min', '1h', '4h', '1d'])
          .default('5min')
          .describe('time between two of its values'),
      })
      .prefault({}),
    priceCandles: z
      .strictObject({
        everyMinutes: everyMinutes
          .default(0)
          .describe('time between polls of minute bars of mark price, index and premium, minutes; 0: none'),
        backHours: backHours
          .default(24)
          .describe('how far back the first poll reaches, and the most any later one does, hours'),
      })
      .prefault({}),
    longShortRatio: z
      .strictObject({
        everyMinutes: everyMinutes
          .default(60)
          .describe('time between polls of how many accounts are long, each 5 minutes, minutes; 0: none'),
        backHours: backHours
          .default(24)
          .describe('how far back the first poll reaches, and the most any later one does, hours'),
      })
      .prefault({}),
    deliveries: z
      .strictObject({
        everyMinutes: everyMinutes
          .default(60)
          .describe('time between polls of the last prices that contracts were settled at, minutes; 0: none'),
      })
      .prefault({}),
    insurance: z
      .strictObject({
        everyMinutes: everyMinutes.default(60).describe('time between polls of the insurance pools, minutes; 0: none'),
      })
      .prefault({}),
    status: z
      .strictObject({
        everyMinutes: everyMinutes
          .default(5)
          .describe('time between polls of what maintenance is announced, minutes; 0: none'),
      })
      .prefault({}),
  })
  .prefault({})

/** Symbols come from the wire into channel names alone; a pattern is of what symbols are made of. */
const pattern = z.string().regex(/^[A-Z0-9*.-]{1,40}$/, 'a symbol, with * for any text, such as BTC*')

/** The keys below `exchange:`. `adapter` need not be said. */
export const bybitConfig = z.strictObject({
  adapter: z.literal('bybit').default('bybit').describe('bybit, or generic for any other WebSocket feed'),
  name: z
    .string()
    .refine(name => name === 'bybit', 'bybit, or any name together with adapter: generic')
    .describe('which exchange; also the first partition of every path'),
  url: z
    .url({ protocol: /^wss?$/ })
    .default('wss://stream.bybit.com/v5/public')
    .describe('public WebSockets, without the category behind it'),
  httpUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('where methods are; none: by url, api.bybit.com for stream.bybit.com'),
  instruments: z
    .array(pattern)
    .min(1)
    .default(['BTC*', 'ETH*'])
    .describe('symbols, with * for any text, in every category'),
  optionCoins: z
    .array(z.string().regex(/^[A-Z0-9]{1,16}$/, 'a coin such as BTC'))
    .default(['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'MNT'])
    .describe('coins whose options are asked for, one call each; of them those that instruments names'),
  depth: z
    .literal([50, 200, 1000])
    .default(1000)
    .describe('levels on each side of books; 1000 come every 200 ms, 200 every 100 ms, 50 every 20 ms'),
  optionDepth: z.literal([25, 100]).default(100).describe('the same of options; 100 come every 100 ms, 25 every 20 ms'),
  candleResolutions: z
    .array(z.literal([1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 'D', 'W', 'M']))
    .min(1)
    .default([1])
    .describe('bar lengths of candles, minutes, or D, W, M'),
  channelsPerConnection: z
    .int()
    .min(1)
    .max(600)
    .default(400)
    .describe(
      'channels on one connection; more are spread over further ones. The exchange takes 21,000 letters of names',
    ),
  connectionsMax: z
    .int()
    .min(2)
    .max(100)
    .default(20)
    .describe('connections at once to each category; beyond it each takes more channels'),
  rediscoverMinutes: z
    .number()
    .min(0.05)
    .max(1440)
    .default(0.75)
    .describe('minutes between two looks at the lists of instruments: nothing else announces new ones'),
  snapshotHours: snapshotHours('each book and ticker'),
  redundancy,
  backfill,
  channels,
  polls,
})

export type BybitConfig = z.infer<typeof bybitConfig>
