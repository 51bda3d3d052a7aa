/**
 * What the exchange's names say. A channel is called as its topic is, those of spot with `spot.` before it: topics of two
 * categories bear one name, and frames do not distinguish them.
 */

import { safeCurrency, type Kind, type Partition } from '../../formats/partition.js'
import type { Subject } from '../exchange.js'
import { expiryMsIn } from '../expiry-day.js'
import { SPOT } from './families.js'

/** The exchange's word for a group of instruments, with a WebSocket of its own. */
export const CATEGORIES = ['linear', 'inverse', 'spot', 'option'] as const
export type Category = (typeof CATEGORIES)[number]

const SPOT_PREFIX = 'spot.'

/** How the channel of a topic is called. */
export const channelOf = (category: Socket, topic: string) => (category === 'spot' ? SPOT_PREFIX + topic : topic)
/** How the exchange calls it. */
export const topicOf = (channel: string) => (isSpot(channel) ? channel.slice(SPOT_PREFIX.length) : channel)
/** Tables call pairs as the exchange does, and distinguish them from perpetuals by their kind. */
export const nameInTables = topicOf
export const nameOfRow = (name: string, kind: string) => (kind === 'spot' ? SPOT_PREFIX + name : name)
export const isSpot = (channel: string) => channel.startsWith(SPOT_PREFIX)

/** Topics of an instrument: what they begin with, the family, and how many parts stand before the symbol. */
const HEADS: readonly (readonly [RegExp, family: string])[] = [
  [/^publicTrade\.(?=.)/, 'trades'],
  [/^orderbook\.1\.(?=.)/, 'quote'],
  [/^orderbook\.rpi\.(?=.)/, 'book_rpi'],
  [/^orderbook\.full\.(?=.)/, 'book_full'],
  [/^orderbook\.[0-9]{1,4}\.(?=.)/, 'book'],
  [/^tickers\.(?=.)/, 'ticker'],
  [/^kline\.[0-9DWM]{1,4}\.(?=.)/, 'candles'],
  [/^allLiquidation\.(?=.)/, 'liquidations'],
  [/^priceLimit\.(?=.)/, 'price_limit'],
]
/** Topics of the exchange as a whole. */
const WHOLE: readonly (readonly [RegExp, family: string])[] = [
  [/^insurance\.[A-Za-z]{2,12}$/, 'insurance'],
  [/^adlAlert\.[A-Za-z]{2,12}$/, 'adl_alert'],
  [/^system\.status$/, 'status'],
  [/^rfq\.open\.public\.trades$/, 'rfq_trades'],
]
/** Topics with a socket of their own, beside those of the categories. */
const SOCKETS = { 'system.status': 'misc/status', 'rfq.open.public.trades': 'rfq' } as const
/** What stands behind `/v5/public/` in the address of a WebSocket. */
export type Socket = Category | (typeof SOCKETS)[keyof typeof SOCKETS]
export const OWN_SOCKETS: readonly Socket[] = Object.values(SOCKETS)
/** Of spot there are no such topics. */
const NOT_OF_SPOT = 'liquidations'

const headOf = (topic: string) => HEADS.find(([head]) => head.test(topic))

/** Family of a channel; `other` for anything unknown. It names a folder, so it is one of a fixed set, whatever the wire says. */
export function familyOfChannel(channel: string): string {
  const topic = topicOf(channel)
  const [, family] = headOf(topic) ?? []
  if (!isSpot(channel)) return family ?? WHOLE.find(([whole]) => whole.test(topic))?.[1] ?? 'other'
  return family === undefined || family === NOT_OF_SPOT ? 'other' : family + SPOT
}

/** The symbol that a channel is about, or of option trades the coin; undefined for any other. A symbol may have dots: `XRP-26DEC25-0.4-C`. */
export function symbolOf(channel: string): string | undefined {
  const topic = topicOf(channel)
  const [head] = headOf(topic) ?? []
  return head && topic.replace(head, '')
}

const DATE = '[0-9]{1,2}[A-Z]{3}[0-9]{2}'
const OPTION = new RegExp(`^[A-Z0-9]{1,16}-${DATE}-[0-9]+(?:\\.[0-9]+)?-[CP](?:-([A-Z0-9]{3,5}))?$`)
const DATED = new RegExp(`^([A-Z0-9]{1,24})-${DATE}$`)
const INVERSE_FUTURE = /^([A-Z0-9]{1,16})USD[HMUZ][0-9]{2}$/
const INVERSE = /^([A-Z0-9]{1,16})USD$/
const LINEAR = /^[A-Z0-9]{1,24}(USDT|PERP)$/
/** What spot pairs are quoted in, the longer ones first where one ends like another. */
const QUOTES = [
  ...['USDT', 'USDC', 'USDE', 'USDQ', 'USDR', 'USD1', 'RLUSD', 'USDTB', 'XUSD'],
  ...['BTC', 'ETH', 'SOL', 'MNT', 'DAI', 'EUR', 'BRL', 'TRY', 'PLN', 'GBP', 'AED', 'KZT', 'GEL', 'BRZ'],
]
const SPOT_PAIR = new RegExp(`^[A-Z0-9]{1,24}?(${QUOTES.join('|')})$`)

const NOWHERE: Partition = { kind: 'none', currency: 'OTHER' }
const settlesIn = (kind: Kind, currency: string | undefined): Partition => ({ kind, currency: safeCurrency(currency) })

