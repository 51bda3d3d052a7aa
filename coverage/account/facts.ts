import type { JournalEntry } from '../../formats/journal/entry.js'
import type { Exchange } from '../../exchanges/exchange.js'
import type { Span } from '../../platform/spans.js'
import type { Claim } from './claims.js'

/** Until when a recorder is known to have lived, µs. */
export interface Sign {
  exchange: string
  host: string
  run: string
  /** Of which family the sign is. */
  family?: string
  atUs: number
}

/** A file of which there is a trace and that is not there. */
export interface Vanished extends Span {
  host: string
  family: string
  /** Kind and currency of what was in it, where segments lie by them. */
  kind?: string | undefined
  currency?: string | undefined
  cause: string
  /** It goes on at the recorder, or is on its way. */
  isPending?: true
}

/** All that an account of one exchange is made of. */
export interface AccountFacts {
  exchange: Pick<Exchange, 'name' | 'families' | 'names'>
  /** Of the span asked about, the state before it, and what was said of it later; in the order of time. */
  entries: readonly JournalEntry[]
  /** The last sign of each run, as far as it is not in its journal. */
  signs: readonly Sign[]
  /** Hosts whose recorder is at work now. */
  alive: ReadonlySet<string>
  vanished: readonly Vanished[]
  /** What files say of recorders without a journal. */
  claims?: readonly Claim[]
  /** When all this was read, µs. */
  nowUs: number
}
