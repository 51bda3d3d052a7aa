import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { byStart, rawDays, rawFilesIn, rawFoldersOf, type RawDay, type RawFile } from '../formats/raw-tree.js'
import type { Receipt } from '../formats/receipt.js'

const DAY_US = 86_400_000_000

export type SealedSegment = Pick<RawFile, 'path' | 'name'>

/** What lies in a date. */
export interface DateSegments {
  date: string
  /** Folders of the date, below dataDir. */
  folders: readonly string[]
  sealed: SealedSegment[]
  /** Nothing is being written there, or was left behind. */
  isQuiet: boolean
}

/** A folder of a date, or of an hour of versions up to 0.1.0, as it was at the last look. */
interface SeenFolder {
  modifiedMs: number
  files: RawFile[]
}

/**
 * Finds sealed segments. A folder whose modification time is the one of the last look is not read again, so that
 * looking often costs one `stat` for each family, of those dates that are looked at.
 */
export class SegmentFinder {
  readonly #dataDir: string
  #seen = new Map<string, SeenFolder>()

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  /** All sealed segments on disk, oldest first. */
  find(): SealedSegment[] {
    return [...this.dates(() => false)].flatMap(({ sealed }) => sealed)
  }

  /** What lies in one date, as it is now. */
  date(date: string): DateSegments | undefined {
    const fromUs = Date.parse(date) * 1000
    // Looked for by its name: names of all days, asked for each of them, would cost their square.
    const days = rawDays(this.#dataDir, { fromUs, toUs: fromUs + DAY_US })
    const day = days.find(day => day.date === date)
    return day && this.#segmentsOf(day, path => rawFilesIn(this.#dataDir, path))
  }

  /** Dates and what lies there, oldest first, each looked at when it is asked for; nothing is remembered of those that are passed over. */
  *dates(isPassedOver: (day: RawDay) => boolean): Generator<DateSegments> {
    const before = this.#seen
    this.#seen = new Map()
    const filesIn = (path: string) => this.#filesIn(path, before.get(path))
    for (const day of rawDays(this.#dataDir)) if (!isPassedOver(day)) yield this.#segmentsOf(day, filesIn)
  }

  #segmentsOf(day: RawDay, filesIn: (path: string) => RawFile[]): DateSegments {
    const files = rawFoldersOf(this.#dataDir, day).flatMap(filesIn)
    const sealed = files.filter(({ state }) => state === 'sealed').sort(byStart)
    const isQuiet = files.every(({ state }) => state === 'sealed' || state === 'manifest')
    return { ...day, sealed, isQuiet }
  }

  #filesIn(path: string, before: SeenFolder | undefined): RawFile[] {
    const modifiedMs = modifiedAt(join(this.#dataDir, path))
    const isSame = before !== undefined && before.modifiedMs === modifiedMs
    const files = isSame ? before.files : rawFilesIn(this.#dataDir, path)
    // A folder that changed within the tick of the file system's clock may change again unnoticed: not remembered.
    const isSettled = isSame || Date.now() - (modifiedMs ?? Infinity) > 2000
    if (modifiedMs !== undefined && isSettled) this.#seen.set(path, { modifiedMs, files })
    return files
  }
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

/** True where a receipt speaks of this very segment and all of its outputs are still there. */
export function isDone(dataDir: string, receipt: Receipt | undefined, sha256: string): boolean {
  return receipt?.sha256 === sha256 && receipt.outputs.every(({ path }) => existsSync(join(dataDir, path)))
}
