import type { Config } from '../config/schema.js'
import type { Clock } from '../platform/clock.js'
import type { EdgeError } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import type { DateSummary } from './date-summary.js'
import { graceOf } from './grace.js'
import type { LedgerStore } from './ledger-store.js'
import type { TargetPlace } from './place/target-place.js'
import { PreparedFiles } from './prepared-files.js'
import { emptyReport, type PassReport } from './report.js'
import type { Target, Work } from './targets/target.js'
import { isOpen, parseWindow } from './window.js'

/** What bounds a pass. */
export interface PassLimits {
  /** A pass over a long backlog ends after so long, so that the next one can begin with what is new, ms. */
  passMs: number
  /** What is held in memory and travels at once: few enough that what is new meanwhile does not wait long behind it. */
  batch: { files: number; bytes: number }
}

export const PASS_LIMITS: PassLimits = { passMs: 60_000, batch: { files: 2000, bytes: 256 * 1024 ** 2 } }

/** What a syncer is made of; everything that touches time or the target is passed in. */
export interface Syncer {
  /** Real path. */
  dataDir: string
  config: Pick<Config, 'sync' | 'retention'>
  /** Of the recorder here, as in the names of its files. */
  recorder: string
  target: Target
  place: TargetPlace
  ledgers: LedgerStore
  clock: Clock
  log: Logger
  signal: AbortSignal
  limits: PassLimits
  /** Called now and then while a pass is at work. */
  onProgress: (report: PassReport) => void
  memory: PassMemory
}

/** What one pass leaves for the next. All of it can be found out again. */
export interface PassMemory {
  /** By date: what is still to be done, and the bytes here. */
  dates: Map<string, DateSummary>
  prepared: PreparedFiles
  lastFullMs: number | undefined
  /** An error of the target that needs time or a person: until then, as `endsMs`, passes leave it alone. */
  barred: { error: EdgeError; untilMs: number } | undefined
}

export const monotonicMs = (clock: Pick<Clock, 'monotonicUs'>) => clock.monotonicUs() / 1000

export function emptyMemory(): PassMemory {
  return { dates: new Map(), prepared: new PreparedFiles(), lastFullMs: undefined, barred: undefined }
}

/** What all steps of one pass work with. */
export interface PassWork extends Syncer {
  /** What became of all; what goes wrong leaves by here. */
  report: PassReport
  /** Outside of `sync.window` nothing is uploaded. */
  mayShip: boolean
  /** From then on no more is begun, so that the next pass can look for what is new; ms of the clock that nobody sets. */
  endsMs: number
  /** Called for each file that is through, with its bytes. */
  onFile: (bytes: number) => void
}

export function beginPass(syncer: Syncer): PassWork {
  const { target, clock, config, limits, onProgress } = syncer
  const report = emptyReport(target.label)
  const onFile = (bytes: number) => {
    report.handledFiles++
    report.handledBytes += bytes
    onProgress(report)
  }
  const mayShip = isOpen(parseWindow(config.sync.window), clock.nowMs())
  return { ...syncer, report, mayShip, endsMs: monotonicMs(clock) + limits.passMs, onFile }
}

/** How long what was brought waits before it is compared, ms. */
export const graceIn = ({ config, target }: Syncer) => graceOf(config.sync, target)

/** What a target is given to work with. */
export function targetWork({ dataDir, signal, onFile }: PassWork): Work {
  return { dataDir, signal, onFile }
}

/** True where nothing more may be begun: asked to stop, or the target has failed. */
export function isStopped({ signal, report }: PassWork): boolean {
  return signal.aborted || report.error !== undefined
}

/** True where the pass has taken its time. */
export function isOver({ clock, endsMs }: PassWork): boolean {
  return monotonicMs(clock) >= endsMs
}

/** What failed only because we were asked to stop is no failure of the target. */
export function failWith({ report, signal }: PassWork, error: EdgeError | undefined): void {
  if (error && !signal.aborted) report.error = error
}
