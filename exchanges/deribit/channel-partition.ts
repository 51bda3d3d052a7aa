import { partitionOfIndex, partitionOfInstrument, type Kind, type Partition } from '../../formats/partition.js'
import { familyOfChannel } from './names.js'
import { channelOfFrame } from './frame-channel.js'

/** More currencies than there are; further ones, which only a broken exchange would send, are `OTHER`. */
const CURRENCIES_MAX = 100
/** More channels than any plan has; beyond it the cache starts anew. */
const CACHED_CHANNELS_MAX = 50_000

/** Kinds as they stand in a channel for all instruments of a kind: `trades.option.BTC.100ms`. */
const KINDS: Readonly<Record<string, Kind>> = {
  future: 'future',
  option: 'option',
  spot: 'spot',
  future_combo: 'future_combo',
  option_combo: 'option_combo',
}
const CURRENCY = /^[A-Z0-9]{1,16}$/
const INDEX = /^[a-z0-9]+_[a-z0-9]+$/

/**
 * Kind and currency of what a channel is about, by its name: `book.BTC-PERPETUAL.100ms`, `trades.option.BTC.100ms`,
 * `deribit_price_index.btc_usd`. Undefined where neither can be known from the name alone.
 */
export function partitionOfChannel(channel: string, family: string): Partition | undefined {
  // `chart.trades` has a dot of its own; a book's family says more than its channel.
  const head = channel.startsWith(`${family}.`) ? family.length : channel.indexOf('.')
  if (head < 0) return undefined
  const subject = channel.slice(head + 1)
  const [name = '', next = ''] = subject.split('.')
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (kind) return { kind, currency: CURRENCY.test(next) ? next : 'OTHER' }
  if (INDEX.test(name)) return partitionOfIndex(name)
  const partition = partitionOfInstrument(name)
  return partition.kind === 'none' ? undefined : partition
}

/** Tells kind and currency of data frames; each channel is looked at once. */
export function framePartitions(): (frame: Buffer) => Partition | undefined {
  const known = new Map<string, Partition | undefined>()
  const currencies = new Set<string>()
  const bounded = (partition: Partition): Partition => {
    if (currencies.size < CURRENCIES_MAX) currencies.add(partition.currency)
    return currencies.has(partition.currency) ? partition : { ...partition, currency: 'OTHER' }
  }
  return frame => {
    const channel = channelOfFrame(frame)
    if (channel === undefined) return undefined
    if (known.has(channel)) return known.get(channel)
    const found = partitionOfChannel(channel, familyOfChannel(channel))
    const partition = found && bounded(found)
    if (known.size >= CACHED_CHANNELS_MAX) known.clear()
    known.set(channel, partition)
    return partition
  }
}
