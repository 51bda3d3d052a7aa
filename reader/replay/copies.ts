/** Two connections bring the same frame within this, µs. */
const WINDOW_US = 5_000_000
/** Frames of one channel that are remembered. */
const FRAMES_MAX = 256

interface SeenFrame {
  text: string
  recvUs: number
  sources: Set<string>
}

/**
 * Finds copies among the frames of channels that were taken on several connections: equal texts that different ones
 * brought at about the same time. What one connection brought twice is no copy.
 */
export class Copies {
  readonly #seen = new Map<string, SeenFrame[]>()

  isCopy(channel: string, source: string, recvUs: number, text: string): boolean {
    const recent = (this.#seen.get(channel) ?? []).filter(seen => recvUs - seen.recvUs <= WINDOW_US).slice(-FRAMES_MAX)
    this.#seen.set(channel, recent)
    const same = recent.find(seen => seen.text === text && !seen.sources.has(source))
    if (same) same.sources.add(source)
    else recent.push({ text, recvUs, sources: new Set([source]) })
    return same !== undefined
  }
}
