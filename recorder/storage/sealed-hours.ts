/**
 * Before which hour nothing of a dataDir is open, so that a start looks for what was left open in the hours since, not in
 * those of years: `state/recorder-sealed.json`. All recorders of the dataDir share it. Where it is lost, cannot be read or
 * is of another dataDir, all hours are looked through.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openByRecorder, type OpenOf } from '../../formats/left-open.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { segmentEndMs } from '../../formats/segment-span.js'
import type { Disk } from '../../platform/disk.js'
import { createFolderDurable, writeFileDurable } from '../../platform/durable-file.js'
import { hasErrno, isMachineError } from '../../platform/edge-error.js'
import { least } from '../../platform/extremes.js'
import { isJsonObject } from '../../platform/json-object.js'

const HOUR_MS = 3_600_000
/** Another recorder may write it at the same moment. */
const TRIES = 3

interface Known {
  /** Of the dataDir; a copy of it has another. */
  identity: string
  /** When the first hour begins in which something may be written that is open, ms since the epoch. */
  from_ms: number
}

// By hand: `zod` would take 12 MiB of the storage thread.
const isKnown = (value: unknown): value is Known =>
  isJsonObject(value) && typeof value['identity'] === 'string' && Number.isSafeInteger(value['from_ms'])

export class SealedHours {
  readonly #disk: Disk
  readonly #dataDir: string
  /** Recorders of version 0.1.0 have none, and look everywhere. */
  readonly #identity: string | undefined
  #openFromMs: number | undefined
  #lookedHour: number | undefined

  constructor(disk: Disk, dataDir: string, identity: string | undefined) {
    this.#disk = disk
    this.#dataDir = dataDir
    this.#identity = identity
  }

  /** Everything that is open, by recorder. */
  open(): OpenOf[] {
    const fromMs = this.#read()
    const open = openByRecorder(this.#dataDir, fromMs)
    this.#openFromMs = least(open.flatMap(({ open, rewriting }) => [...open, ...rewriting]).map(lastHourMs))
    return open
  }

  /** Once an hour: notes what was found, at the start or now. Without it a start takes longer, so a disk that takes nothing is no matter. */
  look(nowMs: number): void {
    const hour = Math.floor(nowMs / HOUR_MS)
    if (this.#identity === undefined || hour === this.#lookedHour) return
    this.#lookedHour = hour
    try {
      if (this.#openFromMs === undefined) this.open()
      // What begins in this hour, or a moment ago, is not to be held up by a file.
      const fromMs = Math.min(hourOf(this.#openFromMs ?? -Infinity), (hour - 1) * HOUR_MS)
      if (fromMs !== this.#read()) this.#write(fromMs)
    } catch (error) {
      if (!isMachineError(error)) throw error
    }
    this.#openFromMs = undefined
  }

  /**
   * Before a segment is begun: of a clock that was set back, it may be in an hour in which nobody would look.
   * @throws errors of the disk
   */
  admit(ms: number): void {
    for (let tries = 0; this.#read() > ms && tries < TRIES; tries++) this.#write(hourOf(ms))
  }

  /** -Infinity where nobody knows. */
  #read(): number {
    try {
      const known: unknown = JSON.parse(readFileSync(this.#path, 'utf8'))
      return isKnown(known) && known.identity === this.#identity ? known.from_ms : -Infinity
    } catch (error) {
      if (error instanceof SyntaxError || hasErrno(error, 'ENOENT')) return -Infinity
      throw error
    }
  }

  #write(fromMs: number): void {
    createFolderDurable(join(this.#dataDir, 'state'), this.#disk)
    const known = { identity: this.#identity, from_ms: fromMs }
    // Recorders of several exchanges start at one moment: of one temporary file the first one takes the name from the others.
    writeFileDurable(this.#path, `${JSON.stringify(known)}\n`, this.#disk, `${this.#path}.${process.pid}.tmp`)
  }

  get #path(): string {
    return join(this.#dataDir, 'state', 'recorder-sealed.json')
  }
}

const hourOf = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS
/** Where a segment is found that goes on to the end of its date: in each of its hours. */
function lastHourMs(path: string): number {
  const name = parseSegmentPath(path)?.name
  return name ? segmentEndMs(name) - HOUR_MS : -Infinity
}
