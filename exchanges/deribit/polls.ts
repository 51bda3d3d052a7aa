import type { Poll } from '../polls.js'
import type { DeribitConfig } from './config.js'
import type { PolledFamily } from './families.js'
import { configKindOf, currencyOf, isRouted, type Instrument } from './instruments.js'
import { isChosen } from './plan-channels.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Rows that one answer holds for certain. */
const FUNDING_ROWS = 700
const CANDLE_ROWS = 4000
const VOLATILITY_ROWS = 900
/** The currencies that have a volatility index. */
const VOLATILITY_CURRENCIES = ['BTC', 'ETH']

/** Something that only a method gives, asked for again and again. */
export interface MethodPoll extends Poll {
  family: PolledFamily
  method: string
  params: Record<string, unknown>
}

/** What is to be polled for these instruments by this config. Pure. */
export function planPolls(instruments: readonly Instrument[], config: DeribitConfig): MethodPoll[] {
  const chosen = instruments.filter(instrument => isChosen(instrument, config))
  return [
    ...fundingPolls(chosen, config),
    ...volatilityPolls(chosen, config),
    ...summaryPolls(chosen, config),
    ...candlePolls(chosen, config),
  ].filter(({ everyMs }) => everyMs > 0)
}

function fundingPolls(chosen: readonly Instrument[], { polls }: DeribitConfig): MethodPoll[] {
  const { everyMinutes, backHours } = polls.fundingHistory
  const history = { backMs: backHours * HOUR_MS, rowMs: HOUR_MS, rowsMax: FUNDING_ROWS }
  return chosen
    .filter(instrument => configKindOf(instrument) === 'perpetual')
    .map(({ instrument_name }) => ({
      id: `funding_history ${instrument_name}`,
      family: 'funding_history',
      method: 'public/get_funding_rate_history',
      params: { instrument_name },
      everyMs: everyMinutes * MINUTE_MS,
      history,
    }))
}

function candlePolls(chosen: readonly Instrument[], { polls }: DeribitConfig): MethodPoll[] {
  const { everyMinutes, backHours, kinds, resolutions } = polls.candles
  return chosen
    .filter(instrument => kinds.includes(configKindOf(instrument)) && !isRouted(instrument))
    .flatMap(({ instrument_name }) =>
      resolutions.map((resolution): MethodPoll => {
        const rowMs = resolution === '1D' ? DAY_MS : resolution * MINUTE_MS
        return {
          id: `candles ${instrument_name} ${resolution}`,
          family: 'candle_history',
          method: 'public/get_tradingview_chart_data',
          params: { instrument_name, resolution: String(resolution) },
          everyMs: everyMinutes * MINUTE_MS,
          history: { backMs: backHours * HOUR_MS, rowMs, rowsMax: CANDLE_ROWS },
        }
      }),
    )
}

function volatilityPolls(chosen: readonly Instrument[], { polls }: DeribitConfig): MethodPoll[] {
  const { everyMinutes, backHours, resolution } = polls.volatilityIndex
  const rowMs = resolution === '1D' ? DAY_MS : resolution * 1000
  const currencies = currenciesOf(chosen).filter(currency => VOLATILITY_CURRENCIES.includes(currency))
  return currencies.map(currency => ({
    id: `volatility_index_history ${currency} ${resolution}`,
    family: 'volatility_index_history',
    method: 'public/get_volatility_index_data',
    params: { currency, resolution: String(resolution) },
    everyMs: everyMinutes * MINUTE_MS,
    history: { backMs: backHours * HOUR_MS, rowMs, rowsMax: VOLATILITY_ROWS },
  }))
}

function summaryPolls(chosen: readonly Instrument[], { polls }: DeribitConfig): MethodPoll[] {
  const { everyMinutes, kinds } = polls.bookSummary
  return kinds.flatMap(kind =>
    currenciesOf(chosen.filter(instrument => instrument.kind === kind)).map((currency): MethodPoll => ({
      id: `book_summary ${currency} ${kind}`,
      family: 'book_summary',
      method: 'public/get_book_summary_by_currency',
      params: { currency, kind },
      everyMs: everyMinutes * MINUTE_MS,
    })),
  )
}

const currenciesOf = (instruments: readonly Instrument[]) => [...new Set(instruments.map(currencyOf))].sort()
