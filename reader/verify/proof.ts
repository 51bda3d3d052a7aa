import type { Progress } from '../../platform/progress-bar.js'
import type { Findings } from './findings.js'
import type { Round } from './round.js'

export interface ProofOptions {
  findings: Findings
  /** `YYYY-MM-DD`: what belongs to this date alone; undefined for all. A proof that cannot choose by date says so. */
  date?: string | undefined
  /** Path of the config file, for proofs that need more than a folder. */
  config: string
  /** Begins to show how far a proof has come; the caller ends it. */
  startProgress: (label: string, total: number, unit?: 'bytes' | 'steps') => Progress
  /** For proofs that go on where they were stopped. */
  round: Round
  /** Whoever waits for a proof that goes on where it was stopped has waited long enough. */
  signal: AbortSignal
  /** Of a proof that can: what is damaged is to be mended. */
  repair?: boolean
}

export interface ProofResult {
  /** What was proven, in one line. */
  text: string
  /** The same for programs. */
  facts: Record<string, number>
  /** False where it did not come to its end; of a proof that goes on later. */
  isWhole?: boolean
}

/** One thing that `edgetape verify` proves, e.g. `verify raw`. */
export interface Proof {
  name: string
  describes: string
  /** Whether it can prove one date alone. */
  byDate?: true
  /** Whether it goes by its `round`, and ends soon after its `signal` says so. */
  goesOn?: true
  /** Whether it can mend what it finds. */
  mends?: true
  /** Whether a folder (a dataDir or a copy) holds any of it; `verify` without a name proves all that is there. */
  isHere: (root: string) => boolean
  /**
   * Proves what lies at `path`, in bounded memory, and reports what it finds as it goes.
   * @throws EdgeError where `path` is nothing that it could prove
   */
  prove: (path: string, options: ProofOptions) => Promise<ProofResult>
}
