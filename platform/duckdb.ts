import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api'

interface DuckDbLimits {
  /** How much DuckDB may use by its own count. */
  memory: string
  threads: number
  /** What does not fit in memory goes here, and is removed on closing; DuckDB's default would be the working directory. */
  spillFolder: string
  /** Further options of DuckDB. */
  options?: Readonly<Record<string, string>>
}

const FOR_READING: DuckDbLimits = {
  memory: '256MB',
  threads: 1,
  spillFolder: join(tmpdir(), `edgetape-${process.pid}`),
}

type Library = typeof import('@duckdb/node-api')

const require = createRequire(import.meta.url)
let loaded: Library | undefined
type Bindings = typeof import('@duckdb/node-bindings')
let loadedBindings: Bindings | undefined

/**
 * DuckDB, loaded by whoever asks for it first: its library takes longer to load than `status` to answer. It is CommonJS,
 * and `import` would read all its files once more for the names that they export: 0.19 s of CPU in place of 0.07.
 */
export const duckdb = (): Library => (loaded ??= libraryInUtc())

/** It writes times as text by the zone of this machine, whatever the zone of the session. */
function libraryInUtc(): Library {
  const library = require('@duckdb/node-api') as Library
  library.DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0
  return library
}

/** What lies below it: memory of vectors as it is. */
export const duckdbBindings = (): Bindings => (loadedBindings ??= require('@duckdb/node-bindings') as Bindings)

/** A DuckDB in this process and in memory: UTC, bounded, nothing fetched from anywhere. Without limits, those for reading our files. */
export async function openDuckDb(limits = FOR_READING): Promise<DuckDBConnection> {
  return (await openInstance(limits)).connection
}

/** The same with the instance, for those who must have its memory back at once. */
export async function openInstance(
  limits: DuckDbLimits,
): Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> {
  const instance = await duckdb().DuckDBInstance.create(':memory:', {
    memory_limit: limits.memory,
    threads: String(limits.threads),
    temp_directory: limits.spillFolder,
    autoinstall_known_extensions: 'false',
    ...limits.options,
  })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return { instance, connection }
}

/** A text as an SQL literal. */
export const sqlText = (text: string) => `'${text.replaceAll("'", "''")}'`

/** A name as an SQL identifier. */
export const sqlName = (name: string) => `"${name.replaceAll('"', '""')}"`

/** A count that DuckDB returned; far below 2^53. */
export function countOf(value: DuckDBValue | undefined): number {
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : 0
}

/** Starts what DuckDB says of a file that is no whole Parquet file of ours. */
export const UNREADABLE = /^(Invalid Input|IO|Conversion|Invalid|TProtocolException|Serialization)\b/
