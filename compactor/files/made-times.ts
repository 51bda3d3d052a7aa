import { statSync } from 'node:fs'
import { countOf, sqlText, UNREADABLE } from '../../platform/duckdb.js'
import { isMachineError, messageOf } from '../../platform/edge-error.js'
import type { Engine } from '../engine.js'
import type { CandidateFile } from './candidate-files.js'

/** Files that are remembered at most. */
const FILES_MAX = 100_000
/** Footers that one question looks at. */
const FILES_AT_ONCE = 500

/** When the rows of a file were made, at the exchange, µs; everything where its footer does not say. */
interface Made {
  /** Which content of the path it is of. */
  mark: string
  firstUs: number
  lastUs: number
}

/**
 * When the rows of files of tables were made, by their footers. Each is looked at once: of the files of all later days,
 * few hold rows of an old one, and each segment of that one asks for them again.
 */
export class MadeTimes {
  readonly #made = new Map<string, Made>()

  /** Those that may hold rows of a span. */
  async mayHold(
    engine: Engine,
    files: readonly CandidateFile[],
    fromUs: number,
    toUs: number,
  ): Promise<CandidateFile[]> {
    const unknown = files.filter(({ path }) => this.#made.get(path)?.mark !== markOf(path))
    for (const { path } of unknown) this.#made.delete(path)
    for (let at = 0; at < unknown.length; at += FILES_AT_ONCE)
      await this.#look(
        engine,
        unknown.slice(at, at + FILES_AT_ONCE).map(({ path }) => path),
      )
    return files.filter(({ path }) => {
      const made = this.#made.get(path)
      return !made || (made.firstUs <= toUs && made.lastUs >= fromUs)
    })
  }

  async #look(engine: Engine, paths: readonly string[]): Promise<void> {
    if (this.#made.size + paths.length > FILES_MAX) this.#made.clear()
    try {
      // Of a group of rows without such times the footer says nothing: it may hold any.
      const rows = await engine.rows(`
        SELECT file_name, epoch_us(min(first)), epoch_us(max(last)), count(*) - count(first) FROM (
          SELECT file_name, TRY_CAST(stats_min_value AS TIMESTAMPTZ) AS first, TRY_CAST(stats_max_value AS TIMESTAMPTZ) AS last
          FROM parquet_metadata([${paths.map(sqlText).join(', ')}]) WHERE path_in_schema = 'exchange_ts')
        GROUP BY file_name`)
      for (const [path, first, last, withoutTime] of rows) {
        if (typeof path !== 'string' || !first || !last || countOf(withoutTime) > 0) continue
        this.#made.set(path, { mark: markOf(path), firstUs: countOf(first), lastUs: countOf(last) })
      }
    } catch (error) {
      // Whoever reads the files says which of them it is.
      if (isMachineError(error) || !UNREADABLE.test(messageOf(error))) throw error
    }
  }
}

function markOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path)
  return `${ino} ${size} ${mtimeMs}`
}
