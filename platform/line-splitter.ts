const LINE_FEED = 0x0a

/** Cuts a stream of chunks into lines without their line feeds; holds one line at most. */
export class LineSplitter {
  #pieces: Buffer[] = []

  /** What stands behind the last line feed. */
  get rest(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  *split(bytes: Uint8Array): Generator<Buffer> {
    // The chunk's memory is used again for the next one, and lines outlive it.
    const text = Buffer.from(bytes)
    let start = 0
    for (let at = text.indexOf(LINE_FEED); at >= 0; at = text.indexOf(LINE_FEED, start)) {
      const line = text.subarray(start, at)
      yield this.#pieces.length === 0 ? line : Buffer.concat([...this.#pieces, line])
      this.#pieces = []
      start = at + 1
    }
    if (start < text.length) this.#pieces.push(text.subarray(start))
  }
}
