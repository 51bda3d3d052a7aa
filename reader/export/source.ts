import type { Exchange } from '../../exchanges/exchange.js'
import type { Exports } from '../../exchanges/export.js'
import type { Kind } from '../../formats/partition.js'
import type { Span } from '../../platform/spans.js'
import type { QuerySession } from '../query/session.js'

/** Where views come from. */
export interface ViewSource {
  root: string
  /** The exchange's folders below it. */
  exchange: string
  names: Exchange['names']
  session: QuerySession
  onProblem: (path: string, problem: string) => void
}

/** Where files of other programs come from: what the exchange says of instruments of one kind. */
export interface ExportSource extends ViewSource {
  exports: Exports
}

/** What tables call an instrument, and what kind it is of. */
export function inTables({ names }: Pick<ViewSource, 'names'>, instrument: string): { name: string; kind: Kind } {
  return {
    name: names.nameInTables?.(instrument) ?? instrument,
    kind: names.partitionOfInstrument(instrument).kind,
  }
}

/** Which part of it goes to a file. */
export interface FileSpan extends Span {
  /** Undefined: all of the kind and currency. */
  instruments: readonly string[] | undefined
  kind?: string | undefined
  currency?: string | undefined
  /** Called as rows are written. */
  advance: (rows: number) => void
}
