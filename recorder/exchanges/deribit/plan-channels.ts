import type { DeribitExchange } from '../../../config/schema.js'
import type { ChannelPlan } from '../../exchange.js'
import { configKindOf, currencyOf, indexOf, type ConfigKind, type Instrument } from './instruments.js'

type ExchangeConfig = DeribitExchange
type Family = ExchangeConfig['channels']['perpetual'][number]

/** Frames a second that a channel of a perpetual brings at 100ms, by measurements of the live exchange. */
const WEIGHT: Record<Family, number> = {
  trades: 2,
  quote: 12,
  book: 3,
  ticker: 2.5,
  incremental_ticker: 1,
  perpetual: 1.5,
  'chart.trades': 1,
}
/** How much quieter the other kinds are. */
const ACTIVITY: Record<ConfigKind, number> = { perpetual: 1, future: 0.3, option: 0.05, spot: 0.3, combo: 0.01 }
const INDEX_WEIGHT = 1

/** Kinds whose trades come on one channel for the whole currency. */
const BY_CURRENCY = ['option', 'spot', 'option_combo', 'future_combo'] as const

/** The indices that have a volatility index. */
const VOLATILITY_INDICES = ['btc_usd', 'eth_usd']

/** What to subscribe for these instruments by this config. Pure: the same instruments give the same plan. */
export function planChannels(instruments: readonly Instrument[], config: ExchangeConfig): ChannelPlan {
  const chosen = instruments.filter(instrument => isChosen(instrument, config))
  const plan = new Map<string, number>()
  const add = (channel: string, weight: number) => plan.set(channel, (plan.get(channel) ?? 0) + weight)
  for (const instrument of chosen) {
    const kind = configKindOf(instrument)
    for (const family of config.channels[kind]) {
      add(channelFor(family, instrument, config), WEIGHT[family] * ACTIVITY[kind])
    }
  }
  for (const channel of indexChannels(chosen, config)) add(channel, INDEX_WEIGHT)
  return plan
}

function isChosen(instrument: Instrument, config: ExchangeConfig): boolean {
  return (
    config.currencies.includes('any') ||
    config.currencies.includes(currencyOf(instrument)) ||
    isChosenSpot(instrument, config)
  )
}

/** A spot pair counts for either of its currencies. */
function isChosenSpot(instrument: Instrument, config: ExchangeConfig): boolean {
  return instrument.kind === 'spot' && config.currencies.includes(instrument.base_currency)
}

function channelFor(family: Family, instrument: Instrument, config: ExchangeConfig): string {
  const { instrument_name: name } = instrument
  switch (family) {
    case 'trades': {
      const whole = tradesKind(instrument, config)
      return whole === undefined
        ? `trades.${name}.${config.interval}`
        : `trades.${whole}.${currencyOf(instrument)}.${config.interval}`
    }
    case 'quote':
    case 'incremental_ticker':
      return `${family}.${name}`
    case 'chart.trades':
      return `chart.trades.${name}.1`
    case 'book':
    case 'ticker':
    case 'perpetual':
      return `${family}.${name}.${config.interval}`
  }
}

/**
 * The kind whose channel brings this instrument's trades, or undefined where its own channel must be taken: futures and
 * perpetuals share one kind at the exchange, so its channel fits only when both are wanted.
 */
function tradesKind(instrument: Instrument, config: ExchangeConfig): string | undefined {
  if (instrument.kind === 'future') {
    const both = config.channels.perpetual.includes('trades') && config.channels.future.includes('trades')
    return both ? 'future' : undefined
  }
  return BY_CURRENCY.find(kind => kind === instrument.kind)
}

function indexChannels(instruments: readonly Instrument[], config: ExchangeConfig): string[] {
  const all = new Set(instruments.filter(instrument => instrument.kind !== 'spot').map(indexOf))
  const ofOptions = new Set(instruments.filter(instrument => instrument.kind === 'option').map(indexOf))
  return config.channels.index.flatMap(family => {
    const indices = family === 'markprice.options' || family === 'estimated_expiration_price' ? ofOptions : all
    const offered = [...indices].filter(
      index => family !== 'deribit_volatility_index' || VOLATILITY_INDICES.includes(index),
    )
    return offered.map(index => `${family}.${index}`)
  })
}
