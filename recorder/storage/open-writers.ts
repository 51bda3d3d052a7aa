import { hasErrno } from '../../platform/edge-error.js'
import type { SegmentWriter } from './segment-writer.js'

/**
 * The segments being written, by key, of which only so many have their file open: the one used longest ago is synced and
 * closed, and opened again by its next append. So thousands of segments need no thousands of files.
 */
export class OpenWriters {
  /** In order of use, the oldest first: a map keeps the order in which keys were added. */
  readonly #writers = new Map<string, SegmentWriter>()
  readonly #filesMax: number
  readonly #mayPark: (writer: SegmentWriter) => boolean
  readonly #parkFailed: (key: string, writer: SegmentWriter, error: unknown) => void

  /**
   * @param mayPark whether a writer may be synced now; where too few may, more files stay open
   * @param parkFailed called with a writer that could not be synced; afterwards it is not among these any more
   */
  constructor(
    filesMax: number,
    mayPark: (writer: SegmentWriter) => boolean,
    parkFailed: (key: string, writer: SegmentWriter, error: unknown) => void,
  ) {
    this.#filesMax = filesMax
    this.#mayPark = mayPark
    this.#parkFailed = parkFailed
  }

  get size(): number {
    return this.#writers.size
  }

  get openFiles(): number {
    let count = 0
    for (const writer of this.#writers.values()) if (!writer.isParked) count++
    return count
  }

  get(key: string): SegmentWriter | undefined {
    return this.#writers.get(key)
  }

  set(key: string, writer: SegmentWriter): void {
    this.#writers.delete(key)
    this.#writers.set(key, writer)
  }

  delete(key: string): void {
    this.#writers.delete(key)
  }

  /** None may be added or removed meanwhile. */
  all(): IterableIterator<SegmentWriter> {
    return this.#writers.values()
  }

  /** A list of its own. */
  entries(): [string, SegmentWriter][] {
    return [...this.#writers]
  }

  /**
   * Runs what opens a file for `key`, with room for one more. Where the system has no more files to give, others are
   * closed until it has.
   */
  withFile<T>(key: string, action: () => T): T {
    if (this.#writers.get(key)?.isParked ?? true) while (this.openFiles >= this.#filesMax && this.#parkOldest(key));
    for (;;) {
      try {
        return action()
      } catch (error) {
        if (!hasErrno(error, 'EMFILE', 'ENFILE') || !this.#parkOldest(key)) throw error
      }
    }
  }

  /** Closes the file used longest ago of those that may be closed, but not that of `except`. False: there is none. */
  #parkOldest(except: string): boolean {
    for (const [key, writer] of this.#writers) {
      if (key === except || writer.isParked || writer.isSyncing || !this.#mayPark(writer)) continue
      try {
        writer.park()
      } catch (error) {
        this.#parkFailed(key, writer, error)
        this.#writers.delete(key)
      }
      return true
    }
    return false
  }
}