/** Where rows of a derivative belong, by what it settles in. */
function partitionOfDerivative(name: string): Partition {
  const option = OPTION.exec(name)
  if (option) return settlesIn('option', option[1] ?? 'USDC')
  const dated = DATED.exec(name)?.[1]
  if (dated !== undefined) return settlesIn('future', dated.endsWith('USDT') ? 'USDT' : 'USDC')
  const inverse = INVERSE_FUTURE.exec(name)?.[1]
  if (inverse !== undefined) return settlesIn('future', inverse)
  const coin = INVERSE.exec(name)?.[1]
  if (coin !== undefined) return settlesIn('perpetual', coin)
  const linear = LINEAR.exec(name)?.[1]
  return linear === undefined ? NOWHERE : settlesIn('perpetual', linear === 'PERP' ? 'USDC' : linear)
}

/** Where rows of a spot pair belong, by its quote. */
const partitionOfPair = (name: string): Partition =>
  /^[A-Z0-9]{2,40}$/.test(name) ? settlesIn('spot', SPOT_PAIR.exec(name)?.[1]) : NOWHERE

/** The same by the family that brought the name; without one a name that a derivative may have is one's. */
export function partitionIn(name: string, family: string): Partition {
  return family.endsWith(SPOT) ? partitionOfPair(name) : partitionOfDerivative(name)
}

export function partitionOfInstrument(name: string): Partition {
  const pair = isSpot(name) ? partitionOfPair(name.slice(SPOT_PREFIX.length)) : undefined
  if (pair) return pair
  const partition = partitionOfDerivative(name)
  return partition.kind === 'none' && SPOT_PAIR.test(name) ? partitionOfPair(name) : partition
}

/** The category that a derivative's name implies. */
export function categoryOfName(name: string): Category {
  if (OPTION.test(name)) return 'option'
  return INVERSE.test(name) || INVERSE_FUTURE.test(name) ? 'inverse' : 'linear'
}

const COIN = /^[A-Z0-9]{1,16}$/

/** Trades of options come by coin: `publicTrade.BTC`. */
const isOfOptions = (family: string, name: string) =>
  family === 'trades' && partitionOfDerivative(name).kind === 'none' && COIN.test(name)

/** What a channel promises data of; undefined for one that is about no instrument. */
export function subjectOf(channel: string): Subject | undefined {
  const name = symbolOf(channel)
  const family = familyOfChannel(channel)
  if (name === undefined || family === 'other') return undefined
  if (isOfOptions(family, name)) return { family, kinds: ['option'], name: undefined, whose: name }
  const { kind } = partitionIn(name, family)
  return kind === 'none' ? undefined : { family, kinds: [kind], name }
}

/** Whether a channel's data are of this instrument, too. A channel of options is about a coin. */
export function isAbout({ name, whose }: Subject, about: string): boolean {
  if (name !== undefined) return name === about
  return OPTION.test(about) && (whose === undefined || about.startsWith(`${whose}-`))
}

/** Kind and currency of what a channel is about; of a channel of many, those of most. */
export function partitionOfChannel(channel: string): Partition | undefined {
  const name = symbolOf(channel)
  const family = familyOfChannel(channel)
  if (name === undefined) return undefined
  if (isOfOptions(family, name)) return settlesIn('option', 'USDC')
  const partition = partitionIn(name, family)
  return partition.kind === 'none' ? undefined : partition
}

const QUARTERS: Readonly<Record<string, number>> = { H: 2, M: 5, U: 8, Z: 11 }
const EXPIRY_HOUR = 8
const HOUR_MS = 3_600_000
const FRIDAY = 5

/** When an instrument, or that of a channel, expires by its name, 08:00 UTC, ms since the epoch; `Infinity` where it does not. */
export function expiryMsOf(channel: string): number {
  const name = symbolOf(channel) ?? channel
  const dayMs = expiryMsIn(name)
  if (dayMs < Infinity) return dayMs
  const [, code = '', end = ''] = /USD([HMUZ])(\d\d)$/.exec(isSpot(channel) ? '' : name) ?? []
  const quarter = QUARTERS[code]
  return quarter === undefined ? Infinity : lastFridayOf(2000 + Number(end), quarter)
}

/** When instruments ended last, ms since the epoch: some options do on each day. */
export const lastExpiryMs = (nowMs: number) => nowMs - ((nowMs - EXPIRY_HOUR * HOUR_MS) % (24 * HOUR_MS))

function lastFridayOf(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0, EXPIRY_HOUR))
  const back = (last.getUTCDay() - FRIDAY + 7) % 7
  return last.getTime() - back * 86_400_000
}

/** The socket of a channel that belongs to no category; undefined for any other. */
export const ownSocketOf = (channel: string): Socket | undefined =>
  Object.hasOwn(SOCKETS, channel) ? SOCKETS[channel as keyof typeof SOCKETS] : undefined

/** The category whose WebSocket carries a channel, by its name. */
export function categoryOfChannel(channel: string): Category {
  if (isSpot(channel)) return 'spot'
  const name = symbolOf(channel)
  if (name === undefined) return channel.endsWith('.inverse') ? 'inverse' : 'linear'
  return isOfOptions(familyOfChannel(channel), name) ? 'option' : categoryOfName(name)
}
