import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { tables as allTables, tablesOf } from '../../compactor/tables.js'
import { isWholeParquet } from '../../formats/parquet-footer.js'
import { parquetFiles, parquetTables } from '../../formats/parquet-tree.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { EdgeError } from '../../platform/edge-error.js'
import { sqlName, sqlText } from '../../platform/duckdb.js'
import { partitionFolders } from '../../formats/partition-folders.js'
import type { PlannedFile } from '../../formats/planned-files.js'
import { datesWithReceipts } from '../../formats/receipt.js'
import type { NormalizedView } from '../../exchanges/normalized.js'
import { partitionedSql } from '../../formats/partitioned-sql.js'
import { ALL_DAYS, intersection, type Days } from './dates-asked.js'
import { freshSegments, sayIn } from './fresh-segments.js'
import type { FreshFile, FreshRows } from './fresh-rows.js'
import { normalizedSql, sharedPart, type OwnTable } from './normalized-views.js'
import { columnsOfOwnTable, columnsOfTables, emptySelect } from './relation.js'
import { filesOfTable, haveSameColumns, pathsOf } from './table-files.js'
import { EVERYTHING, receivedWithin, type Within } from './within.js'

/**
 * The tables below a root (a dataDir, or a copy of one) as views of a DuckDB, with the columns of their partitions
 * (exchange, kind, currency, date) beside their own. A view is made when something asks for it, of the files that are
 * there at that moment.
 */
export class Dataset {
  readonly #connection: DuckDBConnection
  readonly #root: string
  readonly #fresh: FreshRows | undefined
  readonly #within: Within
  readonly #torn = new Set<string>()
  /** Tables that have views, and which days these are of. */
  readonly #shown = new Map<string, Days>()

  /**
   * @param fresh what is only in raw yet; without it, only Parquet is read
   * @param within of which rows alone there are
   * @throws EdgeError QUERY_NO_DATA
   */
  constructor(connection: DuckDBConnection, root: string, fresh?: FreshRows, within = EVERYTHING) {
    this.#connection = connection
    this.#within = within
    this.#root = root
    this.#fresh = fresh
    if (parquetFiles(root).next().done === false || (fresh && rawFiles(root).next().done === false)) return
    throw new EdgeError('QUERY_NO_DATA', `no ${fresh ? 'raw data and no ' : ''}Parquet below ${root}`, {
      path: root,
      hint: 'wanted a dataDir or a copy of one: the folder that holds raw/ and parquet/',
    })
  }

