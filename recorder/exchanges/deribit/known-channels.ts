import { familyOfChannel } from './channel-family.js'

/** More channels than any plan has; the cache starts anew beyond it, so that hostile names cannot fill the memory. */
const CACHED_CHANNELS_MAX = 50_000

/** What a channel's name says, worked out once. */
export interface ChannelFacts {
  readonly family: string
}

/** Facts about every channel that frames came from. */
export class KnownChannels {
  readonly #facts = new Map<string, ChannelFacts>()

  factsOf(channel: string): ChannelFacts {
    return this.#facts.get(channel) ?? this.#remember(channel)
  }

  #remember(channel: string): ChannelFacts {
    const facts = { family: familyOfChannel(channel) }
    if (this.#facts.size >= CACHED_CHANNELS_MAX) this.#facts.clear()
    this.#facts.set(channel, facts)
    return facts
  }
}
