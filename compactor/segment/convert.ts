import { EdgeError } from '../../platform/edge-error.js'
import type { Engine } from '../engine.js'
import { writeFiles, type EarlierRows, type Written } from './write-files.js'
import type { Part } from '../files/parts.js'
import { writeQuarantine } from './quarantine.js'
import type { Source } from './source.js'
import { stageSegment, type Staging } from './stage-segment.js'
import { isKnown, isQuarantined } from '../lines/verdict.js'

/** What became of the lines of a segment; `written + duplicates + quarantined + known` are all of them. */
export interface Conversion {
  parts: Part[]
  rows: number
  /** Frames that have rows. */
  written: number
  /** Frames without rows of their own: every event in them has its row elsewhere. */
  duplicates: number
  /** Rows left out because their event has one elsewhere. */
  duplicateRows: number
  quarantined: number
  known: number
  /** How often each reason led to quarantine, or to no row for a frame that is understood. */
  reasons: Record<string, number>
  /** The quarantine file in the temporary folder, where there is one. */
  quarantine: string | undefined
}

/**
 * Converts a segment to Parquet files in `folder`, one per table, kind and currency, and checks that every line ended
 * in exactly one place. Same segment, same bytes. Nothing outside of `folder` is touched.
 *
 * Lines become rows in DuckDB (`stage-segment`), what cannot be a row is set aside with its reason; rows become files
 * (`write-files`), without those whose event has one elsewhere; what was set aside goes to quarantine.
 * @throws EdgeError ACCOUNTS_DIFFER; whatever DuckDB or the disk complain about
 */
export async function convertSegment(
  engine: Engine,
  source: Source,
  earlier: EarlierRows,
  folder: string,
): Promise<Conversion> {
  const staging = await stageSegment(engine, source, folder)
  requireAll(source, staging)
  const written: Written[] = []
  for (const filled of staging.tables) written.push(await writeFiles(engine, source, filled, earlier, folder))
  const quarantined = sumOf(staging.reasons, isQuarantined)
  const quarantine = quarantined > 0 ? await writeQuarantine(engine, source, folder) : undefined
  return { ...accountOf(staging, written), quarantined, quarantine }
}

/** Every line has rows or a reason. */
function requireAll(source: Source, { frames, reasons }: Staging): void {
  const accounted = frames + sumOf(reasons, () => true)
  if (accounted === source.frames) return
  throw new EdgeError(
    'ACCOUNTS_DIFFER',
    `${source.segment}: ${accounted} lines are accounted for, its manifest says ${source.frames}; nothing was kept`,
    { path: source.path, hint: 'edgetape verify says whether the file is damaged' },
  )
}

function accountOf({ frames, reasons }: Staging, written: readonly Written[]) {
  const parts = written.flatMap(each => each.parts)
  const duplicates = written.reduce((sum, each) => sum + each.duplicates.frames, 0)
  return {
    parts,
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    written: frames - duplicates,
    duplicates,
    duplicateRows: written.reduce((sum, each) => sum + each.duplicates.rows, 0),
    known: sumOf(reasons, isKnown),
    reasons,
  }
}

const sumOf = (counts: Record<string, number>, wanted: (reason: string) => boolean) =>
  Object.entries(counts).reduce((sum, [reason, count]) => sum + (wanted(reason) ? count : 0), 0)
