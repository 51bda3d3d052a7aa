import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { parquetFolders } from '../formats/parquet-tree.js'
import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { dateOf } from '../platform/utc-date.js'
import { greatest } from '../platform/extremes.js'

const DAY_MS = 86_400_000
/** The last segments of a day are sealed and converted within this time of its end. */
const SETTLED_AFTER_MS = 2 * 3_600_000
/** A day that could not be written is tried again after this time. */
const RETRY_MS = 3_600_000
const WRITE_WITHIN_MS = 30 * 60_000

const main = fileURLToPath(new URL('../cli/main.js', import.meta.url))

/**
 * Yesterday, once it is settled and as long as its table was not written since then; else undefined. Pure.
 * @param writtenMs when the table of a date was written; undefined: never
 */
export function dueCoverage(nowMs: number, writtenMs: (date: string) => number | undefined): string | undefined {
  const date = dateOf(nowMs - DAY_MS)
  const settledMs = Date.parse(date) + DAY_MS + SETTLED_AFTER_MS
  return nowMs >= settledMs && (writtenMs(date) ?? 0) < settledMs ? date : undefined
}

/** Writes the tables of coverage of each day once it is over, by a process of its own, one at a time. */
export class DailyCoverage {
  readonly #dataDir: string
  readonly #log: Logger
  #isAtWork = false
  #underWay: Promise<void> = Promise.resolve()
  #done = ''
  #notBeforeMs = 0

  constructor(dataDir: string, log: Logger) {
    this.#dataDir = dataDir
    this.#log = log
  }

  /** Resolves when the process of its own has ended; never rejects. */
  ended(): Promise<void> {
    return this.#underWay
  }

  /** Starts what is due; to be called now and then. */
  tick(nowMs: number, signal: AbortSignal): void {
    if (this.#isAtWork || nowMs < this.#notBeforeMs || this.#done === dateOf(nowMs - DAY_MS)) return
    this.#notBeforeMs = nowMs + RETRY_MS
    const date = dueCoverage(nowMs, date => writtenMs(this.#dataDir, date))
    if (date === undefined) return
    this.#isAtWork = true
    const args = [main, 'coverage', this.#dataDir, '--date', date, '--write']
    this.#underWay = execa(process.execPath, args, { cancelSignal: signal, timeout: WRITE_WITHIN_MS })
      .then(({ stdout }) => {
        this.#done = date
        this.#log.info({ date, files: stdout.split('\n').filter(line => line !== '') }, 'coverage written')
      })
      .catch((error: unknown) => {
        if (!signal.aborted) this.#log.warn({ date, err: messageOf(error).slice(0, 500) }, 'coverage not written')
      })
      .finally(() => {
        this.#isAtWork = false
      })
  }
}

function writtenMs(dataDir: string, date: string): number | undefined {
  const times = [...parquetFolders(dataDir, { table: 'coverage', date })].flatMap(
    ({ path }) => statSync(join(dataDir, path), { throwIfNoEntry: false })?.mtimeMs ?? [],
  )
  return times.length === 0 ? undefined : greatest(times)
}
