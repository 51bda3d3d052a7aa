/** What the exchange's names say: the family of a channel, kind and currency of an instrument or index, when it expires. */

import { safeCurrency, type Kind, type Partition } from '../../formats/partition.js'
import type { Subject } from '../exchange.js'
import { expiryMsIn } from '../expiry-day.js'
import type { NamedChannel } from '../known-channels.js'
import { families, familyNamed } from './families.js'

/** Interval names; `book.{i}.{interval}` is the full book, `book.{i}.{group}.{depth}.{interval}` the grouped one. */
const FULL_BOOK = /^book\.[^.]+\.[^.]+$/
const GROUPED_BOOK = /^book\.[^.]+\.[^.]+\.[^.]+\.[^.]+$/

/** Families that are the beginning of their channels' names: all that something offers, but for both sorts of book. */
const BEGINNINGS = families.flatMap(row =>
  'offeredBy' in row && row.name !== 'book' && row.name !== 'book_grouped' ? [row.name] : [],
)

/**
 * Family of a channel's name, e.g. `trades` for `trades.option.BTC.100ms`; `other` for anything unknown. It names a
 * folder, so it is one of a fixed set, whatever the wire says.
 */
export function familyOfChannel(channel: string): string {
  if (FULL_BOOK.test(channel)) return 'book'
  if (GROUPED_BOOK.test(channel)) return 'book_grouped'
  return BEGINNINGS.find(family => channel === family || channel.startsWith(`${family}.`)) ?? 'other'
}

/** Families whose frames say that instruments come or go. */
const NEWS_FAMILIES: readonly string[] = ['instrument.creation', 'instrument.state']

/** What is to be known of a channel whose frames come. */
export function describeChannel(channel: string): NamedChannel {
  const family = familyOfChannel(channel)
  return { channel, family, isNews: NEWS_FAMILIES.includes(family) }
}

const BASE = '[A-Z0-9]+(?:_[A-Z0-9]+)?'
const DATE = '[0-9]{1,2}[A-Z]{3}[0-9]{2}'
const INDEX = /^[a-z0-9-]+_[a-z0-9]+$/

/** In this order: the first pattern that fits decides. */
const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['perpetual', new RegExp(`^${BASE}-PERPETUAL$`)],
  ['future', new RegExp(`^${BASE}-${DATE}$`)],
  ['option', new RegExp(`^${BASE}-${DATE}-[0-9]+(?:d[0-9]+)?-[CP]$`)],
  ['spot', /^[A-Z0-9]+_[A-Z0-9]+$/],
  ['future_combo', new RegExp(`^${BASE}-FS-(?:${DATE}|PERP)_(?:${DATE}|PERP)$`)],
  // Codes of option combos are an open set: what starts with a code and names a date.
  ['option_combo', new RegExp(`^${BASE}-[A-Z][A-Z0-9]*-${DATE}(?:[-_][0-9A-Za-z_]+)*$`)],
]

/** Where rows of an instrument belong. A name that fits no rule has kind `none` and currency `OTHER`. */
export function partitionOfInstrument(name: string): Partition {
  const kind = KINDS.find(([, pattern]) => pattern.test(name))?.[0]
  if (kind === undefined) return { kind: 'none', currency: 'OTHER' }
  const [pair = ''] = name.split('-')
  const [base, quote] = pair.split('_')
  return { kind, currency: safeCurrency(quote ?? base) }
}

/** Where rows of an index belong: `btc_usd` → BTC. */
export function partitionOfIndex(name: string): Partition {
  return { kind: 'index', currency: safeCurrency(name.split('_')[0]?.toUpperCase()) }
}

/** Of an instrument or an index, whichever the name is spelled as. */
const partitionOf = (name: string) => (INDEX.test(name) ? partitionOfIndex(name) : partitionOfInstrument(name))

/** Kinds as they stand in a channel for all instruments of a kind: `trades.option.BTC.100ms`. */
const WHOLE_KINDS: Readonly<Record<string, readonly [Kind, ...Kind[]]>> = {
  future: ['future', 'perpetual'],
  option: ['option'],
  spot: ['spot'],
  future_combo: ['future_combo'],
  option_combo: ['option_combo'],
}
/** The same, and those that stand for several. */
const KINDS_OF_TRADES: typeof WHOLE_KINDS = {
  ...WHOLE_KINDS,
  combo: ['future_combo', 'option_combo'],
  any: ['option', 'perpetual', 'future', 'spot', 'future_combo', 'option_combo'],
}
const CURRENCY = /^[A-Z0-9]{1,16}$/

/**
 * Kind and currency of what a channel is about, by its name: `book.BTC-PERPETUAL.100ms`, `trades.option.BTC.100ms`,
 * `deribit_price_index.btc_usd`. Undefined where neither can be known from the name alone.
 */
export function partitionOfChannel(channel: string): Partition | undefined {
  const family = familyOfChannel(channel)
  // `chart.trades` has a dot of its own; a book's family says more than its channel.
  const head = channel.startsWith(`${family}.`) ? family.length : channel.indexOf('.')
  if (head < 0) return undefined
  const [name = '', next = ''] = channel.slice(head + 1).split('.')
  const whole = Object.hasOwn(WHOLE_KINDS, name) ? WHOLE_KINDS[name] : undefined
  if (whole) return { kind: whole[0], currency: CURRENCY.test(next) ? next : 'OTHER' }
  const partition = partitionOf(name)
  return partition.kind === 'none' ? undefined : partition
}

/** What a channel promises data of; undefined for one that is about no instrument and no index. */
export function subjectOf(channel: string): Subject | undefined {
  const family = familyOfChannel(channel)
  const head = familyNamed(family)?.channelsBegin ?? family
  if (!channel.startsWith(`${head}.`)) return undefined
  const [name = '', currency = 'any'] = channel.slice(head.length + 1).split('.')
  const kinds = family === 'trades' && Object.hasOwn(KINDS_OF_TRADES, name) ? KINDS_OF_TRADES[name] : undefined
  if (kinds) return { family, kinds, name: undefined, ...(currency === 'any' ? {} : { whose: currency }) }
  const { kind } = partitionOf(name)
  return kind === 'none' ? undefined : { family, kinds: [kind], name }
}

/** Whether a channel's data are of this instrument or index, too. */
export function isAbout({ kinds, name, whose }: Subject, about: string): boolean {
  if (name !== undefined) return name === about
  const partition = partitionOf(about)
  return kinds.includes(partition.kind) && (whose === undefined || whose === partition.currency)
}

/** When the first instrument in a channel's name expires, at 08:00 UTC of the day in it, ms since the epoch; `Infinity` where it has none. */
export const expiryMsOf = expiryMsIn
