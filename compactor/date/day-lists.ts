import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  columnsMark,
  FEW_INSTRUMENTS,
  finishedListPath,
  readFinishedList,
  revokeFinishedList,
  writeFinishedList,
  type ListedFile,
} from '../../formats/finished-list.js'
import type { ParquetFile } from '../../formats/parquet-tree.js'
import { readReceiptsOf } from '../../formats/receipt.js'
import { recorderName } from '../../formats/recorder-name.js'
import { readDataIdentity } from '../../platform/data-identity.js'
import { sqlText } from '../../platform/duckdb.js'
import { sha256Of } from '../../platform/sha256.js'
import { withEngine, type Engine } from '../engine.js'
import { columnsOf } from '../lines/columns.js'
import type { JobOptions } from '../segment/job.js'
import { spillFolderOf } from '../temporary.js'
import { convertedDates, dateFiles } from './date-job.js'
import { planRollUps } from './roll-up.js'

/** Lists of finished days in one dataDir, as its compactor keeps them. */
export class DayLists {
  readonly #job: JobOptions
  readonly #host: string

  constructor(job: JobOptions, host: string) {
    this.#job = job
    this.#host = host
  }

  /** How a list of this dataDir is called. */
  get #owner(): string {
    const identity = readDataIdentity(this.#job.dataDir)
    return identity === undefined ? this.#host : recorderName(this.#host, identity)
  }

  /** Whether there is a list of a date. */
  has(date: string): boolean {
    const { dataDir } = this.#job
    return readFinishedList(dataDir, finishedListPath(date, this.#owner), () => false) !== undefined
  }

  /** To be called before anything is changed in a date that may be listed. */
  revoke(date: string): void {
    revokeFinishedList(this.#job.dataDir, date, this.#owner)
  }

  /**
   * Writes the list of a date that is rolled up, durably; not where files are gone from here already, for others still
   * have these.
   * @returns how many files it lists
   */
  async write(date: string): Promise<number | undefined> {
    const { dataDir, limits, signal } = this.#job
    const outputs = [...readReceiptsOf(dataDir, date).values()].flatMap(({ outputs }) => outputs)
    if (outputs.some(({ path }) => !existsSync(join(dataDir, path)))) return undefined
    const sums = new Map(outputs.map(({ path, bytes, sha256 }) => [`${path} ${bytes}`, sha256]))
    const describe = async (engine: Engine) => {
      const found: ListedFile[] = []
      for (const file of dateFiles(dataDir, date)) {
        signal?.throwIfAborted()
        found.push(await describeFile(engine, dataDir, file, sums))
      }
      return found
    }
    const files = await withEngine({ ...limits, spillFolder: spillFolderOf(dataDir) }, describe, signal)
    writeFinishedList(dataDir, date, this.#owner, files)
    return files.length
  }

  /** Lists all days anew that are rolled up, from their files, and revokes what is said of others. */
  async rebuild(isDue: (date: string) => boolean, onListed: (date: string, files: number) => void): Promise<void> {
    const { dataDir, signal } = this.#job
    for (const date of convertedDates(dataDir)) {
      if (signal?.aborted) return
      const isFinished = isDue(date) && planRollUps(dateFiles(dataDir, date), () => true).length === 0
      const files = isFinished ? await this.write(date) : undefined
      if (files !== undefined) onListed(date, files)
      else if (this.has(date)) this.revoke(date)
    }
  }
}

/** What a list says of a file, by the file itself. */
export async function describeFile(
  engine: Pick<Engine, 'rows'>,
  root: string,
  { path }: ParquetFile,
  sums: ReadonlyMap<string, string> = new Map(),
): Promise<ListedFile> {
  const full = join(root, path)
  const rows = `read_parquet([${sqlText(full)}], hive_partitioning = false)`
  const columns = await columnsOf(engine, rows)
  const has = (wanted: string) => columns.some(({ name }) => name === wanted)
  const spanOf = (name: string) =>
    has(name) ? `epoch_us(min(${name})::TIMESTAMPTZ), epoch_us(max(${name})::TIMESTAMPTZ)` : 'NULL, NULL'
  const [facts = []] = await engine.rows(
    `SELECT count(*), ${spanOf('exchange_ts')}, ${spanOf('recv_ts')},
      (SELECT decode(value) FROM parquet_kv_metadata([${sqlText(full)}]) WHERE decode(key) = 'schema_version') FROM ${rows}`,
  )
  const [count, ...numbers] = facts.map(value => (value === null ? undefined : Number(value)))
  const bytes = statSync(full).size
  return {
    path,
    rows: count ?? 0,
    bytes,
    sha256: sums.get(`${path} ${bytes}`) ?? (await sha256Of(full)),
    exchange_us: span(numbers[0], numbers[1]),
    recv_us: span(numbers[2], numbers[3]),
    ...(has('instrument_name') && (await instrumentsOf(engine, rows))),
    schema_version: numbers[4] ?? 1,
    columns: columnsMark(columns),
  }
}

const span = (least: number | undefined, greatest: number | undefined): [number, number] | null =>
  least === undefined || greatest === undefined ? null : [least, greatest]

async function instrumentsOf(engine: Pick<Engine, 'rows'>, rows: string) {
  const distinct = await engine.rows(`SELECT DISTINCT instrument_name FROM ${rows} WHERE instrument_name IS NOT NULL`)
  // In the order in which readers compare them, which is not that of SQL.
  const names = distinct.map(([name]) => String(name)).sort()
  const [least] = names
  const greatest = names.at(-1)
  if (names.length <= FEW_INSTRUMENTS || least === undefined || greatest === undefined) return { instruments: names }
  return { instruments_between: [least, greatest] satisfies [string, string] }
}
