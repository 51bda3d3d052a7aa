import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBValue } from '@duckdb/node-api'
import { openInstance } from '../platform/duckdb.js'
import type { Column } from './lines/columns.js'
import type { FastPath } from './lines/fast-path.js'
import { registerLineRows, type LineRowsFunction } from './lines/line-rows-function.js'

/** SQL of a table's reading that an engine has loaded. */
export interface LoadedSql {
  /** The schema with its macros. */
  schema: string
  /** What `shape()` says. */
  shape: string
  /** Of the rows that it makes, in order; known once there were some. */
  columns?: readonly Column[]
  /** The short way for most of its lines, once it was asked for. */
  fastPath?: FastPath | undefined
  /** Whether it has a table for the rows of few lines, and whether there is anything in it. */
  few?: 'empty' | 'used'
}

/** Lines of a segment that are few, in bytes: they leave little behind in an engine. */
export const FEW_BYTES = 4 * 1024 * 1024

/** Where rows of few lines go: a table that stays, so that the plan stays which makes them. */
export const rowsOfFew = ({ schema }: LoadedSql) => `memory.${schema}.staged`

/** DuckDB in this process and in memory. What a conversion makes is in database `work`, and gone when the next one begins. */
export interface Engine {
  /** What outlives a conversion, by what it was made of. */
  readonly loaded: Map<string, LoadedSql>
  /** Undefined where this machine has no WebAssembly that can do it. */
  lineRows(): LineRowsFunction | undefined
  /** Forgets all lines and rows: `work` is empty afterwards, and where names are looked up. */
  clear(): Promise<void>
  /** Runs a statement and keeps its plan: with many columns planning takes longer than a thousand rows do. */
  runAgain(sql: string): Promise<void>
  /** Runs all statements of a text. */
  run(sql: string, values?: DuckDBValue[]): Promise<void>
  /** The rows of one query as values, small results only. Counts come as bigint. */
  rows(sql: string): Promise<DuckDBValue[][]>
  /**
   * Does something with a line of so many bytes. Every function that looks into a line of JSON reserves several times
   * its length, most of which is never touched: for long lines the limit is raised meanwhile.
   */
  withRoomFor(lineBytes: number, action: () => Promise<void>): Promise<void>
  /** Makes the statement that is running now fail. */
  interrupt(): void
  close(): void
}

export interface EngineLimits {
  memoryMiB: number
  threads: number
  /** Folder for what does not fit into memory; must exist. */
  spillFolder: string
}

/** Measured: 20 MiB of book need 40 times as much, 5 MiB of unknown members 150 times; most of it is never touched. */
const RESERVED_PER_LINE_BYTE = 160

/**
 * DuckDB's own limit, which does not count decompression, Parquet pages and what its allocator keeps. What is freed is
 * given back to the system at once, since by default up to 512 MB of it stay. Measured with 256 MiB on a segment of
 * 1 GB: 508 MB resident without that, 320 MB with it, and no slower.
 */
const poolMiB = (memoryMiB: number) => Math.max(64, Math.round(memoryMiB * 0.6))
const FLUSH_AT_MIB = 4

const LEAN = {
  allocator_flush_threshold: `${FLUSH_AT_MIB}MiB`,
  allocator_bulk_deallocation_flush_threshold: `${FLUSH_AT_MIB}MiB`,
  autoload_known_extensions: 'false',
}

const EMPTY_WORK = "ATTACH ':memory:' AS work; USE work"

export async function openEngine({ memoryMiB, threads, spillFolder }: EngineLimits): Promise<Engine> {
  const memory = `${poolMiB(memoryMiB)}MiB`
  const { instance, connection } = await openInstance({ memory, threads, spillFolder, options: LEAN })
  await connection.run(EMPTY_WORK)
  const loaded = new Map<string, LoadedSql>()
  const plans = new Map<string, DuckDBPreparedStatement>()
  let lineRows: { known: LineRowsFunction | undefined } | undefined
  return {
    loaded,
    lineRows: () => (lineRows ??= { known: lineRowsOf(connection) }).known,
    async clear() {
      await connection.run(`USE memory; DETACH work; ${EMPTY_WORK}`)
      const used = [...loaded.values()].filter(({ few }) => few === 'used')
      for (const sql of used) {
        await connection.run(`TRUNCATE ${rowsOfFew(sql)}`)
        sql.few = 'empty'
      }
      // Without it what was deleted stays in memory: 100 MB after fifty segments of tickers.
      if (used.length > 0) await connection.run('FORCE CHECKPOINT memory')
    },
    async runAgain(sql) {
      const plan = plans.get(sql) ?? (await connection.prepare(sql))
      plans.set(sql, plan)
      await plan.run()
    },
    async run(sql, values) {
      await connection.run(sql, values)
    },
    async rows(sql) {
      return (await connection.runAndReadAll(sql)).getRows()
    },
    async withRoomFor(lineBytes, action) {
      const extraMiB = Math.ceil(lineBytes / 2 ** 20) * RESERVED_PER_LINE_BYTE
      if (lineBytes > 2 ** 20) await connection.run(`SET memory_limit = '${poolMiB(memoryMiB) + extraMiB}MiB'`)
      try {
        await action()
      } finally {
        if (lineBytes > 2 ** 20) await connection.run(`SET memory_limit = '${memory}'`)
      }
    },
    interrupt: () => connection.interrupt(),
    close() {
      for (const plan of plans.values()) plan.destroySync()
      connection.closeSync()
      instance.closeSync()
    },
  }
}

function lineRowsOf(connection: DuckDBConnection): LineRowsFunction | undefined {
  try {
    return registerLineRows(connection)
  } catch {
    return undefined
  }
}

/**
 * Opens an engine for an action and closes it: its memory is free afterwards.
 * @param signal aborted, before or meanwhile, it makes the statement fail that is running, and begins no other
 * @throws the signal's reason
 */
export async function withEngine<Result>(
  limits: EngineLimits,
  action: (engine: Engine) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted()
  const engine = await openEngine(limits)
  try {
    return await unlessAborted(engine, action, signal)
  } finally {
    engine.close()
  }
}

/**
 * Does something with an engine.
 * @param signal aborted meanwhile, it makes the statement fail that is running, and begins no other
 * @throws the signal's reason
 */
export async function unlessAborted<Result>(
  engine: Engine,
  action: (engine: Engine) => Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const stop = () => engine.interrupt()
  signal?.addEventListener('abort', stop)
  try {
    return await action(signal ? stoppable(engine, signal) : engine)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** One that is aborted between two statements would go on with the next: interrupting reaches only one that runs. */
function stoppable(engine: Engine, signal: AbortSignal): Engine {
  const begin = async <Result>(statement: () => Promise<Result>): Promise<Result> => {
    signal.throwIfAborted()
    return statement()
  }
  return {
    ...engine,
    clear: () => begin(() => engine.clear()),
    runAgain: sql => begin(() => engine.runAgain(sql)),
    run: (sql, values) => begin(() => engine.run(sql, values)),
    rows: sql => begin(() => engine.rows(sql)),
    withRoomFor: (lineBytes, action) => begin(() => engine.withRoomFor(lineBytes, action)),
  }
}
