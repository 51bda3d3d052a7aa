import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { convertSegment } from '../../compactor/segment/convert.js'
import type { Source } from '../../compactor/segment/source.js'
import { openEngine, type EngineLimits } from '../../compactor/engine.js'
import { hourlyName, parquetPath } from '../../formats/parquet-path.js'
import { readingOf, type DescribedFeeds } from '../../exchanges/described-feed.js'
import { tableOf } from '../../compactor/tables.js'
import { isMachineError, messageOf } from '../../platform/edge-error.js'
import { bytesOf, currentPath, manifestOf, type SegmentFile } from '../../formats/segment-files.js'
import { segmentPath } from '../../formats/raw-path.js'
import { showProgress } from '../../platform/progress-bar.js'
import { copyLines, type WantedLines } from './flushed-lines.js'
import type { Days } from './dates-asked.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { familyOf } from '../../exchanges/exchange.js'

/** How rows of fresh segments are made: as the compactor would. */
export interface FreshSettings {
  limits: Pick<EngineLimits, 'memoryMiB' | 'threads'>
  keepDuplicates: boolean
  windowMs: number
  feeds?: DescribedFeeds | undefined
}

/** A file of rows that are only in raw yet. */
export interface FreshFile {
  table: string
  /** Where the compactor will put the rows, below dataDir; the same below the scratch folder. */
  path: string
  /** The name that the compactor's file will have. */
  name: string
}

/**
 * Turns segments that are in no Parquet file yet into files in a scratch folder, with the compactor's own conversion:
 * the same SQL, the same rows, copies of events left out that are in the Parquet files or in an earlier fresh segment. A
 * segment that has not grown is not converted again.
 */
export class FreshRows {
  readonly #root: string
  readonly #scratch: string
  readonly #settings: FreshSettings
  readonly #note: (text: string) => void
  readonly #converted = new Map<string, { bytes: number; wanted: string; files: FreshFile[] }>()

  constructor(root: string, scratch: string, settings: FreshSettings, note: (text: string) => void) {
    this.#root = root
    this.#scratch = scratch
    this.#settings = settings
    this.#note = note
  }

  /** The folder that has `parquet/` with them. */
  get folder(): string {
    return join(this.#scratch, 'fresh')
  }

  /**
   * Files of these segments, in their order. What cannot be converted is reported and left out.
   * @param wanted lines that have no say in the rows that are asked for may be missing
   */
  async convert(
    segments: readonly SegmentFile[],
    wanted: Pick<Days, 'instruments' | 'fromUs'> = {},
  ): Promise<FreshFile[]> {
    const sized = segments.map(segment => {
      const path = currentPath(segment)
      return { segment, bytes: path === undefined ? 0 : bytesOf(path) }
    })
    const progress = showProgress(
      'fresh rows',
      sized.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    try {
      const files: FreshFile[] = []
      for (const { segment, bytes } of sized) {
        files.push(...(await this.#filesOf(segment, this.#wantedOf(segment, wanted))))
        progress.advance(bytes)
      }
      return files
    } finally {
      progress.stop()
    }
  }

  /** How far copies by two connections may be apart, µs. */
  get windowUs(): number {
    return this.#settings.windowMs * 1000
  }

  #wantedOf({ name }: SegmentFile, { instruments, fromUs }: Pick<Days, 'instruments' | 'fromUs'>): WantedLines {
    const { feeds } = this.#settings
    // Answers may name an instrument otherwise than rows do, and a described feed anyhow.
    const isSpelled = familyOf(exchangeNamed(name.exchange), name.channel).comes === 'streamed'
    return {
      ...(fromUs !== undefined && { fromUs }),
      ...(instruments && isSpelled && !feeds?.has(name.exchange) && { names: instruments }),
    }
  }

  async #filesOf(segment: SegmentFile, wanted: WantedLines): Promise<readonly FreshFile[]> {
    const path = currentPath(segment)
    if (path === undefined) return []
    const bytes = bytesOf(path)
    const before = this.#converted.get(segmentPath(segment.name, 'sealed'))
    const key = JSON.stringify(wanted)
    if (before?.bytes === bytes && before.wanted === key) return before.files
    for (const file of before?.files ?? []) rmSync(join(this.folder, file.path), { force: true })
    let files: FreshFile[] = []
    try {
      files = await this.#convert(segment, path, wanted)
    } catch (error) {
      // It was sealed, or converted and removed, while it was read: its rows are in Parquet, or will be found next time.
      if (currentPath(segment) !== path) return await this.#filesOf(segment, wanted)
      if (isMachineError(error)) throw error
      this.#note(`${path} is left out: ${messageOf(error)}`)
    }
    this.#converted.set(segmentPath(segment.name, 'sealed'), { bytes, wanted: key, files })
    return files
  }

  async #convert({ name }: SegmentFile, path: string, wanted: WantedLines): Promise<FreshFile[]> {
    const folder = join(this.#scratch, 'segment')
    const spillFolder = join(folder, 'spill')
    mkdirSync(spillFolder, { recursive: true })
    const { limits, keepDuplicates, windowMs, feeds } = this.#settings
    const lines = await this.#linesOf(path, folder, wanted)
    if (lines.frames === 0) {
      rmSync(folder, { recursive: true, force: true })
      return []
    }
    const engine = await openEngine({ ...limits, spillFolder })
    try {
      const source: Source = {
        ...lines,
        segment: segmentPath(name, 'sealed'),
        name,
        table: tableOf(name),
        ...readingOf(name.exchange, feeds),
      }
      const earlier = {
        rootsOf: () => [this.#root, this.folder],
        keepDuplicates,
        windowMs,
        onUnreadable: (path: string, why: string) => this.#note(`${path} cannot be read: ${why}`),
      }
      const { parts } = await convertSegment(engine, source, earlier, folder)
      return parts.map(part => {
        const path = parquetPath(name, part)
        mkdirSync(dirname(join(this.folder, path)), { recursive: true })
        renameSync(part.temporary, join(this.folder, path))
        return { table: part.table, path, name: hourlyName(name) }
      })
    } finally {
      engine.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** A sealed segment as it is, where all of it is wanted; of others, the whole lines that are. */
  async #linesOf(
    path: string,
    folder: string,
    wanted: WantedLines,
  ): Promise<Pick<Source, 'path' | 'sha256' | 'frames'>> {
    const manifest = manifestOf(path)
    if (manifest && manifest.last_recv_us < (wanted.fromUs ?? -Infinity)) return { path, sha256: '', frames: 0 }
    const takesAll = wanted.fromUs === undefined && wanted.names === undefined
    if (manifest && takesAll) return { path, sha256: manifest.sha256, frames: manifest.frames }
    const copy = join(folder, 'lines.jsonl.zst')
    return { path: copy, sha256: '', frames: await copyLines(path, copy, wanted) }
  }
}
