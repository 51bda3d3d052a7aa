import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Exchange } from '../../exchanges/exchange.js'
import type { ImportConn } from '../../formats/imported.js'
import { recorderName } from '../../formats/recorder-name.js'
import { dataIdentity } from '../../platform/data-identity.js'
import { EdgeError } from '../../platform/edge-error.js'
import { acquireProcessLock } from '../../platform/process-lock.js'
import { dateOf } from '../../platform/utc-date.js'
import type { LineReader } from './foreign-line.js'
import { HourImport } from './hour-import.js'
import { ImportJournal } from './import-journal.js'
import { ImportNotes } from './import-notes.js'
import { sourceLines, type SourceFile } from './source-files.js'

export interface ImportOptions {
  dataDir: string
  exchange: Exchange
  /** The exchange's name in paths. */
  exchangeName: string
  conn: ImportConn
  /** Who recorded it, as recorders are called in names. */
  host: string
  files: readonly SourceFile[]
  read: LineReader
  /** All that the meaning of a line depends on: the same file, taken otherwise, is imported again. */
  form: string
  /** The family of frames that name no channel. */
  family?: string | undefined
  /** Looks at all lines again, whatever was noted of earlier imports. */
  again?: boolean | undefined
  signal?: AbortSignal | undefined
  onBytes?: (bytes: number) => void
  /** Called for a file that cannot be read to its end. */
  onTorn?: (error: EdgeError) => void
}

/** What became of the lines. */
export interface Imported {
  /** Files that were read, and those that were known by their name, size and time. */
  files: number
  knownFiles: number
  torn: number
  lines: number
  frames: number
  /** Lines that are in quarantine, and why, each so often. */
  broken: number
  reasons: Record<string, number>
  /** Blank lines: losses of a connection. */
  lost: number
  /** Segments that came into the tree, and those that were there already. */
  segments: number
  knownSegments: number
  firstUs: number | undefined
  lastUs: number | undefined
}

/** Files that go back in time more often than this are not sorted by time. */
const STEPS_BACK_MAX = 20

/**
 * Turns somebody else's recording into segments, an hour of a family each, received when its lines say. What is there
 * stays as it is; the same lines again add nothing. May be killed at any time and called again.
 * @throws EdgeError LOCK_HELD, IMPORT_UNSORTED, IMPORT_LINE_TOO_LONG
 */
export async function importFrames(options: ImportOptions): Promise<Imported> {
  const { dataDir } = options
  const lock = acquireProcessLock(join(dataDir, 'state', 'import.lock'), 'import')
  const staging = join(dataDir, 'state', 'import', 'tmp')
  try {
    rmSync(staging, { recursive: true, force: true })
    return await new Import(options, staging).run()
  } finally {
    rmSync(staging, { recursive: true, force: true })
    lock.release()
  }
}

class Import {
  readonly #options: ImportOptions
  readonly #notes: ImportNotes
  readonly #hour: HourImport
  #journal: ImportJournal
  /** Files whose last lines are in the hour at hand. */
  #ended: SourceFile[] = []
  #lastUs: number | undefined
  #stepsBack = 0
  readonly #imported: Imported = {
    ...{ files: 0, knownFiles: 0, torn: 0, lines: 0, frames: 0, broken: 0, reasons: {}, lost: 0 },
    ...{ segments: 0, knownSegments: 0, firstUs: undefined, lastUs: undefined },
  }

  constructor(options: ImportOptions, staging: string) {
    const { dataDir, exchange, exchangeName, conn, host, family } = options
    this.#options = options
    this.#notes = new ImportNotes(dataDir, options.form)
    this.#journal = new ImportJournal(conn)
    const name = recorderName(host, dataIdentity(dataDir))
    this.#hour = new HourImport({ dataDir, staging, exchange, exchangeName, conn, host: name, family })
  }

  async run(): Promise<Imported> {
    const { files, again } = this.#options
    for (const file of files) {
      if (again !== true && this.#notes.isDone(file)) {
        this.#imported.knownFiles++
        this.#options.onBytes?.(file.bytes)
        continue
      }
      await this.#file(file)
    }
    await this.#endChunk()
    const { segments, known, broken } = this.#hour.counts
    return { ...this.#imported, segments, knownSegments: known, broken: broken.lines, reasons: broken.reasons }
  }

  async #file(file: SourceFile): Promise<void> {
    const { read, onBytes = () => undefined, again, signal, onTorn } = this.#options
    const part = again === true ? undefined : this.#notes.partOf(file)
    if (part) {
      this.#journal = new ImportJournal(this.#options.conn, part.channels)
      this.#lastUs = part.lastUs
    }
    this.#stepsBack = 0
    this.#imported.files++
    let endsAt = part?.offset ?? 0
    try {
      for await (const { line, endsAt: behind } of sourceLines(file.path, endsAt, onBytes)) {
        signal?.throwIfAborted()
        this.#imported.lines++
        const found = read(line)
        if (found.kind === 'frame') await this.#frame(file, found.recvUs, found.frame, endsAt)
        else if (found.kind === 'broken')
          this.#hour.quarantine({
            ...{ line, reason: found.reason, nearUs: this.#lastUs, source: basename(file.path), offset: endsAt },
          })
        else if (found.kind === 'lost' && this.#lastUs !== undefined) {
          this.#imported.lost++
          this.#journal.lost(this.#lastUs)
        }
        endsAt = behind
      }
      this.#ended.push(file)
    } catch (error) {
      if (!(error instanceof EdgeError) || error.code !== 'IMPORT_TORN') throw error
      this.#imported.torn++
      onTorn?.(error)
    }
  }

  async #frame(file: SourceFile, recvUs: number, frame: Buffer, offset: number): Promise<void> {
    const lastUs = this.#lastUs
    if (lastUs !== undefined && recvUs < lastUs) {
      if (++this.#stepsBack > STEPS_BACK_MAX)
        throw new EdgeError('IMPORT_UNSORTED', `${file.path} goes back in time more than ${STEPS_BACK_MAX} times`, {
          path: file.path,
          hint: 'sort its lines by time; what stands before is imported',
        })
      await this.#endChunk()
    } else if (lastUs !== undefined && dateOf(recvUs / 1000) !== dateOf(lastUs / 1000)) await this.#endChunk()
    else if (lastUs !== undefined && !this.#hour.covers(recvUs)) {
      await this.#finishHour()
      this.#notes.came(file, { offset, channels: this.#journal.channels, lastUs })
    }
    if (!this.#hour.covers(recvUs)) {
      this.#hour.begin(recvUs)
      this.#journal.hourBegins(recvUs)
    }
    const { family, channel } = this.#hour.add(recvUs, frame)
    const lost = this.#journal.came(recvUs, family, channel)
    if (lost) this.#hour.lost(lost)
    this.#lastUs = recvUs
    this.#imported.frames++
    this.#imported.firstUs = Math.min(this.#imported.firstUs ?? recvUs, recvUs)
    this.#imported.lastUs = Math.max(this.#imported.lastUs ?? recvUs, recvUs)
  }

  /** The end of a day, or of what follows in time. */
  async #endChunk(): Promise<void> {
    if (this.#lastUs !== undefined) this.#journal.ends(this.#lastUs)
    await this.#finishHour()
    this.#journal = new ImportJournal(this.#options.conn)
    this.#lastUs = undefined
  }

  async #finishHour(): Promise<void> {
    await this.#hour.finish(this.#journal.take())
    if (this.#ended.length > 0) this.#notes.finished(this.#ended)
    this.#ended = []
  }
}
