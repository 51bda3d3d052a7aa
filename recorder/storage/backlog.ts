import type { Append, Loss } from './messages.js'

/** Batches in memory that were not handed to the storage thread yet, by family, and in which order they give way. */
export class WaitingBatches {
  readonly #rank: (family: string) => number
  readonly #batches = new Map<string, Append[]>()

  /**
   * @param first families given up first, in this order
   * @param last families given up after all others, in this order
   */
  constructor(first: readonly string[], last: readonly string[]) {
    this.#rank = family => rankOf(family, first, last)
  }

  push(batch: Append): void {
    const list = this.#batches.get(batch.channel)
    if (list) list.push(batch)
    else this.#batches.set(batch.channel, [batch])
  }

  /** Takes the oldest batch of a family. */
  shift(family: string): Append | undefined {
    const list = this.#batches.get(family)
    const first = list?.shift()
    if (list?.length === 0) this.#batches.delete(family)
    return first
  }

  has(family: string): boolean {
    return this.#batches.has(family)
  }

  /** Takes out what gives way first, of each family the oldest batches, until `bytes` of memory are free. */
  giveWay(bytes: number): Append[] {
    const gone: Append[] = []
    let freed = 0
    const families = [...this.#batches.keys()].sort((one, other) => this.#rank(one) - this.#rank(other))
    for (const family of families) {
      while (freed < bytes) {
        const batch = this.shift(family)
        if (!batch) break
        gone.push(batch)
        freed += batch.bytes.buffer.byteLength
      }
    }
    return gone
  }
}

/** The lowest gives way first: the first ones, in their order; those not named; the last ones, in theirs. */
function rankOf(family: string, first: readonly string[], last: readonly string[]): number {
  const placeAtEnd = last.indexOf(family)
  if (placeAtEnd >= 0) return first.length + 1 + placeAtEnd
  const place = first.indexOf(family)
  return place < 0 ? first.length : place
}

/** What was lost and is not in the journal yet: one entry a family, however long the journal cannot be written. */
export class Losses {
  readonly #byChannel = new Map<string, Loss>()

  add({ channel, fromUs, toUs, frames, cause }: Loss): void {
    const known = this.#byChannel.get(channel)
    const merged = known && {
      channel,
      fromUs: Math.min(known.fromUs, fromUs),
      toUs: Math.max(known.toUs, toUs),
      frames: known.frames + frames,
      cause: known.cause,
    }
    this.#byChannel.set(channel, merged ?? { channel, fromUs, toUs, frames, cause })
  }

  get size(): number {
    return this.#byChannel.size
  }

  takeAll(): Loss[] {
    const all = [...this.#byChannel.values()]
    this.#byChannel.clear()
    return all
  }
}

export function lossOf({ channel, firstRecvUs, lastRecvUs, frames }: Append, cause: string): Loss {
  return { channel, fromUs: firstRecvUs, toUs: lastRecvUs, frames, cause }
}
