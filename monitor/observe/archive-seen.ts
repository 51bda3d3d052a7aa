import { damageKnown, readProofState, type KeptFault } from '../../formats/proof-state.js'

/** How far the files were proven, by `verify bits` of people or in the background. */
export interface ArchiveSeen {
  /** The round that is under way: all dates up to here. */
  throughDate: string | undefined
  datesDone: number | undefined
  dates: number | undefined
  /** When it was last at work. */
  workedMs: number
  /** When the last full round came to its end, and what it read. */
  lastEndedMs: number | undefined
  lastFiles: number | undefined
  lastBytes: number | undefined
  rotten: readonly KeptFault[]
}

/** Undefined where nothing was ever proven. */
export function archiveOf(dataDir: string): ArchiveSeen | undefined {
  const state = readProofState(dataDir, 'bits')
  if (!state) return undefined
  const { round, last, writtenMs } = state
  return {
    throughDate: round?.at?.date,
    datesDone: round?.datesDone,
    dates: round?.dates,
    workedMs: writtenMs,
    lastEndedMs: last?.endedMs,
    lastFiles: last?.facts['files'],
    lastBytes: last?.facts['bytes'],
    rotten: damageKnown(state),
  }
}
