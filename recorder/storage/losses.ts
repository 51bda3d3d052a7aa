import type { Append, Loss } from './messages.js'

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

type Lost = Pick<Append, 'channel' | 'firstRecvUs' | 'lastRecvUs' | 'frames'>

export function lossOf({ channel, firstRecvUs, lastRecvUs, frames }: Lost, cause: string): Loss {
  return { channel, fromUs: firstRecvUs, toUs: lastRecvUs, frames, cause }
}
