import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { closest } from 'fastest-levenshtein'
import { UNREADABLE } from '../../platform/duckdb.js'
import { tornParquet } from '../../formats/parquet-footer.js'
import { EdgeError, isMachineError, messageOf } from '../../platform/edge-error.js'
import { showGaps } from '../../coverage/account/gaps-table.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { unreadableAmong } from '../../formats/unreadable-parquet.js'
import { ALL_DAYS, daysAsked, GAPS, intersection, union, type Days } from './dates-asked.js'
import { FreshRows, type FreshSettings } from './fresh-rows.js'
import { Dataset } from './dataset.js'
import { normalizedViews, type NormalizedView } from '../../exchanges/normalized.js'
import { normalizedIn, ownTablesIn, partOf, type OwnTable } from './normalized-views.js'
import { namedIn, readyViews, sharedSql, type ReadyView } from './ready-views.js'
import { EVERYTHING, type Within } from './within.js'

export interface SessionOptions {
  /** A dataDir, or a copy of one. */
  root: string
  /** How to read what is only in raw yet; without it only Parquet is read. */
  fresh: FreshSettings | undefined
  /** Rows of these alone are there; undefined: all. */
  within?: Within | undefined
  /** Called with what is left out. */
  note: (text: string) => void
  /** Called for each Parquet file whose rows are missing in all answers from now on. */
  leftOut?: (error: EdgeError) => void
}

/** Files come and go while they are asked: so often is a statement tried. */
const TRIES = 3
/** A file was rolled up between being listed and being opened. */
const FILE_GONE = /No files found|Cannot open file|Could not open|does not exist.*\.parquet/i
/** Statements that ask for names rather than rows. */
const ASKS_FOR_NAMES = /\b(?:show|information_schema|duckdb_\w+)\b/i

/** Tables of single exchanges, each with all the days that are asked of it. */
class DaysOfTables {
  readonly #tables = new Map<string, [OwnTable, Days]>()

  add(own: OwnTable, days: Days): void {
    const key = `${own.exchange}.${own.table}`
    this.#tables.set(key, [own, union(this.#tables.get(key)?.[1], days)])
  }

  [Symbol.iterator](): Iterator<[OwnTable, Days]> {
    return this.#tables.values()
  }
}

