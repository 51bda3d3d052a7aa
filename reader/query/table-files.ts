import { join } from 'node:path'
import { planFiles, type FilePlan, type PlannedFile } from '../../formats/planned-files.js'
import { ALL_DAYS, type Days } from './dates-asked.js'

/**
 * The files of a table, of one exchange or all, as they are at this moment; only those that may hold rows of the days and
 * instruments that are asked for.
 */
export function filesOfTable(root: string, table: string, exchange?: string, days: Days = ALL_DAYS): FilePlan {
  const { instruments, ...dates } = days
  return planFiles(root, { table, exchange, dates, instruments })
}

/** Full paths. */
export const pathsOf = (root: string, files: readonly PlannedFile[]): string[] =>
  files.map(({ path }) => join(root, path))

/** Whether all files have the same columns, as lists say. */
export function haveSameColumns(files: readonly PlannedFile[]): boolean {
  const marks = new Set(files.map(({ listed }) => listed?.columns))
  return marks.size === 1 && !marks.has(undefined)
}
