import { isText, SIGNS } from '../platform/json-bytes.js'
import type { HeardChannel } from './adapter.js'

const { QUOTE } = SIGNS

/** More channels than any plan has; the cache starts anew beyond it, so that hostile names cannot fill the memory. */
const CACHED_CHANNELS_MAX = 50_000
/** Longer names are not channels of ours, whatever they are. */
const NAME_BYTES_MAX = 121

/** What a channel's name says, worked out once. */
export interface ChannelFacts extends HeardChannel {
  readonly channel: string
  readonly family: string
  /** Its frames are for the catalogue, too. */
  readonly isNews: boolean
  /** Of its name in frames. */
  readonly bytes: Uint8Array
  /** Frames when somebody last asked which channels are heard. */
  takenFrames: number
}

/** A frame of a channel came; of the hot path. */
export function hear(facts: ChannelFacts, recvUs: number): void {
  facts.frames++
  const pauseUs = recvUs - facts.lastUs
  if (pauseUs > facts.pauseUs && facts.lastUs > 0) {
    facts.pauseUs = pauseUs
    facts.pausedUs = facts.lastUs
  }
  if (pauseUs > 0) facts.lastUs = recvUs
}

/** The same as the folder of an exchange works it out. */
export type NamedChannel = Pick<ChannelFacts, 'channel' | 'family' | 'isNews'>

interface Known extends ChannelFacts {
  /** Another channel with the same hash. */
  readonly next: Known | undefined
}

/** Facts about every channel that frames came from, found by the bytes of its name: no text is built for each frame. */
export class KnownChannels {
  readonly #byHash = new Map<number, Known>()
  readonly #describe: (name: string) => NamedChannel
  #count = 0

  /** @param describe what the text says by which frames name a channel */
  constructor(describe: (name: string) => NamedChannel) {
    this.#describe = describe
  }

  /** @param from where the channel's name starts in the frame, `end`: where it ends */
  factsAt(frame: Buffer, from: number, end: number): ChannelFacts {
    let hash = 0
    let at = from
    for (; at + 4 <= end; at += 4) hash = hashOn(hash, fourAt(frame, at), at - from)
    for (; at < end; at++) hash = hashOn(hash, frame[at] as number, at - from)
    return this.#find(hash, frame, from, end)
  }

  /**
   * The same where a quote ends the name: found on the way, as it is looked for in every frame. Undefined where none
   * stands within the longest name that an exchange may have.
   */
  factsToQuote(frame: Buffer, from: number): ChannelFacts | undefined {
    const last = Math.min(frame.length, from + NAME_BYTES_MAX)
    let hash = 0
    let at = from
    for (; at + 4 <= last && !isQuoteIn(frame, at); at += 4) hash = hashOn(hash, fourAt(frame, at), at - from)
    for (; at < last; at++) {
      const byte = frame[at] as number
      if (byte === QUOTE) return this.#find(hash, frame, from, at)
      hash = hashOn(hash, byte, at - from)
    }
    return undefined
  }

  /** @param name as it stands in frames */
  factsOf(name: string): ChannelFacts {
    const bytes = Buffer.from(name, 'latin1')
    return this.factsAt(bytes, 0, bytes.length)
  }

  /**
   * What the channels are about that frames came of since the last call.
   * @param aboutOf the one instrument of a channel, where it has one
   */
  takeHeard(aboutOf: (channel: string) => string | undefined): Set<string> {
    const heard = new Set<string>()
    for (const first of this.#byHash.values()) {
      for (let known: Known | undefined = first; known; known = known.next) {
        if (known.frames === known.takenFrames) continue
        known.takenFrames = known.frames
        const about = aboutOf(known.channel)
        if (about !== undefined) heard.add(about)
      }
    }
    return heard
  }

  #find(hash: number, frame: Buffer, from: number, end: number): ChannelFacts {
    for (let known = this.#byHash.get(hash); known; known = known.next)
      if (isText(frame, from, end, known.bytes)) return known
    return this.#remember(hash, Buffer.from(frame.subarray(from, end)))
  }

  #remember(hash: number, bytes: Buffer): ChannelFacts {
    if (this.#count++ >= CACHED_CHANNELS_MAX) {
      this.#byHash.clear()
      this.#count = 1
    }
    const next = this.#byHash.get(hash)
    const { channel, family, isNews } = this.#describe(bytes.toString('latin1'))
    // Each member by its name: what is read for every frame has the same shape whoever described it.
    const known = {
      channel,
      family,
      isNews,
      frames: 0,
      takenFrames: 0,
      lastUs: -Infinity,
      pauseUs: 0,
      pausedUs: 0,
      bytes,
      next,
    }
    this.#byHash.set(hash, known)
    return known
  }
}

/** Odd numbers, one for each place in a name: what stands there is multiplied on its own, so that nothing waits for what is before. */
const WEIGHTS = Int32Array.from({ length: 128 }, (_, place) => Math.imul(place + 1, 0x9e3779b1) | 1)

const hashOn = (hash: number, value: number, place: number) =>
  (hash + Math.imul(value + 1, WEIGHTS[place & 127] as number)) | 0

/** Four bytes as one number: a hash of them takes half of the time that it takes byte by byte. */
const fourAt = (frame: Uint8Array, at: number) =>
  (frame[at] as number) |
  ((frame[at + 1] as number) << 8) |
  ((frame[at + 2] as number) << 16) |
  ((frame[at + 3] as number) << 24)

const isQuoteIn = (frame: Uint8Array, at: number) =>
  frame[at] === QUOTE || frame[at + 1] === QUOTE || frame[at + 2] === QUOTE || frame[at + 3] === QUOTE
