import type { EdgeError } from '../../platform/edge-error.js'
import type { Checksums } from '../../formats/ledger.js'
import type { Mark } from '../place/mark.js'

/** A file to bring to the target. Its checksums were taken here and agree with its manifest or receipt. */
export interface OutgoingFile extends Checksums {
  /** Below `dataDir`; the same below the target. */
  path: string
  bytes: number
  mtimeMs: number
  /** We brought a copy before, and what is there now is known to be another: it is put aside. */
  replace: boolean
}

/** Files that take the place of others. */
export interface Replacement {
  /** Below the target. */
  folder: string
  files: readonly OutgoingFile[]
  /** Names in the folder, if they are there, with what we brought under them: another content is not ours and stays. */
  gone: ReadonlyMap<string, ReadonlySet<string>>
}

/** What the target must have, for a check. */
export type ExpectedFile = Pick<OutgoingFile, 'path' | 'bytes' | 'sha256' | 'md5'>

/** A file that could not be dealt with, in words. */
export interface FileProblem {
  path: string
  reason: string
}

/** How far a batch came. `error` stands for the rest of the batch, which is neither in `done` nor in `problems`. */
export interface ShipResult {
  done: string[]
  problems: FileProblem[]
  error?: EdgeError
}

/** same: the checksum was computed there and is equal. wrong: another content; the target no longer shows it where it can. */
export type Verdict = 'same' | 'wrong' | 'missing'

export interface VerifyResult {
  verdicts: Map<string, Verdict>
  problems: FileProblem[]
  error?: EdgeError
}

/** What a target is given to work with. */
export interface Work {
  /** Files lie below it. */
  dataDir: string
  signal: AbortSignal
  /** Called for each file when it is through, with its size. */
  onFile: (bytes: number) => void
}

/**
 * Where files go. Every implementation keeps these: readers see a final name only with the whole content under it; `done`
 * means uploaded, not durable; `same` comes from reading the copy at the target, which is another file than the one here; nothing is ever deleted there but what `replace` replaces, and
 * what lies there and was not brought by us stays as it is.
 */
export interface Target {
  /** As the config names it; no secrets. */
  readonly label: string
  /** False where the other side cannot sync to disk: then the grace period is twice as long. */
  readonly syncsToDisk: boolean
  /** Where it is, if it is a folder of this machine. */
  readonly folder?: string
  /**
   * Looks whether the target is there, as far as that can be seen without a file. `mayMake`: on first use its folder is made,
   * where the one above it exists.
   * @throws EdgeError with `retry` where waiting can help
   */
  reach(mayMake: boolean): Promise<void>
  /** What stands under the names of marks, read or compared there now; nothing is changed. Throws as `reach`. */
  compareMarks(marks: readonly Mark[], signal: AbortSignal): Promise<ReadonlyMap<string, Verdict>>
  /**
   * Writes a mark, whole or not at all. `new`: where nothing has its name; `over`: only where something has, so that a
   * disk that has just gone leaves no mark in the folder it was mounted on. Throws as `reach`.
   */
  writeMark(mark: Mark, how: 'new' | 'over', signal: AbortSignal): Promise<void>
  /**
   * Finds out what can be found out here about how to reach it; called before the first file of a date.
   * @throws EdgeError as `open`
   */
  prepare(): Promise<void>
  ship(files: readonly OutgoingFile[], work: Work): Promise<ShipResult>
  verify(files: readonly ExpectedFile[], work: Work): Promise<VerifyResult>
  /**
   * Brings copies here, to the same paths below `work.dataDir`, a folder that nobody reads: whoever asks looks at what came,
   * and proves it. Throws as `reach`, and where it may not read there.
   */
  fetch(paths: readonly string[], work: Work): Promise<void>
  /**
   * Brings files of one folder in the place of others there, in one step for readers; what they replace is then deleted,
   * the one deletion there is at a target. Missing where that cannot be done.
   */
  replace?(replacement: Replacement, work: Work): Promise<ShipResult>
}
