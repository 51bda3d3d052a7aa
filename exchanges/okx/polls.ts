import type { Poll } from '../polls.js'
import type { OkxConfig } from './config.js'
import type { Instrument } from './instruments.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Rows of an answer, at most. */
export const FUNDING_ROWS = 400

/** Something that only a method gives, asked for again and again. */
export interface MethodPoll extends Poll {
  family: 'funding_history'
  instrument: string
}

/** What is to be polled for these instruments by this config. Pure. */
export function planPolls(chosen: readonly Instrument[], { polls }: Pick<OkxConfig, 'polls'>): MethodPoll[] {
  const { everyMinutes, backHours } = polls.fundingHistory
  if (everyMinutes === 0) return []
  return chosen
    .filter(({ kind }) => kind === 'perpetual')
    .map(({ instrument_name: instrument }) => ({
      id: `funding_history ${instrument}`,
      family: 'funding_history',
      instrument,
      everyMs: everyMinutes * MINUTE_MS,
      // It may be settled each hour.
      history: { backMs: backHours * HOUR_MS, rowMs: HOUR_MS, rowsMax: FUNDING_ROWS },
    }))
}
