import type { AskedSpan, Poll } from '../polls.js'
import type { OkxConfig } from './config.js'
import type { Instrument } from './instruments.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Rows of an answer, at most. */
const FUNDING_ROWS = 400

/** Something that only a method gives, asked for again and again. */
export interface MethodPoll extends Poll {
  family: 'funding_history' | 'delivery_history'
  path: string
  query: Readonly<Record<string, string>>
}

/** What is to be polled for these instruments by this config. Pure. */
export function planPolls(chosen: readonly Instrument[], { polls }: Pick<OkxConfig, 'polls'>): MethodPoll[] {
  return [...funding(chosen, polls), ...deliveries(chosen, polls)].filter(({ everyMs }) => everyMs > 0)
}

/** What is said of times to a method: `before` means newer than, `after` older than. */
export function spanQuery({ fromMs, toMs }: AskedSpan): Record<string, string> {
  return fromMs === undefined ? {} : { before: String(Math.floor(fromMs) - 1), after: String(Math.ceil(toMs) + 1) }
}

function funding(chosen: readonly Instrument[], { fundingHistory }: OkxConfig['polls']): MethodPoll[] {
  return chosen
    .filter(({ kind }) => kind === 'perpetual')
    .map(({ instrument_name: instId }) => ({
      id: `funding_history ${instId}`,
      family: 'funding_history',
      path: 'public/funding-rate-history',
      query: { instId, limit: String(FUNDING_ROWS) },
      everyMs: fundingHistory.everyMinutes * MINUTE_MS,
      // It may be settled each hour.
      history: { backMs: fundingHistory.backHours * HOUR_MS, rowMs: HOUR_MS, rowsMax: FUNDING_ROWS },
    }))
}

/** The newest first, by family. */
function deliveries(chosen: readonly Instrument[], { deliveries: { everyMinutes } }: OkxConfig['polls']): MethodPoll[] {
  const typeOf = { future: 'FUTURES', option: 'OPTION' } as const
  const families = new Map(
    chosen.flatMap(({ kind, instFamily }) =>
      kind === 'future' || kind === 'option'
        ? [[`${typeOf[kind]} ${instFamily}`, { instType: typeOf[kind], instFamily }] as const]
        : [],
    ),
  )
  return [...families].map(([about, query]) => ({
    id: `delivery_history ${about}`,
    family: 'delivery_history',
    path: 'public/delivery-exercise-history',
    query,
    everyMs: everyMinutes * MINUTE_MS,
  }))
}
