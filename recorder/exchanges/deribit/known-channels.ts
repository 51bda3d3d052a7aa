import { familyOfChannel } from './channel-family.js'

/** More channels than any plan has; the cache starts anew beyond it, so that hostile names cannot fill the memory. */
const CACHED_CHANNELS_MAX = 50_000

/** Families whose frames say that instruments come or go. */
const NEWS_FAMILIES: readonly string[] = ['instrument.creation', 'instrument.state']

/** What a channel's name says, worked out once. */
export interface ChannelFacts {
  readonly family: string
  /** Its frames are for the catalogue, too. */
  readonly isNews: boolean
}

/** Facts about every channel that frames came from. */
export class KnownChannels {
  readonly #facts = new Map<string, ChannelFacts>()

  factsOf(channel: string): ChannelFacts {
    return this.#facts.get(channel) ?? this.#remember(channel)
  }

  #remember(channel: string): ChannelFacts {
    const family = familyOfChannel(channel)
    const facts = { family, isNews: NEWS_FAMILIES.includes(family) }
    if (this.#facts.size >= CACHED_CHANNELS_MAX) this.#facts.clear()
    this.#facts.set(channel, facts)
    return facts
  }
}
