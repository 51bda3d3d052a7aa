import type { DeribitConfig } from './config.js'
import type { ChannelPlan, NotOffered } from '../adapter.js'
import { familyNamed, optionIndexFamilies, type InstrumentFamily } from './families.js'
import { configKindOf, currencyOf, indexOf, isRouted, type ConfigKind, type Instrument } from './instruments.js'
import { familyOfChannel } from './names.js'

type ExchangeConfig = DeribitConfig
type Interval = ExchangeConfig['interval']

/** Raw brings each change by itself, agg2 one frame a second. */
const INTERVAL_FACTOR: Record<Interval, number> = { raw: 4, '100ms': 1, agg2: 0.35 }
/** How much quieter the other kinds are. */
const ACTIVITY: Record<ConfigKind, number> = { perpetual: 1, future: 0.3, option: 0.05, spot: 0.3, combo: 0.01 }

/**
 * Kinds whose trades come on one channel for the whole currency. Spot is not among them: the exchange refuses its channel
 * for a currency as soon as one pair of it is routed elsewhere.
 */
const BY_CURRENCY = ['option', 'option_combo', 'future_combo'] as const
/** What the exchange does not offer of pairs that are routed elsewhere. */
const NOT_OF_ROUTED: readonly InstrumentFamily[] = ['trades', 'chart.trades']

/** The indices that have a volatility index. */
const VOLATILITY_INDICES = ['btc_usd', 'eth_usd']

/** What to subscribe for these instruments by this config. Pure: the same instruments give the same plan. */
export function planChannels(instruments: readonly Instrument[], config: ExchangeConfig): ChannelPlan {
  const chosen = instruments.filter(instrument => isChosen(instrument, config))
  const plan = new Map<string, number>()
  const add = (channel: string, weight: number) => plan.set(channel, (plan.get(channel) ?? 0) + weight)
  for (const instrument of chosen) {
    const activity = ACTIVITY[configKindOf(instrument)]
    for (const family of familiesOf(instrument, config)) {
      if (!isOffered(family, instrument)) continue
      const weight = weightOf(family) * activity * INTERVAL_FACTOR[intervalOf(family, config) ?? '100ms']
      for (const channel of channelsFor(family, instrument, config)) add(channel, weight)
    }
  }
  const others = [...indexChannels(chosen, config), ...(chosen.length > 0 ? exchangeChannels(config) : [])]
  for (const channel of others) add(channel, weightOf(familyOfChannel(channel)))
  return plan
}

const isOffered = (family: InstrumentFamily, instrument: Instrument) =>
  !isRouted(instrument) || !NOT_OF_ROUTED.includes(family)

/** The channels that the config asks for and that the exchange offers nobody. */
export function notOfferedOf(instruments: readonly Instrument[], config: ExchangeConfig): NotOffered {
  const channels = instruments
    .filter(instrument => isChosen(instrument, config))
    .flatMap(instrument =>
      familiesOf(instrument, config)
        .filter(family => !isOffered(family, instrument))
        .flatMap(family => channelsFor(family, instrument, config)),
    )
  return {
    channels,
    reason: 'the pair is routed to another exchange: this one publishes neither its trades nor its candles',
  }
}

const weightOf = (family: string) => familyNamed(family)?.framesPerSecond ?? 0

/** Whether the config asks for this instrument's currency. */
export function isChosen(instrument: Instrument, config: ExchangeConfig): boolean {
  return (
    config.currencies.includes('any') ||
    config.currencies.includes(currencyOf(instrument)) ||
    isChosenSpot(instrument, config)
  )
}

function familiesOf(instrument: Instrument, { channels }: ExchangeConfig): readonly InstrumentFamily[] {
  if (instrument.kind === 'option_combo') return channels.optionCombo ?? channels.combo
  if (instrument.kind === 'future_combo') return channels.futureCombo ?? channels.combo
  return channels[configKindOf(instrument)]
}

/** The interval a family comes in; undefined for those that have none. */
function intervalOf(family: InstrumentFamily, { interval, intervals }: ExchangeConfig): Interval | undefined {
  switch (family) {
    case 'trades':
    case 'book':
    case 'ticker':
    case 'perpetual':
      return intervals[family] === 'same' ? interval : intervals[family]
    case 'book_grouped':
      if (intervals.bookGrouped !== 'same') return intervals.bookGrouped
      return interval === 'raw' ? '100ms' : interval
    case 'quote':
    case 'incremental_ticker':
    case 'chart.trades':
      return undefined
  }
}

/** A spot pair counts for either of its currencies. */
function isChosenSpot(instrument: Instrument, config: ExchangeConfig): boolean {
  return instrument.kind === 'spot' && config.currencies.includes(instrument.base_currency)
}

function channelsFor(family: InstrumentFamily, instrument: Instrument, config: ExchangeConfig): string[] {
  const { instrument_name: name } = instrument
  const interval = intervalOf(family, config)
  switch (family) {
    case 'trades': {
      const whole = tradesKind(instrument, config)
      return [`trades.${whole === undefined ? name : `${whole}.${currencyOf(instrument)}`}.${interval}`]
    }
    case 'quote':
    case 'incremental_ticker':
      return [`${family}.${name}`]
    case 'chart.trades':
      return config.candleResolutions.map(resolution => `chart.trades.${name}.${resolution}`)
    case 'book_grouped':
      return [`book.${name}.${config.bookGrouped.group}.${config.bookGrouped.depth}.${interval}`]
    case 'book':
    case 'ticker':
    case 'perpetual':
      return [`${family}.${name}.${interval}`]
  }
}

/**
 * The kind whose channel brings this instrument's trades, or undefined where its own channel must be taken: futures and
 * perpetuals share one kind at the exchange, so its channel fits only when both are wanted.
 */
function tradesKind(instrument: Instrument, config: ExchangeConfig): string | undefined {
  if (config.tradesBy === 'instrument') return undefined
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
    const indices = optionIndexFamilies.some(each => each === family) ? ofOptions : all
    const offered = [...indices].filter(
      index => family !== 'deribit_volatility_index' || VOLATILITY_INDICES.includes(index),
    )
    return offered.map(index => `${family}.${index}`)
  })
}

/** New and changed instruments come for all currencies at once: there are few, and a spot pair has two. */
function exchangeChannels(config: ExchangeConfig): string[] {
  return config.channels.exchange.flatMap(family => {
    switch (family) {
      case 'instrument.state':
      case 'instrument.creation':
        return [`${family}.any.any`]
      case 'block_rfq.trades':
        return config.currencies.includes('any')
          ? [`${family}.any`]
          : config.currencies.map(each => `${family}.${each}`)
      case 'platform_state':
      case 'platform_state.public_methods_state':
      case 'announcements':
        return [family]
    }
  })
}
