import type { ChannelPlan } from '../adapter.js'

/** One recorder's share of a list of channels that `count` recorders take together. */
export interface Shard {
  index: number
  count: number
}

/** A channel that every recorder needs for itself: news of instruments and of the exchange. */
const IS_FOR_ALL = /^(instrument|platform_state|announcements)/

/**
 * The channels of a shard. What belongs to one instrument stays together, so that each recorder has whole instruments.
 * The shards of a plan together are the plan; but for news, which all take, no channel is in two.
 */
export function shardPlan(plan: ChannelPlan, shard: Shard): ChannelPlan {
  if (shard.count === 1) return plan
  return new Map([...plan].filter(([channel]) => IS_FOR_ALL.test(channel) || isInShard(subjectOf(channel), shard)))
}

/** Whether a name falls to a shard: by highest hash, so that a change of `count` moves as few names as it can. */
export function isInShard(name: string, { index, count }: Shard): boolean {
  const hash = hashOf(name)
  let highest = -1
  let owner = 0
  for (let each = 0; each < count; each++) {
    const score = mix(hash ^ mix(each + 1))
    if (score > highest) {
      highest = score
      owner = each
    }
  }
  return owner === index
}

/** The instrument or index of a channel; the channel itself where it has many, such as all option trades of a currency. */
function subjectOf(channel: string): string {
  const [family, ...parts] = channel.split('.')
  switch (family) {
    case 'chart':
    case 'markprice':
      return parts[1] ?? channel
    case 'trades':
      return parts.length > 2 ? channel : (parts[0] ?? channel)
    case 'block_rfq':
      return channel
    default:
      return parts[0] ?? channel
  }
}

/** FNV-1a of the characters' low bytes; 32 bits, the same on every machine and in every version. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ (name.charCodeAt(at) & 0xff), 0x01000193)
  return hash >>> 0
}

/** The last steps of murmur3: every bit of the input moves half of the output's. */
function mix(value: number): number {
  let mixed = value >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
