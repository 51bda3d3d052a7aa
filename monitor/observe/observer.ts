import { totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock, type Clock } from '../../platform/clock.js'
import { openElsewhere, type OpenElsewhere } from '../../formats/left-open.js'
import { archiveOf, type ArchiveSeen } from './archive-seen.js'
import { diskUseOf, spaceOf, type DiskUse } from './disk-use.js'
import { inOneLine } from '../../formats/journal/heirs.js'
import type { Gap } from '../../formats/journal/gap.js'
import { gapsOf } from '../../formats/journal/gaps.js'
import { JournalFollower } from './journal-follower.js'
import { observationOf, type Observation } from './observation.js'
import { recorderStatus } from '../../formats/part-status.js'
import { isRecorder, reportsOf, titleOf, type PartReport } from './parts.js'
import { reportFiles, type ReportFile } from '../../formats/report-path.js'
import { versionsOf, type VersionsSeen } from './versions-seen.js'
import { countedOf, noRates, ratesBetween, type Counted, type Rates } from './rates.js'

/** Status files are small; the journal and the tree of files are looked at less often, ms. */
const JOURNAL_EVERY_MS = 4000
const FILES_EVERY_MS = 60_000
const GAPS_KEPT_MS = 24 * 3_600_000
/** The recorder writes its status once a second. */
const NEXT_STATUS_WITHIN_MS = 2500
/** Rates are over at least this time, so that the second in which a status is written matters little. */
const RATE_OVER_MS = 4000

/**
 * Looks at what the parts of one dataDir wrote: status files, journal, names and sizes of files. Needs none of them
 * alive, and writes nothing.
 */
export class Observer {
  readonly #dataDir: string
  readonly #clock: Clock
  readonly #journal: JournalFollower
  readonly #recorders: readonly (string | undefined)[]
  /** By recorder. */
  readonly #rates = new Map<string, RateMeter>()
  #gaps: Gap[] = []
  #use: DiskUse | undefined
  #elsewhere: OpenElsewhere[] = []
  #reports: readonly ReportFile[] = []
  #archive: ArchiveSeen | undefined
  #versions: VersionsSeen | undefined
  #journalReadMs = -Infinity
  #filesSeenMs = -Infinity

  /** @param recorders what distinguishes the status files of this dataDir's recorders */
  constructor(dataDir: string, clock: Clock = systemClock, recorders: readonly (string | undefined)[] = [undefined]) {
    this.#dataDir = dataDir
    this.#recorders = recorders
    this.#clock = clock
    this.#journal = new JournalFollower(dataDir)
  }

  /** What is to be seen now; rates need an earlier look at the same run. */
  look(): Observation {
    const atMs = this.#clock.nowMs()
    const monotonicMs = this.#clock.monotonicUs() / 1000
    const reports = reportsOf(this.#dataDir, this.#recorders, atMs)
    if (monotonicMs - this.#journalReadMs >= JOURNAL_EVERY_MS) {
      this.#gaps = gapsOf(inOneLine(this.#journal.since((atMs - GAPS_KEPT_MS) * 1000)))
      this.#journalReadMs = monotonicMs
    }
    if (monotonicMs - this.#filesSeenMs >= FILES_EVERY_MS) {
      this.#use = diskUseOf(this.#dataDir, atMs)
      this.#reports = reportFiles(this.#dataDir)
      this.#archive = archiveOf(this.#dataDir)
      this.#versions = versionsOf(this.#dataDir)
      const own = reports.filter(isRecorder).map(({ status }) => recorderStatus.parse(status))
      const exchanges = own.flatMap(({ exchange }) => exchange ?? [])
      this.#elsewhere = openElsewhere(this.#dataDir, { exchanges, host: own[0]?.host }, this.#use.openBy)
      // Many files take long to look at: then less often, so that it never takes more than a tenth of the time.
      const tookMs = this.#clock.monotonicUs() / 1000 - monotonicMs
      this.#filesSeenMs = monotonicMs + 10 * tookMs
    }
    const space = spaceOf(this.#dataDir)
    return observationOf({
      atMs,
      parts: reports,
      rates: new Map(reports.filter(isRecorder).map(report => [titleOf(report), this.#ratesOf(report)])),
      gaps: this.#gaps,
      use: this.#use,
      space,
      memoryLimitBytes: memoryLimit(),
      elsewhere: this.#elsewhere,
      reports: this.#reports,
      archive: this.#archive,
      versions: this.#versions,
    })
  }

  /** Looks twice, a status of each recorder apart, so that there are rates; once where no recorder runs. */
  async lookForRates(): Promise<Observation> {
    const first = this.look()
    const before = writtenBy(first)
    if (before.size === 0) return first
    const untilMs = performance.now() + NEXT_STATUS_WITHIN_MS
    for (;;) {
      await sleep(100)
      const next = this.look()
      const isNew = [...writtenBy(next)].every(([recorder, writtenAt]) => writtenAt !== before.get(recorder))
      if (isNew || performance.now() >= untilMs) return next
    }
  }

  #ratesOf(recorder: PartReport): Rates {
    const meter = this.#rates.get(titleOf(recorder)) ?? new RateMeter()
    this.#rates.set(titleOf(recorder), meter)
    return meter.note(countedOf(recorderStatus.parse(recorder.status), recorder.writtenAt))
  }
}

/** A limit that nobody set is a number beyond all memory, or 0. */
function memoryLimit(): number {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : totalmem()
}

/** The last seconds of one recorder's counts. */
class RateMeter {
  readonly #counted: Counted[] = []
  #rates: Rates = noRates

  note(counted: Counted | undefined): Rates {
    const last = this.#counted.at(-1)
    if (!counted || counted.atMs === last?.atMs) return this.#rates
    if (last && (counted.run !== last.run || counted.atMs < last.atMs)) this.#counted.length = 0
    this.#counted.push(counted)
    while (this.#counted.length > 2 && counted.atMs - (this.#counted[1]?.atMs ?? 0) >= RATE_OVER_MS)
      this.#counted.shift()
    this.#rates = ratesBetween(this.#counted[0], counted)
    return this.#rates
  }
}

/** When each recorder that runs wrote its status. */
function writtenBy({ parts }: Observation): ReadonlyMap<string, string | undefined> {
  const running = parts.filter(report => isRecorder(report) && report.state === 'running')
  return new Map(running.map(report => [titleOf(report), report.writtenAt]))
}