/** In a query: rows depend on other rows. */
const LOOKS_AROUND = /\b(?:over|group\s+by|distinct|qualify|limit)\b/i
/** Functions that take a table's name, or a query, as text. */
const ASKS_BY_TEXT = /\bquery(?:_table)?\s*\(/i
/** Statements after which a table may be asked for without being named, or a name mean something else. */
const MAKES = /\b(?:create|drop|prepare|alter|attach|load|begin)\b/i

/** DuckDB with a view for each table, made as statements ask for them. */
export class QuerySession {
  readonly connection: DuckDBConnection
  readonly #dataset: Dataset
  readonly #scratch: string
  readonly #leftOut: NonNullable<SessionOptions['leftOut']>
  readonly #ready = readyViews()
  /** Ready views that were made: what they ask is looked up whenever they are asked. */
  readonly #made = new Set<string>()
  readonly #showGaps: (days: Days) => Promise<void>
  /** Days that `gaps` covers. */
  #gapsOf: Days | undefined
  #plans = true

  private constructor(
    connection: DuckDBConnection,
    dataset: Dataset,
    scratch: string,
    leftOut: NonNullable<SessionOptions['leftOut']>,
    showGaps: (days: Days) => Promise<void>,
  ) {
    this.#showGaps = showGaps
    this.connection = connection
    this.#leftOut = leftOut
    this.#dataset = dataset
    this.#scratch = scratch
  }

  /** @throws EdgeError QUERY_NO_DATA */
  static async open(options: SessionOptions): Promise<QuerySession> {
    const { root, fresh, note, leftOut = () => undefined, within = EVERYTHING } = options
    const scratch = mkdtempSync(join(tmpdir(), 'edgetape-query-'))
    try {
      const rows = fresh && new FreshRows(root, scratch, fresh, note)
      mkdirSync(join(scratch, 'fresh'))
      const connection = await openDuckDb()
      await connection.run(`SET temp_directory = ${sqlText(join(scratch, 'spill'))}`)
      await connection.run(sharedSql())
      const gaps = (days: Days) => showGaps(connection, root, intersection(days, within.days), note)
      return new QuerySession(connection, new Dataset(connection, root, rows, within), scratch, leftOut, gaps)
    } catch (error) {
      rmSync(scratch, { recursive: true, force: true })
      throw error
    }
  }

  get readyViews(): readonly ReadyView[] {
    return this.#ready
  }

  get tables(): readonly string[] {
    return this.#dataset.tables
  }

  /**
   * Does something with a statement after making the views that it names. Where files went away meanwhile, views are
   * made anew and it is done again.
   * @throws EdgeError QUERY_FAILED, PARQUET_UNREADABLE
   */
  async ask<Result>(sql: string, action: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#makeViews(sql)
        return await action(this.connection)
      } catch (cause) {
        if (attempt < TRIES && (FILE_GONE.test(messageOf(cause)) || this.#leavesTornOut(sql, cause))) continue
        if (cause instanceof EdgeError) throw cause
        throw (
          (await unreadableAmong(this.connection, this.#dataset.filesOf(this.#tablesIn(sql)), cause)) ??
          this.#failed(cause)
        )
      }
    }
  }

  /** Removes what was made for it. */
  clear(): void {
    rmSync(this.#scratch, { recursive: true, force: true })
  }

  async #makeViews(sql: string): Promise<void> {
    const { views, tables } = namedIn(sql, this.#ready, [...this.tables, GAPS])
    const days = await this.#plan(sql)
    const daysOf = (name: string) => days?.get(name.toLowerCase()) ?? ALL_DAYS
    if (tables.includes(GAPS)) await this.#ensureGaps(daysOf(GAPS))
    if (ASKS_FOR_NAMES.test(sql)) await this.#dataset.showNames(this.tables)
    const text = [sql, ...views.map(view => view.sql)].join('\n')
    const normalized = normalizedIn(text)
    // Columns bear names of tables, too, such as open_interest: where the parser says which are meant, its word counts.
    const isMeant = (name: string) => !days || ASKS_BY_TEXT.test(sql) || days.has(name)
    await this.#dataset.show(this.#tablesIn(sql).filter(isMeant), daysOf)
    const partsOf = (view: NormalizedView) => this.#dataset.exchanges.flatMap(exchange => partOf(view, exchange) ?? [])
    const asked = new DaysOfTables()
    for (const own of ownTablesIn(text)) asked.add(own, daysOf(`${own.exchange}.${own.table}`))
    for (const view of normalized)
      for (const part of partsOf(view)) {
        const tables = ownTablesIn(part)
        // A row's date is its table's; what other tables, or other rows, say of it may be of an earlier day.
        const { first, last } = tables.length === 1 && !LOOKS_AROUND.test(part) ? daysOf(view.name) : ALL_DAYS
        // What a view calls an instrument may be made of something else.
        const wanted = { first, last }
        for (const own of tables) asked.add(own, wanted)
      }
    for (const [own, wanted] of asked) await this.#dataset.showOwn(own, wanted)
    for (const view of normalized) await this.#dataset.showNormalized(view)
    for (const { name, sql } of views) {
      // A statement may have made something else of its name.
      if (this.#plans && this.#made.has(name)) continue
      await this.connection.run(sql)
      this.#made.add(name)
    }
  }

  /** Days that `gaps` covers already are not read again. */
  async #ensureGaps(days: Days): Promise<void> {
    const shown = this.#gapsOf
    if (shown && shown.first <= days.first && shown.last >= days.last) return
    await this.#showGaps(days)
    this.#gapsOf = days
  }

  /** Where a statement met files that are not whole, reports them; from now on they are left out. */
  #leavesTornOut(sql: string, cause: unknown): boolean {
    if (isMachineError(cause) || !UNREADABLE.test(messageOf(cause))) return false
    const torn = this.#dataset.leaveTornOut(this.#tablesIn(sql))
    for (const path of torn) this.#leftOut(tornParquet(path))
    return torn.length > 0
  }

  /** Days that a statement can need, by table; undefined where nobody knows. What it makes of tables may be asked for other days later. */
  async #plan(sql: string): Promise<ReadonlyMap<string, Days> | undefined> {
    if (MAKES.test(sql)) this.#plans = false
    return this.#plans ? await daysAsked(this.connection, sql, this.#ready) : undefined
  }

  #tablesIn(sql: string): readonly string[] {
    return namedIn(sql, this.#ready, this.tables).tables
  }

  #failed(cause: unknown): EdgeError {
    const message = messageOf(cause)
    const [, unknown] = /(?:Table|Function) with name "?(\w+)"? does not exist/i.exec(message) ?? []
    const names = [...this.tables, ...normalizedViews.map(({ name }) => name), ...this.#ready.map(({ name }) => name)]
    const nearest = unknown === undefined ? '' : `did you mean ${closest(unknown, names)}? `
    const hint =
      unknown === undefined
        ? 'DESCRIBE <table> shows its columns'
        : `${nearest}tables and ready views: ${names.join(', ')}`
    return new EdgeError('QUERY_FAILED', message, { cause, hint })
  }
}
