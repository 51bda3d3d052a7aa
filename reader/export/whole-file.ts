import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from '../../platform/zod.js'
import { createFolderDurable, fsyncFolder, writeFileDurable } from '../../platform/durable-file.js'
import { localDisk } from '../../platform/disk.js'
import { sha256Of } from '../../platform/sha256.js'
import { timeText } from '../../platform/moment.js'
import { version } from '../../platform/package-info.js'
import type { ExportGap } from './account.js'

/** What became of a file's rows, as its sidecar says beside the account. */
export interface WrittenRows {
  rows: number
  /** Spans in which the rows say nothing, found while they were written: books that were not known. */
  unknown?: ExportGap[]
  /** Rows that say of themselves that they are not covered. */
  uncovered?: number
  /** Whatever else a reader should know, by name. */
  notes?: Readonly<Record<string, unknown>>
}

const sidecarSchema = z.object({ asked: z.string(), file: z.string(), sha256: z.string() })

/** Where the account of an exported file stands. */
export const sidecarOf = (path: string) => `${path}.account.json`

/** Whether a file of an earlier export is whole and answers the same question. */
export function isExported(path: string, asked: string): boolean {
  const sidecar = sidecarOf(path)
  if (!existsSync(path) || !existsSync(sidecar)) return false
  try {
    return sidecarSchema.parse(JSON.parse(readFileSync(sidecar, 'utf8'))).asked === asked
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return false
    throw error
  }
}

interface About {
  /** All that the file depends on. */
  asked: string
  gaps: readonly ExportGap[]
  recorded: { fromUs: number; toUs: number } | undefined
  span: { fromUs: number; toUs: number }
  facts: Readonly<Record<string, unknown>>
}

/** Makes a file under another name, and gives it its own when it is whole and durable; its account follows. */
export async function writeExported(
  path: string,
  { asked, gaps, recorded, span, facts }: About,
  write: (temporary: string) => Promise<WrittenRows>,
): Promise<WrittenRows> {
  createFolderDurable(dirname(path))
  const temporary = `${path}.part`
  rmSync(sidecarOf(path), { force: true })
  try {
    const written = await write(temporary)
    const sha256 = await sha256Of(temporary)
    const fd = localDisk.open(temporary, 'append')
    localDisk.sync(fd)
    localDisk.close(fd)
    renameSync(temporary, path)
    fsyncFolder(dirname(path))
    const { rows, unknown = [], uncovered, notes = {} } = written
    const notKnown = uncovered === undefined ? 'unknown: no journal covers it' : 'see column covered of each row'
    const sidecar = {
      ...{ asked, file: path.slice(dirname(path).length + 1), sha256, edgetape: version, ...facts, rows },
      span: textSpan(span),
      recorded: recorded ? textSpan(recorded) : notKnown,
      gaps: gaps.map(textGap),
      unknown: unknown.map(textGap),
      ...notes,
    }
    writeFileDurable(sidecarOf(path), `${JSON.stringify(sidecar, undefined, 1)}\n`)
    return written
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

const textSpan = ({ fromUs, toUs }: { fromUs: number; toUs: number }) => ({
  from: timeText(fromUs),
  to: timeText(toUs),
})
export const textGap = ({ cause, ...span }: ExportGap) => ({ ...textSpan(span), cause })
