import type { Said } from '../formats/part-status.js'
import { writeStatus } from '../formats/status.js'
import { isMachineError, messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import type { Retries } from './retries.js'
import type { Conversion } from './segment/convert.js'
import type { Receipt } from '../formats/receipt.js'

/** What one run of the compactor did. */
export interface Summary {
  /** Segments converted. */
  segments: number
  /** Conversions, of segments or whole dates, that failed. */
  failed: number
  /** What stands as failed now, and is tried again. */
  failing: number
  /** Segments that wait, those that failed among them. */
  backlog: number
  frames: number
  /** Rows written, by table. */
  rows: Record<string, number>
  /** Rows left out because their event was received twice. */
  duplicates: number
  quarantined: number
  /** Frames that are understood and have no row. */
  known: number
  /** Of what stands as failed now. */
  lastError: string | undefined
}

/** Counts what is done and publishes it as the compactor's status. */
export class CompactorProgress {
  readonly #dataDir: string
  readonly #onProgress: ((summary: Summary) => void) | undefined
  readonly #retries: Retries
  readonly #log: Logger
  readonly #counts: Omit<Summary, 'failing' | 'lastError'> = {
    segments: 0,
    failed: 0,
    backlog: 0,
    frames: 0,
    rows: {},
    duplicates: 0,
    quarantined: 0,
    known: 0,
  }
  #lastSegment: string | undefined
  #current: string | undefined
  #stopped = false

  constructor(
    dataDir: string,
    retries: Retries,
    { log, onProgress }: { log: Logger; onProgress?: ((summary: Summary) => void) | undefined },
  ) {
    this.#dataDir = dataDir
    this.#retries = retries
    this.#log = log
    this.#onProgress = onProgress
  }

  summary(): Summary {
    const { size: failing, lastError } = this.#retries
    return { ...this.#counts, failing, lastError, rows: { ...this.#counts.rows } }
  }

  started(segment: string, backlog: number): void {
    this.#counts.backlog = backlog
    this.#current = segment
    this.#publish()
  }

  converted(receipt: Receipt, conversion: Conversion): void {
    const counts = this.#counts
    counts.segments++
    counts.backlog--
    counts.frames += receipt.frames
    counts.duplicates += receipt.double_rows
    counts.quarantined += receipt.quarantined
    counts.known += receipt.known
    for (const { table, rows } of conversion.parts) counts.rows[table] = (counts.rows[table] ?? 0) + rows
    this.#lastSegment = receipt.segment
    this.#settled()
  }

  /**
   * A segment, or something else, failed.
   * @returns how long it is left alone, ms
   */
  failed(what: string, message: string): number {
    this.#counts.failed++
    const pauseMs = this.#retries.failed(what, `${what}: ${message}`)
    this.#settled()
    return pauseMs
  }

  /** What was done last, for people. */
  get did(): string {
    if (this.#current !== undefined) return `began to convert ${this.#current}`
    return this.#lastSegment === undefined ? 'looked for segments' : `converted ${this.#lastSegment}`
  }

  /** Nothing is left to do at present. */
  idle(backlog: number): void {
    this.#counts.backlog = backlog
    this.#publish()
  }

  /** The run is over, as it should be. */
  ended(): void {
    this.#stopped = true
    this.#publish()
  }

  #settled(): void {
    this.#current = undefined
    this.#publish()
    this.#onProgress?.(this.summary())
  }

  /** Every part can do without its status, and it can do without a status that a full disk does not take. */
  #publish(): void {
    const { segments, failed, failing, backlog, frames, rows, duplicates, quarantined, known, lastError } =
      this.summary()
    const status = {
      backlog_segments: backlog,
      current_segment: this.#current ?? null,
      last_segment: this.#lastSegment ?? null,
      segments,
      failed,
      failing,
      frames,
      rows,
      double_rows: duplicates,
      quarantined,
      known,
      last_error: lastError ?? null,
      stopped: this.#stopped,
    } satisfies Said<'compactor'>
    try {
      writeStatus(this.#dataDir, 'compactor', status)
    } catch (error) {
      if (!isMachineError(error)) throw error
      this.#log.debug({ err: messageOf(error) }, 'status not written')
    }
  }
}
