import { freshSettings } from './fresh-settings.js'
import type { ReadyView } from './ready-views.js'
import { QuerySession } from './session.js'

export interface RecordingOptions {
  /** A dataDir, or a copy of one. */
  path: string
  /** Whether what is only in raw yet is read, too. Default: true. */
  fresh?: boolean
  /** Called with what is left out. */
  onNote?: (text: string) => void
}

/** A recording that can be asked with SQL, as by `edgetape query`. */
export interface Recording {
  readonly tables: readonly string[]
  /** The ready views: question, example, parameters, columns, SQL. */
  readonly views: readonly ReadyView[]
  /** Rows as they come; µs of times are lost in a `Date`: ask for `epoch_us(…)` where they count. */
  rows(sql: string): AsyncGenerator<Record<string, unknown>, void>
  close(): void
}

/** @throws EdgeError QUERY_NO_DATA; `rows` throws QUERY_FAILED */
export async function openRecording({ path, fresh = true, onNote }: RecordingOptions): Promise<Recording> {
  const settings = freshSettings(path, '')
  const note = onNote ?? (() => undefined)
  const session = await QuerySession.open({ root: settings.root, fresh: fresh ? settings.fresh : undefined, note })
  const close = () => {
    session.connection.closeSync()
    session.clear()
  }
  return {
    tables: session.tables,
    views: session.readyViews,
    async *rows(sql) {
      const result = await session.ask(sql, connection => connection.stream(sql))
      for await (const chunk of result.yieldRowObjectJs()) yield* chunk
    },
    close,
  }
}
