/**
 * Dates of which nothing is left to do, so that neither a look around nor a start goes through their hours again. A date
 * is finished while its folders are as they were then.
 */
import { createHash } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { finishedPath, readFinishedMarks, type FinishedMark } from '../formats/finished-mark.js'
import { listFolder } from '../formats/partition-folders.js'
import { compactorState } from '../formats/receipt.js'
import { createFolderDurable, writeFileDurable } from '../platform/durable-file.js'
import { isMachineError } from '../platform/edge-error.js'

const SETTLES_MS = 2000
const DAY_MS = 86_400_000

/** Hours and tables of so many dates are looked at at once … */
const DATES_AT_ONCE = 64
/** … so often that each date has had its turn within this. */
const ALL_WITHIN_MS = 1_200_000

/** Folders of a date below dataDir: of its days in `raw/`, and where its tables lie, if any are there. */
export interface DateFolders {
  raw: readonly string[]
  parquet: readonly string[]
}

export class FinishedDates {
  readonly #dataDir: string
  readonly #marks: Map<string, FinishedMark>
  #isWritten = true
  /** When a folder changed last, of those that were looked at last. */
  #newestMs = -Infinity
  /** Of how many dates it was the turn since somewhere among them. */
  #turned = Math.floor(Math.random() * 1_000_000)
  #nextTurnMs = -Infinity
  #looks = 0

  constructor(dataDir: string) {
    this.#dataDir = dataDir
    const marks = readFinishedMarks(dataDir)
    if (!marks) rmSync(finishedPath(dataDir), { force: true })
    this.#marks = marks ?? new Map<string, FinishedMark>()
  }

  /**
   * True where a date is finished and its folders are as they were; behind the first look that is asked in every second one, of
   * half of the dates each: a stat is most of what years of dates cost a compactor that has nothing to do.
   * @param isClose whether its hours and tables are looked at, too: a file that is put there, or taken away, changes their
   *   folder alone
   */
  has(date: string, folders: DateFolders, isClose: boolean): boolean {
    const mark = this.#marks.get(date)
    if (!mark) return false
    if (!isClose && this.#looks > 1 && (Date.parse(date) / DAY_MS + this.#looks) % 2 === 0) return true
    const isSame = isClose ? mark.all === this.#allOf(folders) : mark.days === this.#daysOf(folders)
    if (!isSame) this.forget(date)
    return isSame
  }

  /**
   * Marks a date where nothing is left to do in it, asked between two looks at its folders: whatever comes meanwhile
   * changes one of them. One that changed a moment ago may change again unnoticed, within a tick of the file system's clock.
   */
  addIf(date: string, folders: DateFolders, isDone: () => boolean): void {
    const mark = { days: this.#daysOf(folders), all: this.#allOf(folders) }
    if (this.#newestMs > Date.now() - SETTLES_MS || !isDone() || this.#allOf(folders) !== mark.all) return
    const hours = folders.raw.flatMap(folder => this.#hoursOf(folder))
    this.#marks.set(date, {
      ...mark,
      raw: this.#sumOf([...folders.raw, ...hours]),
      parquet: this.#sumOf(folders.parquet),
    })
    this.#isWritten = false
  }

  /**
   * To be asked once for each look: dates whose turn it is to be looked at closely, after a start at once: all where they are few, else
   * the next ones. Those who start again and again begin at another one each time.
   * @returns undefined while it is the turn of none
   */
  turn(nowMs: number): ReadonlySet<string> | undefined {
    this.#looks++
    if (nowMs < this.#nextTurnMs) return undefined
    const dates = [...this.#marks.keys()].sort()
    const count = Math.min(DATES_AT_ONCE, dates.length)
    this.#nextTurnMs = nowMs + (dates.length > 0 ? (ALL_WITHIN_MS * count) / dates.length : ALL_WITHIN_MS)
    const from = this.#turned
    this.#turned += count
    return new Set(Array.from({ length: count }, (_, at) => dates[(from + at) % dates.length] ?? ''))
  }

  isMarked(date: string): boolean {
    return this.#marks.has(date)
  }

  forget(date: string): void {
    if (this.#marks.delete(date)) this.#isWritten = false
  }

  /** Forgets dates of which nothing is here. */
  keepOnly(dates: ReadonlySet<string>): void {
    for (const date of this.#marks.keys()) if (!dates.has(date)) this.forget(date)
  }

  /** Without it the next start looks around: a disk that takes nothing is no reason to stop. */
  save(): void {
    if (this.#isWritten) return
    try {
      createFolderDurable(compactorState(this.#dataDir))
      writeFileDurable(finishedPath(this.#dataDir), JSON.stringify(Object.fromEntries(this.#marks)))
      this.#isWritten = true
    } catch (error) {
      if (!isMachineError(error)) throw error
    }
  }

  #daysOf({ raw }: DateFolders): string {
    return this.#hash(raw, [])
  }

  #allOf({ raw, parquet }: DateFolders): string {
    const hours = raw.flatMap(folder => this.#hoursOf(folder))
    return this.#hash([...raw, ...hours], parquet)
  }

  #hoursOf(folder: string): string[] {
    return listFolder(this.#dataDir, folder).folders.map(hour => `${folder}/${hour}`)
  }

  #sumOf(folders: readonly string[]) {
    const sum = { files: 0, bytes: 0 }
    for (const folder of folders)
      for (const file of listFolder(this.#dataDir, folder).files) {
        sum.files++
        sum.bytes += statSync(join(this.#dataDir, folder, file), { throwIfNoEntry: false })?.size ?? 0
      }
    return sum
  }

  #hash(folders: readonly string[], optional: readonly string[]): string {
    const lines: string[] = []
    this.#newestMs = -Infinity
    const note = (folder: string, isOptional: boolean) => {
      const modifiedMs = statSync(`${this.#dataDir}/${folder}`, { throwIfNoEntry: false })?.mtimeMs
      if (modifiedMs !== undefined && modifiedMs > this.#newestMs) this.#newestMs = modifiedMs
      if (modifiedMs !== undefined || !isOptional) lines.push(`${folder} ${modifiedMs ?? 'gone'}\n`)
    }
    for (const folder of folders) note(folder, false)
    for (const folder of optional) note(folder, true)
    return createHash('sha256').update(lines.join('')).digest('base64').slice(0, 16)
  }
}
