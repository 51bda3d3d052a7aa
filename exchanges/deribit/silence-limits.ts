import { familyNamed } from './families.js'
import { familyOfChannel } from './names.js'

/** Families of which frames must come while these channels are subscribed, and the longest silence of each, ms. */
export function silenceLimits(channels: Iterable<string>): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const channel of channels) {
    const family = familyOfChannel(channel)
    const silence = familyNamed(family)?.silence
    if (silence && (silence.channels?.test(channel) ?? true)) limits.set(family, silence.ms)
  }
  return limits
}
