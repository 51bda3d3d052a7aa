import type { DuckDBConnection } from '@duckdb/node-api'
import { showProgress } from '../../platform/progress-bar.js'

const LOOK_EVERY_MS = 250

/** Does something with a connection, with a bar for as long as DuckDB reports its progress. */
export async function withStatementBar<T>(connection: DuckDBConnection, action: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return action()
  await connection.run('SET enable_progress_bar = true')
  await connection.run('SET enable_progress_bar_print = false')
  const bar = showProgress('query', 100, 'steps')
  const looking = setInterval(() => {
    const { percentage } = connection.progress
    if (percentage > 0) bar.reach(percentage, 100)
  }, LOOK_EVERY_MS)
  try {
    return await action()
  } finally {
    clearInterval(looking)
    bar.stop()
  }
}
