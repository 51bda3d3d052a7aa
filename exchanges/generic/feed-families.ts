import { matcherOf } from '../globs.js'
import { parsePointer, textAt, type Pointer } from './json-pointer.js'

/** Family of frames whose channel fits no pattern; table `frames` takes it and all below. */
export const REST_FAMILY = 'frames'
/** Family of frames in which no channel is found: answers, pings, what is not JSON. */
export const NO_CHANNEL_FAMILY = 'other'
/** Longer names are not channels of a feed, whatever they are. */
const CHANNEL_BYTES_MAX = 120
/** The cache starts anew beyond it, so that hostile names cannot fill the memory. */
const CACHED_CHANNELS_MAX = 50_000

/**
 * Under which family the frames of a feed are kept. Names come from the config, which bounds their number and their
 * spelling; the wire only chooses among them.
 */
export class FeedFamilies {
  readonly #pointers: readonly Pointer[]
  readonly #patterns: readonly { fits: (channel: string) => boolean; family: string }[]
  readonly #known = new Map<string, string>()
  /** All that there are. */
  readonly names: readonly string[]

  constructor(channelAt: readonly string[], families: Readonly<Record<string, readonly string[]>>) {
    this.#pointers = channelAt.map(parsePointer)
    this.#patterns = Object.entries(families).map(([name, patterns]) => ({
      fits: matcherOf(patterns),
      family: `${REST_FAMILY}.${name}`,
    }))
    this.names = [...Object.keys(families).map(name => `${REST_FAMILY}.${name}`), REST_FAMILY]
  }

  /** The family of a frame by its channel; undefined where none is found. */
  familyOf(frame: Buffer): string | undefined {
    for (const pointer of this.#pointers) {
      const channel = textAt(frame, pointer, CHANNEL_BYTES_MAX)
      if (channel !== undefined) return this.#familyOfChannel(channel)
    }
    return undefined
  }

  #familyOfChannel(channel: string): string {
    const known = this.#known.get(channel)
    if (known !== undefined) return known
    const family = this.#patterns.find(({ fits }) => fits(channel))?.family ?? REST_FAMILY
    if (this.#known.size >= CACHED_CHANNELS_MAX) this.#known.clear()
    this.#known.set(channel, family)
    return family
  }
}
