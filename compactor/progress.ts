import type { Said } from '../formats/part-status.js'
import { writeStatus } from '../formats/status.js'
import type { Conversion } from './segment/convert.js'
import type { Receipt } from '../formats/receipt.js'

/** What one run of the compactor did. */
export interface Summary {
  /** Segments converted. */
  segments: number
  /** Segments that could not be converted. */
  failed: number
  /** Segments that wait. */
  backlog: number
  frames: number
  /** Rows written, by table. */
  rows: Record<string, number>
  /** Rows left out because their event was received twice. */
  doubles: number
  quarantined: number
  /** Frames that are understood and have no row. */
  known: number
  lastError: string | undefined
}

/** Counts what is done and publishes it as the compactor's status. */
export class CompactorProgress {
  readonly #dataDir: string
  readonly #onProgress: ((summary: Summary) => void) | undefined
  readonly #counts: Summary = {
    segments: 0,
    failed: 0,
    backlog: 0,
    frames: 0,
    rows: {},
    doubles: 0,
    quarantined: 0,
    known: 0,
    lastError: undefined,
  }
  #lastSegment: string | undefined
  #current: string | undefined
  #stopped = false

  constructor(dataDir: string, onProgress: ((summary: Summary) => void) | undefined) {
    this.#dataDir = dataDir
    this.#onProgress = onProgress
  }

  summary(): Summary {
    return { ...this.#counts, rows: { ...this.#counts.rows } }
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
    counts.doubles += receipt.double_rows
    counts.quarantined += receipt.quarantined
    counts.known += receipt.known
    for (const { table, rows } of conversion.parts) counts.rows[table] = (counts.rows[table] ?? 0) + rows
    this.#lastSegment = receipt.segment
    this.#settled()
  }

  failed(segment: string, message: string): void {
    this.#counts.failed++
    this.#counts.backlog--
    this.#counts.lastError = `${segment}: ${message}`
    this.#settled()
  }

  /** Something failed that is no segment. */
  troubled(message: string): void {
    this.#counts.failed++
    this.#counts.lastError = message
    this.#publish()
  }

  /** Nothing is left to do. */
  idle(): void {
    this.#counts.backlog = 0
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

  #publish(): void {
    const { segments, failed, backlog, frames, rows, doubles, quarantined, known, lastError } = this.#counts
    writeStatus(this.#dataDir, 'compactor', {
      backlog_segments: backlog,
      current_segment: this.#current ?? null,
      last_segment: this.#lastSegment ?? null,
      segments,
      failed,
      frames,
      rows,
      double_rows: doubles,
      quarantined,
      known,
      last_error: lastError ?? null,
      stopped: this.#stopped,
    } satisfies Said<'compactor'>)
  }
}
