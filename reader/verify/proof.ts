import type { Progress } from '../../platform/progress-bar.js'
import type { Findings } from './findings.js'

export interface ProofOptions {
  findings: Findings
  /** `YYYY-MM-DD`: what belongs to this date alone; undefined for all. A proof that cannot tell dates apart says so. */
  date?: string | undefined
  /** Path of the config file, for proofs that need more than a folder. */
  config: string
  /** Begins to show how far a proof has come; the caller ends it. */
  startProgress: (label: string, totalBytes: number) => Progress
}

export interface ProofResult {
  /** What was proven, in one line. */
  text: string
  /** The same for programs. */
  facts: Record<string, number>
}

/** One thing that `edgetape verify` proves, e.g. `verify raw`. */
export interface Proof {
  name: string
  describes: string
  /** Whether it can prove one date alone. */
  byDate?: true
  /** Whether a folder (a dataDir or a copy) holds any of it; `verify` without a name proves all that is there. */
  isHere: (root: string) => boolean
  /**
   * Proves what lies at `path`, in bounded memory, and tells what it finds as it goes.
   * @throws EdgeError where `path` is nothing that it could prove
   */
  prove: (path: string, options: ProofOptions) => Promise<ProofResult>
}
