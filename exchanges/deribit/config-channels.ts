import { z } from '../../platform/zod.js'
import { exchangeFamilies, indexFamilies, instrumentFamilies, perpetualFamilies } from './families.js'

/** Of the families about the exchange as a whole, one has two channels that are chosen apart. */
const exchangeChannels = exchangeFamilies.flatMap(family =>
  family === 'platform_state' ? ([family, 'platform_state.public_methods_state'] as const) : [family],
)

const familyList = z.array(z.enum(instrumentFamilies))

/** Families of channels, for each kind of instrument, for the indices, and of the exchange as a whole. */
export const channels = z
  .strictObject({
    perpetual: z
      .array(z.enum(perpetualFamilies))
      .default(['trades', 'quote', 'book', 'ticker', 'perpetual', 'chart.trades'])
      .describe('families recorded of perpetuals'),
    future: familyList
      .default(['trades', 'quote', 'book', 'ticker', 'chart.trades'])
      .describe('families recorded of dated futures'),
    option: familyList
      .default(['trades', 'quote', 'book', 'ticker', 'chart.trades'])
      .describe('families recorded of options'),
    spot: familyList
      .default(['trades', 'quote', 'book', 'ticker', 'chart.trades'])
      .describe('families recorded of spot pairs'),
    combo: familyList.default(['trades']).describe('families recorded of option and future combos'),
    optionCombo: familyList.optional().describe('families recorded of option combos, where they are to differ'),
    futureCombo: familyList.optional().describe('families recorded of future combos, where they are to differ'),
    index: z
      .array(z.enum(indexFamilies))
      .default(['deribit_price_index', 'deribit_volatility_index', 'markprice.options', 'estimated_expiration_price'])
      .describe("families recorded of the instruments' price indices"),
    exchange: z
      .array(z.enum(exchangeChannels))
      .default([...exchangeChannels])
      .describe('families about the exchange as a whole; the first two bring new instruments within seconds'),
  })
  .prefault({})

const interval = z.enum(['100ms', 'agg2', 'raw'])
const intervalOr = z.enum(['same', '100ms', 'agg2', 'raw']).default('same')

export const mainInterval = interval
  .default('100ms')
  .describe('how the exchange batches books, tickers and trades; raw needs DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET')

/** Families that are to come in another interval than the rest. */
export const intervals = z
  .strictObject({
    trades: intervalOr.describe('interval of trades; same: as exchange.interval'),
    book: intervalOr.describe('interval of books; same: as exchange.interval'),
    bookGrouped: z
      .enum(['same', '100ms', 'agg2'])
      .default('same')
      .describe('interval of grouped books, which have no raw; same: as exchange.interval, 100ms for raw'),
    ticker: intervalOr.describe('interval of tickers; same: as exchange.interval'),
    perpetual: intervalOr.describe('interval of funding; same: as exchange.interval'),
  })
  .prefault({})

/** What `book.{instrument}.{group}.{depth}.{interval}` takes; groups of ETH are in cents. */
export const bookGrouped = z
  .strictObject({
    group: z
      .literal(['none', 1, 2, 5, 10, 25, 100, 250])
      .default('none')
      .describe('width of the levels of grouped books: none, for BTC also 1 2 5 10, for ETH 5 10 25 100 250'),
    depth: z.literal([1, 10, 20]).default(20).describe('levels on each side of grouped books'),
  })
  .prefault({})

/** Bar lengths of the exchange: minutes, and a day. */
const resolution = z.literal([1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720, '1D'])

export const candleResolutions = z
  .array(resolution)
  .min(1)
  .default([1])
  .describe('bar lengths of chart.trades, minutes or 1D')

/** How missing trades are found and asked for. */
export const backfill = z
  .strictObject({
    compareSeconds: z
      .number()
      .min(1)
      .max(3600)
      .default(60)
      .describe("how often recorded trades are compared with the exchange's list, seconds"),
    tradesPerHole: z
      .int()
      .min(0)
      .max(10_000_000)
      .default(100_000)
      .describe('most missing trades fetched per gap, the newest first; 0: none'),
    offHours: z
      .number()
      .min(0)
      .max(8760)
      .default(72)
      .describe('after a pause of the recorder, how far back missed trades are fetched, hours'),
  })
  .prefault({})

const GROUPS_OF: Readonly<Record<string, readonly (string | number)[]>> = {
  BTC: ['none', 1, 2, 5, 10],
  ETH: ['none', 5, 10, 25, 100, 250],
}

interface Grouping {
  currencies: readonly string[]
  bookGrouped: { group: string | number }
  channels: z.infer<typeof channels>
}

/** The currency whose books do not come in the configured group, and the groups in which they do. */
export function unofferedGroup(config: Grouping): { currency: string; groups: string } | undefined {
  const { perpetual, future, option } = config.channels
  if (![perpetual, future, option].some(list => list.includes('book_grouped'))) return undefined
  const currency = config.currencies.find(each => GROUPS_OF[each]?.includes(config.bookGrouped.group) === false)
  return currency === undefined ? undefined : { currency, groups: GROUPS_OF[currency]?.join(', ') ?? '' }
}

const everyMinutes = z.number().min(0).max(10_080)
const backHours = z.number().min(1).max(87_600)

/** Data that only methods give; everyMinutes 0 asks for none of a sort. */
export const polls = z
  .strictObject({
    callsPerSecond: z
      .number()
      .min(0.1)
      .max(15)
      .default(2)
      .describe('most HTTP calls per second; the exchange allows about 20'),
    fundingHistory: z
      .strictObject({
        everyMinutes: everyMinutes.default(60).describe('time between polls of hourly funding, minutes; 0: none'),
        backHours: backHours
          .default(720)
          .describe('how far back the first poll reaches, and the most any later one does, hours'),
      })
      .prefault({}),
    candles: z
      .strictObject({
        everyMinutes: everyMinutes.default(360).describe('time between polls of past OHLCV, minutes; 0: none'),
        backHours: backHours
          .default(24)
          .describe('how far back the first poll reaches, and the most any later one does, hours'),
        kinds: z
          .array(z.enum(['perpetual', 'future', 'option', 'spot', 'combo']))
          .default(['perpetual', 'future', 'spot'])
          .describe('kinds of instruments whose OHLCV is polled'),
        resolutions: z.array(resolution).min(1).default([1]).describe('their bar lengths, minutes or 1D'),
      })
      .prefault({}),
    volatilityIndex: z
      .strictObject({
        everyMinutes: everyMinutes
          .default(60)
          .describe('time between polls of the past volatility index, minutes; 0: none'),
        backHours: backHours
          .default(24)
          .describe('how far back the first poll reaches, and the most any later one does, hours'),
        resolution: z.literal([1, 60, 3600, 43_200, '1D']).default(60).describe('its bar length, seconds or 1D'),
      })
      .prefault({}),
    bookSummary: z
      .strictObject({
        everyMinutes: everyMinutes.default(60).describe('time between polls of book summaries, minutes; 0: none'),
        kinds: z
          .array(z.enum(['future', 'option', 'spot', 'future_combo', 'option_combo']))
          .default(['future', 'option', 'spot'])
          .describe("kinds, by the exchange's names, whose book summaries are polled"),
      })
      .prefault({}),
  })
  .prefault({})
