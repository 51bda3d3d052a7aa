import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api'

/** DuckDB in this process and in memory, for one segment: nothing of it stays, whatever happens. */
export interface Engine {
  /** Runs all statements of a text. */
  run(sql: string, values?: DuckDBValue[]): Promise<void>
  /** The rows of one query as values, small results only. Counts come as bigint. */
  rows(sql: string): Promise<DuckDBValue[][]>
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

export async function openEngine(limits: EngineLimits): Promise<Engine> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${limits.memoryMiB}MiB`,
    threads: String(limits.threads),
    temp_directory: limits.spillFolder,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  return engineOf(instance, connection)
}

function engineOf(instance: DuckDBInstance, connection: DuckDBConnection): Engine {
  return {
    async run(sql, values) {
      if (values) {
        await connection.run(sql, values)
        return
      }
      const statements = await connection.extractStatements(sql)
      for (let index = 0; index < statements.count; index++) {
        const statement = await statements.prepare(index)
        try {
          await statement.run()
        } finally {
          statement.destroySync()
        }
      }
    },
    async rows(sql) {
      return (await connection.runAndReadAll(sql)).getRows()
    },
    interrupt: () => connection.interrupt(),
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** A count that DuckDB returned; far below 2^53. */
export function countOf(value: DuckDBValue | undefined): number {
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : 0
}
