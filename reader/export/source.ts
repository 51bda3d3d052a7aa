import type { Exports } from '../../exchanges/export.js'
import type { Span } from '../../platform/spans.js'
import type { QuerySession } from '../query/session.js'

/** Where views come from. */
export interface ViewSource {
  root: string
  /** The exchange's folders below it. */
  exchange: string
  session: QuerySession
  onProblem: (path: string, problem: string) => void
}

/** Where files of other programs come from. */
export interface ExportSource extends ViewSource {
  exports: Exports
}

/** Which part of it goes to a file. */
export interface FileSpan extends Span {
  /** Undefined: all of the kind and currency. */
  instruments: readonly string[] | undefined
  kind?: string | undefined
  currency?: string | undefined
  /** Told of rows as they are written. */
  advance: (rows: number) => void
}
