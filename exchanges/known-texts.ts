import { isText } from '../platform/json-bytes.js'

const SLOTS = 256

/** Texts that stand in frames again and again, such as names of instruments: one that was built a moment ago is not built anew. */
export class KnownTexts {
  readonly #slots: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] = Array.from({ length: SLOTS })

  /** What stands in a frame, one character a byte. */
  textAt(frame: Buffer, from: number, to: number): string {
    let hash = to - from
    for (let at = from; at < to; at++) hash = (hash * 31 + (frame[at] ?? 0)) & (SLOTS - 1)
    const known = this.#slots[hash]
    if (known && isText(frame, from, to, known.bytes)) return known.text
    const text = frame.toString('latin1', from, to)
    this.#slots[hash] = { bytes: Buffer.from(text, 'latin1'), text }
    return text
  }
}
