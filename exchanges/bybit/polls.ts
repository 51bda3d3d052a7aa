import type { Poll } from '../polls.js'
import type { BybitConfig } from './config.js'
import type { Instrument } from './instruments.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Rows of an answer, at most. */
const ROWS = 200
/** Funding may be settled each hour in stress. */
const FUNDING_MS = HOUR_MS
const INTERVAL_MINUTES = { '5min': 5, '15min': 15, '30min': 30, '1h': 60, '4h': 240, '1d': 1440 } as const

/** Something that only a method gives, asked for again and again. */
export interface MethodPoll extends Poll {
  family: 'funding_history' | 'open_interest'
  path: string
  params: Readonly<Record<string, string>>
}

/** What is to be polled for these instruments by this config. Pure. */
export function planPolls(chosen: readonly Instrument[], { polls }: BybitConfig): MethodPoll[] {
  const { fundingHistory, openInterest } = polls
  const derivatives = chosen.filter(({ category }) => category === 'linear' || category === 'inverse')
  const perpetuals = derivatives.filter(({ kind }) => kind === 'perpetual')
  const funding = perpetuals.map(({ category, symbol }): MethodPoll => ({
    id: `funding_history ${category} ${symbol}`,
    family: 'funding_history',
    path: '/v5/market/funding/history',
    params: { category, symbol, limit: String(ROWS) },
    everyMs: fundingHistory.everyMinutes * MINUTE_MS,
    history: { backMs: fundingHistory.backHours * HOUR_MS, rowMs: FUNDING_MS, rowsMax: ROWS },
  }))
  const interest = derivatives.map(({ category, symbol }): MethodPoll => ({
    id: `open_interest ${category} ${symbol} ${openInterest.interval}`,
    family: 'open_interest',
    path: '/v5/market/open-interest',
    params: { category, symbol, limit: String(ROWS), intervalTime: openInterest.interval },
    everyMs: openInterest.everyMinutes * MINUTE_MS,
    history: {
      backMs: openInterest.backHours * HOUR_MS,
      rowMs: INTERVAL_MINUTES[openInterest.interval] * MINUTE_MS,
      rowsMax: ROWS,
    },
  }))
  return [...funding, ...interest].filter(({ everyMs }) => everyMs > 0)
}
