import type { Partition } from '../formats/partition.js'

/** More currencies than there are; further ones, which only a broken exchange would send, are `OTHER`. */
const CURRENCIES_MAX = 100
/** More channels than any plan has; beyond it the cache starts anew. */
const CACHED_CHANNELS_MAX = 50_000

/**
 * Finds kind and currency of data frames; each channel is looked at once.
 * @param channelOf the channel that a frame of a family names
 * @param partitionOf what a channel is about; undefined where its name does not say
 */
export function framePartitions(
  channelOf: (frame: Buffer, family: string) => string | undefined,
  partitionOf: (channel: string) => Partition | undefined,
): (frame: Buffer, family: string) => Partition | undefined {
  const known = new Map<string, Partition | undefined>()
  const currencies = new Set<string>()
  const bounded = (partition: Partition): Partition => {
    if (currencies.size < CURRENCIES_MAX) currencies.add(partition.currency)
    return currencies.has(partition.currency) ? partition : { ...partition, currency: 'OTHER' }
  }
  return (frame, family) => {
    const channel = channelOf(frame, family)
    if (channel === undefined) return undefined
    if (known.has(channel)) return known.get(channel)
    const found = partitionOf(channel)
    const partition = found && bounded(found)
    if (known.size >= CACHED_CHANNELS_MAX) known.clear()
    known.set(channel, partition)
    return partition
  }
}
