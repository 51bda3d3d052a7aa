/**
 * What the compactor notes of a date of which nothing is left to do: `state/compactor/finished.json`. It can be lost, and
 * then each date is looked at once more.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '../platform/zod.js'
import { hasErrno } from '../platform/edge-error.js'
import { compactorState } from './receipt.js'

const sumSchema = z.object({ files: z.int(), bytes: z.int() })

const markSchema = z.object({
  /** How its folders were: those of its days alone, and with all of its hours and tables. */
  days: z.string(),
  all: z.string(),
  /** What lies in them. Marks of earlier versions have none. */
  raw: sumSchema.optional(),
  parquet: sumSchema.optional(),
})
const fileSchema = z.record(z.string(), markSchema)

export type FinishedMark = z.infer<typeof markSchema>

export const finishedPath = (dataDir: string) => join(compactorState(dataDir), 'finished.json')

/** By date; undefined where there is a file that is none of ours or was cut off. */
export function readFinishedMarks(dataDir: string): Map<string, FinishedMark> | undefined {
  try {
    const marks = fileSchema.safeParse(JSON.parse(readFileSync(finishedPath(dataDir), 'utf8')))
    return marks.success ? new Map(Object.entries(marks.data)) : undefined
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return new Map()
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
