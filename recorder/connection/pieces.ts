/** Bad frames of a family that are no further apart than this are one entry, µs. */
const TOGETHER_US = 2_000_000
/** Channels that are named; of more, the family is named as a whole. */
const CHANNELS_MAX = 50

interface Run {
  fromUs: number
  lastUs: number
  frames: number
  channels: Set<string> | undefined
  /** The first good frame behind the last bad one. */
  goodUs: number | undefined
}

export interface NotWhole {
  family: string
  from_us: number
  to_us: number
  frames: number
  channels?: readonly string[]
}

const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

/** Whether a frame begins and ends as JSON does. What ends so by chance is found by whoever writes it. */
export function looksWhole(frame: Buffer): boolean {
  const first = frame[0]
  const last = frame[frame.length - 1]
  return (first === OPEN_OBJECT && last === CLOSE_OBJECT) || (first === OPEN_LIST && last === CLOSE_LIST)
}

/** Frames of one connection that were not whole, from one good frame of the family to the next. */
export class Pieces {
  readonly #runs = new Map<string, Run>()
  readonly #report: (facts: NotWhole) => void

  constructor(report: (facts: NotWhole) => void) {
    this.#report = report
  }

  get isEmpty(): boolean {
    return this.#runs.size === 0
  }

  /** @param goodUs when the last good frame of the family came; -Infinity for never */
  bad(family: string, channel: string | undefined, recvUs: number, goodUs: number): void {
    const run = this.#runs.get(family) ?? {
      fromUs: Math.min(recvUs, Math.max(goodUs, recvUs - TOGETHER_US)),
      lastUs: recvUs,
      frames: 0,
      channels: new Set(),
      goodUs: undefined,
    }
    this.#runs.set(family, run)
    run.lastUs = Math.max(run.lastUs, recvUs)
    run.goodUs = undefined
    run.frames++
    if (channel === undefined) run.channels = undefined
    else run.channels?.add(channel)
    if ((run.channels?.size ?? 0) > CHANNELS_MAX) run.channels = undefined
  }

  good(family: string, recvUs: number): void {
    const run = this.#runs.get(family)
    if (run) run.goodUs ??= recvUs
  }

  /** To be called about once a second, and at the end. */
  look(nowUs: number): void {
    for (const [family, { fromUs, lastUs, frames, channels, goodUs }] of this.#runs) {
      if (nowUs - lastUs < TOGETHER_US) continue
      this.#runs.delete(family)
      const to_us = Math.max(lastUs, Math.min(goodUs ?? nowUs, nowUs))
      const named = channels && channels.size > 0 ? { channels: [...channels] } : {}
      this.#report({ family, from_us: fromUs, to_us, frames, ...named })
    }
  }
}