  /** Names of all tables: those of the exchanges that are here, and whatever else has files. */
  get tables(): string[] {
    const here = this.exchanges
    const known = here.length > 0 ? here.flatMap(name => tablesOf(exchangeNamed(name))) : allTables
    return [...new Set([...known.map(({ name }) => name), ...parquetTables(this.#root).keys()])].sort()
  }

  /** Makes the views of tables anew. */
  async show(tables: readonly string[], daysOf: (table: string) => Days = () => ALL_DAYS): Promise<void> {
    for (const table of tables) {
      const days = intersection(daysOf(table), this.#within.days)
      this.#shown.set(table, days)
      await this.#connection.run(`CREATE OR REPLACE VIEW "${table}" AS ${await this.#relation(table, days)}`)
    }
  }

  /** Makes views of those tables that have none yet, for their names and columns: no file of a known table is looked for. */
  async showNames(tables: readonly string[]): Promise<void> {
    const unseen = tables.filter(table => !this.#shown.has(table))
    const columns = await columnsOfTables(table => unseen.includes(table))
    for (const table of unseen) {
      const known = columns.get(table)
      if (!known) await this.show([table])
      else await this.#connection.run(`CREATE OR REPLACE VIEW "${table}" AS ${emptySelect(known)}`)
    }
  }

  /** Exchanges of which anything is here, by name. */
  get exchanges(): string[] {
    const found = new Set<string>()
    for (const path of ['raw', 'parquet'])
      for (const { values } of partitionFolders(this.#root, { path, values: {} }, [{ key: 'exchange' }], {}))
        found.add(values['exchange'] ?? '')
    return [...found].sort()
  }

  /** Makes a view `<exchange>.<table>` of an exchange's table: its own columns, whether or not there are rows. */
  async showOwn({ exchange, table }: OwnTable, days: Days = ALL_DAYS): Promise<void> {
    const known = await columnsOfOwnTable(exchange, table)
    const sql = await this.#rowsOf(table, intersection(days, this.#within.days), exchange)
    const rows = sql === undefined ? [] : [sql]
    if (known.length === 0 && rows.length === 0) return
    const all = [...rows, ...(known.length > 0 ? [emptySelect(known)] : [])]
    await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${sqlName(exchange)};
      CREATE OR REPLACE VIEW ${sqlName(exchange)}.${sqlName(table)} AS ${all.map(sql => `(${sql})`).join(' UNION ALL BY NAME ')}`)
  }

  /** Makes a view over all exchanges that are here; the tables that it is made of have views already. */
  async showNormalized(view: NormalizedView): Promise<void> {
    const here = this.exchanges
    for (const exchange of here) await this.#connection.run(sharedPart(exchange))
    await this.#connection.run(normalizedSql(view, here))
  }

  /** The Parquet files of tables, but for those that were left out. */
  filesOf(tables: readonly string[]): string[] {
    const files = tables.flatMap(table =>
      pathsOf(this.#root, filesOfTable(this.#root, table, undefined, this.#shown.get(table)).files),
    )
    return files.filter(path => !this.#torn.has(path))
  }

  /** Leaves out files that are no whole Parquet files, among those of these tables; returns what was not known before. */
  leaveTornOut(tables: readonly string[]): string[] {
    const torn = this.filesOf(tables).filter(path => !isWholeParquet(path))
    for (const path of torn) this.#torn.add(path)
    return torn
  }

  async #relation(table: string, days: Days): Promise<string> {
    const rows = await this.#rowsOf(table, days)
    if (rows !== undefined) return rows
    const columns = await columnsOfTables(name => name === table)
    return emptySelect(columns.get(table) ?? [])
  }

  /**
   * A query for the rows of a table; undefined where there is no file.
   * @param exchange whose files alone are wanted; undefined: of all
   */
  async #rowsOf(table: string, days: Days, exchange?: string): Promise<string | undefined> {
    const before = filesOfTable(this.#root, table, exchange, days)
    // A copy says of its finished days that nothing is on its way; where it is made, receipts say what is.
    const isWhole = !this.#fresh || (before.isFinished && datesWithReceipts(this.#root).length === 0)
    const fresh = this.#fresh && !isWhole ? await this.#freshOf(this.#fresh, table, days, exchange) : []
    // Looked at after raw: whatever the compactor made of a segment meanwhile stands for it.
    const { files } = isWhole ? before : filesOfTable(this.#root, table, exchange, days)
    const left = (await this.#withoutCovered(files, fresh)).map(({ path }) => join(this.#fresh?.folder ?? '', path))
    const paths = [...pathsOf(this.#root, files), ...left].filter(path => !this.#torn.has(path))
    const isUniform = left.length === 0 && haveSameColumns(files)
    return paths.length === 0 ? undefined : this.#received(partitionedSql(paths, { dateType: 'DATE', isUniform }))
  }

  /** Tables of accounts have no time of receipt: of those the days count. */
  async #received(sql: string): Promise<string> {
    const { span } = this.#within
    if (!span) return sql
    const columns = (await this.#connection.runAndReadAll(`DESCRIBE ${sql}`)).getRows().map(([name]) => name)
    return columns.includes('recv_ts') ? receivedWithin(sql, span) : sql
  }

  async #freshOf(rows: FreshRows, table: string, days: Days, exchange?: string): Promise<FreshFile[]> {
    const covered = async (dates: ReadonlySet<string>, { first, last }: Days) => {
      const before = filesOfTable(this.#root, table, exchange, { first, last }).files
      const here = before.filter(({ folder }) => dates.has(folder.date))
      const folders = [...new Set(here.map(({ folder }) => folder.path))]
      return new Set(
        (await Promise.all(folders.map(folder => this.#covered(before, folder)))).flatMap(names => [...names]),
      )
    }
    const segmentsOf = async (within: Days) =>
      (await freshSegments(this.#root, table, within, covered)).filter(
        ({ name }) => exchange === undefined || name.exchange === exchange,
      )
    const segments = await segmentsOf(days)
    if (segments.length === 0) return []
    const { instruments } = days
    const names = instruments && { instruments }
    const { fromUs, before } = sayIn(segments, days, rows.windowUs)
    // They are converted for the copies in them alone: an event stays in the row that came first.
    if (before) await rows.convert(await segmentsOf(before), { ...names, fromUs: before.fromUs })
    const files = await rows.convert(segments, { ...names, ...(fromUs !== undefined && { fromUs }) })
    return files.filter(file => file.table === table)
  }

  async #withoutCovered(files: readonly PlannedFile[], fresh: readonly FreshFile[]): Promise<FreshFile[]> {
    const left: FreshFile[] = []
    for (const file of fresh) if (!(await this.#covered(files, dirname(file.path))).has(file.name)) left.push(file)
    return left
  }

  /** Names of the files of a partition, those included that a day's file replaced. */
  async #covered(files: readonly PlannedFile[], folder: string): Promise<ReadonlySet<string>> {
    const here = files.filter(file => file.folder.path === folder)
    const names = here.map(({ file }) => file)
    const days = here.filter(({ name }) => name.hour === undefined)
    const readable = days.map(({ path }) => join(this.#root, path)).filter(path => !this.#torn.has(path))
    if (readable.length === 0) return new Set(names)
    const answer = await this.#connection.runAndReadAll(
      `SELECT unnest(from_json(decode(value), '["VARCHAR"]')) FROM parquet_kv_metadata([${readable.map(sqlText).join(', ')}])
        WHERE decode(key) = 'replaces'`,
    )
    return new Set([...names, ...answer.getRows().map(([name]) => String(name))])
  }
}
