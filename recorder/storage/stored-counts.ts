import type { Stored } from './messages.js'

/** Groups that are counted here; what is stored of other groups is reported in messages. */
export const COUNTED_GROUPS = 4096

const [FRAMES, COMPRESSED, HELD] = [0, 1, 2]
const NUMBERS = 3
const [SYNCS, WANTED] = [0, 1]
const MARKS = 2

export const newCountMemory = () =>
  new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (MARKS + NUMBERS * COUNTED_GROUPS))

const placeOf = (group: number) => MARKS + NUMBERS * group

/** The storage thread's side: what it counts here its owner reads when it needs to know. A message would wake the owner. */
export class StoredCounts {
  readonly #counts: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#counts = new Int32Array(memory)
  }

  /** The owner waits for what is stored, and wants a message. */
  get isWanted(): boolean {
    return Atomics.load(this.#counts, WANTED) === 1
  }

  note(group: number, { frames, compressedBytes, held }: Stored): void {
    const place = placeOf(group)
    Atomics.add(this.#counts, place + FRAMES, frames)
    Atomics.add(this.#counts, place + COMPRESSED, compressedBytes)
    // Last: whoever sees that it is free sees the others, too.
    Atomics.add(this.#counts, place + HELD, held)
  }

  noteSync(): void {
    Atomics.add(this.#counts, SYNCS, 1)
  }
}

/** The owner's side. */
export class CountReader {
  readonly memory = newCountMemory()
  readonly #counts = new Int32Array(this.memory)
  readonly #known = new Int32Array(this.#counts.length)

  /** Whether each is to be reported at once, in a message. */
  want(wanted: boolean): void {
    Atomics.store(this.#counts, WANTED, wanted ? 1 : 0)
  }

  /** Whether anything was synced since it was asked last. */
  takeSyncs(): boolean {
    return this.#takeAt(SYNCS) > 0
  }

  /** What was stored of a group since it was asked last; undefined: nothing. */
  take(group: number): Pick<Stored, 'frames' | 'compressedBytes' | 'held'> | undefined {
    const place = placeOf(group)
    const held = this.#takeAt(place + HELD)
    if (held === 0) return undefined
    return { held, compressedBytes: this.#takeAt(place + COMPRESSED), frames: this.#takeAt(place + FRAMES) }
  }

  /** Counts begin anew behind 2^32. */
  #takeAt(place: number): number {
    const count = Atomics.load(this.#counts, place)
    const more = (count - (this.#known[place] as number)) >>> 0
    this.#known[place] = count
    return more
  }
}
