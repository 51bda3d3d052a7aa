const SAMPLES = 10

/** Frames a second over the last ten questions, which come about once a second. */
export class FrameRate {
  readonly #samples: { frames: number; nowMs: number }[] = []

  /** @param frames counted so far */
  at(frames: number, nowMs: number): number {
    this.#samples.push({ frames, nowMs })
    if (this.#samples.length > SAMPLES + 1) this.#samples.shift()
    const [oldest] = this.#samples
    if (!oldest || nowMs <= oldest.nowMs) return 0
    return (1000 * (frames - oldest.frames)) / (nowMs - oldest.nowMs)
  }
}
