import { familyOf, type Exchange } from '../../exchanges/exchange.js'
import type { Account, Grade, State } from './account.js'
import { isLost } from './account.js'

/** A span of a channel that is not simply there, as a row of a table. */
export interface GapRow {
  exchange: string
  /** The table of its rows. */
  data: string
  kind: string
  /** Undefined: all of the kind, as no channel distinguishes them. */
  name: string | undefined
  fromUs: number
  toUs: number
  state: State
  cause: string | undefined
  grade: Grade
}

/** All that is missing, was healed or is not known yet, channel by channel. Pure. */
export function* gapRows(
  { groups }: Account,
  exchangeNamed: (name: string) => Pick<Exchange, 'families'>,
): Generator<GapRow, void> {
  for (const { spans, channels } of groups) {
    const notable = spans.filter(span => isLost(span) || span.state === 'healed' || span.state === 'not yet known')
    if (notable.length === 0) continue
    for (const { exchange, family, kind, about, isWhole } of channels) {
      const data = familyOf(exchangeNamed(exchange), family).table ?? family
      for (const { fromUs, toUs, state, cause, grade, proof } of notable)
        yield {
          exchange,
          data,
          kind,
          name: isWhole ? undefined : about,
          fromUs,
          toUs,
          state,
          cause: cause ?? proof,
          grade,
        }
    }
  }
}
