import { z } from '../../platform/zod.js'
import type { AskedSpan, Poll } from '../polls.js'
import type { BybitConfig } from './config.js'
import type { BybitHttp } from './http.js'
import type { Instrument } from './instruments.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Rows of an answer, at most. */
const ROWS = 200
const BARS = 1000
const RATIOS = 500
/** Funding may be settled each hour in stress. */
const FUNDING_MS = HOUR_MS
const INTERVAL_MINUTES = { '5min': 5, '15min': 15, '30min': 30, '1h': 60, '4h': 240, '1d': 1440 } as const
/** Of each poll that has pages: more are not asked for, since they are of long ago. */
const PAGES_MAX = 5

/** Something that only a method gives, asked for again and again. */
export interface MethodPoll extends Poll {
  family: string
  path: string
  params: Readonly<Record<string, string>>
  /** Its answers go on in further ones. */
  hasPages?: boolean
}

type Derivative = Instrument & { category: 'linear' | 'inverse' }
const isDerivative = (instrument: Instrument): instrument is Derivative =>
  instrument.category === 'linear' || instrument.category === 'inverse'

/** What is to be polled for these instruments by this config. Pure. */
export function planPolls(chosen: readonly Instrument[], { polls }: BybitConfig): MethodPoll[] {
  const derivatives = chosen.filter(isDerivative)
  const perpetuals = derivatives.filter(({ kind }) => kind === 'perpetual')
  return [
    ...perpetuals.map(instrument => funding(instrument, polls)),
    ...derivatives.map(instrument => openInterest(instrument, polls)),
    ...derivatives.flatMap(instrument => priceCandles(instrument, polls)),
    ...perpetuals.map(instrument => longShortRatio(instrument, polls)),
    ...deliveries(chosen, polls),
    ...(chosen.length > 0 ? ofExchange(polls) : []),
  ].filter(({ everyMs }) => everyMs > 0)
}

type Polls = BybitConfig['polls']

const funding = ({ category, symbol }: Derivative, { fundingHistory }: Polls): MethodPoll => ({
  id: `funding_history ${category} ${symbol}`,
  family: 'funding_history',
  path: '/v5/market/funding/history',
  params: { category, symbol, limit: String(ROWS) },
  everyMs: fundingHistory.everyMinutes * MINUTE_MS,
  history: { backMs: fundingHistory.backHours * HOUR_MS, rowMs: FUNDING_MS, rowsMax: ROWS },
})

const openInterest = (
  { category, symbol }: Derivative,
  { openInterest: { interval, everyMinutes, backHours } }: Polls,
): MethodPoll => ({
  id: `open_interest ${category} ${symbol} ${interval}`,
  family: 'open_interest',
  path: '/v5/market/open-interest',
  params: { category, symbol, limit: String(ROWS), intervalTime: interval },
  everyMs: everyMinutes * MINUTE_MS,
  history: { backMs: backHours * HOUR_MS, rowMs: INTERVAL_MINUTES[interval] * MINUTE_MS, rowsMax: ROWS },
})

/** Minute bars alone: an answer does not say how long its bars are, and longer ones are made of these. */
const priceCandles = ({ category, symbol, kind }: Derivative, { priceCandles: { everyMinutes, backHours } }: Polls) =>
  [
    { family: 'mark_price_candles', method: 'mark-price-kline' },
    { family: 'index_candles', method: 'index-price-kline' },
    // The premium is what funding of linear perpetuals is made of.
    ...(category === 'linear' && kind === 'perpetual'
      ? [{ family: 'premium_candles', method: 'premium-index-price-kline' }]
      : []),
  ].map(({ family, method }): MethodPoll => ({
    id: `${family} ${category} ${symbol}`,
    family,
    path: `/v5/market/${method}`,
    params: { category, symbol, interval: '1', limit: String(BARS) },
    everyMs: everyMinutes * MINUTE_MS,
    history: { backMs: backHours * HOUR_MS, rowMs: MINUTE_MS, rowsMax: BARS },
  }))

const longShortRatio = (
  { category, symbol }: Derivative,
  { longShortRatio: { everyMinutes, backHours } }: Polls,
): MethodPoll => ({
  id: `long_short_ratio ${category} ${symbol}`,
  family: 'long_short_ratio',
  path: '/v5/market/account-ratio',
  params: { category, symbol, period: '5min', limit: String(RATIOS) },
  everyMs: everyMinutes * MINUTE_MS,
  history: { backMs: backHours * HOUR_MS, rowMs: 5 * MINUTE_MS, rowsMax: RATIOS },
})

/** The newest first, of all contracts of a category; of options by coin. */
function deliveries(chosen: readonly Instrument[], { deliveries: { everyMinutes } }: Polls): MethodPoll[] {
  const ending = chosen.filter(({ kind }) => kind === 'future' || kind === 'option')
  const questions = ending.map(({ category, symbol }) =>
    category === 'option' ? { category, baseCoin: symbol.split('-')[0] ?? '' } : { category },
  )
  return [...new Map(questions.map(question => [Object.values(question).join(' '), question]))].map(
    ([about, question]) => ({
      id: `deliveries ${about}`,
      family: 'deliveries',
      path: '/v5/market/delivery-price',
      params: { ...question, limit: String(ROWS) },
      everyMs: everyMinutes * MINUTE_MS,
      hasPages: true,
    }),
  )
}

const ofExchange = ({ insurance, status }: Polls): MethodPoll[] => [
  {
    id: 'insurance_list',
    family: 'insurance_list',
    path: '/v5/market/insurance',
    params: {},
    everyMs: insurance.everyMinutes * MINUTE_MS,
  },
  {
    id: 'status_list',
    family: 'status_list',
    path: '/v5/system/status',
    params: {},
    everyMs: status.everyMinutes * MINUTE_MS,
  },
]

const pageSchema = z.object({ nextPageCursor: z.string().optional().catch(undefined) }).catch({})

/** Asks once, and for further pages where there are such; hands over each answer as it came. */
export async function askAllPages(
  http: Pick<BybitHttp, 'get'>,
  { path, params, hasPages = false }: Pick<MethodPoll, 'path' | 'params' | 'hasPages'>,
  { fromMs, toMs }: AskedSpan,
  take: (answer: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const span = fromMs === undefined ? {} : { startTime: Math.floor(fromMs), endTime: Math.floor(toMs) }
  let cursor: string | undefined
  for (let page = 0; page < (hasPages ? PAGES_MAX : 1); page++) {
    const { bytes, result } = await http.get(path, { ...params, ...span, ...(cursor && { cursor }) }, signal)
    take(bytes)
    cursor = pageSchema.parse(result).nextPageCursor
    if (!cursor) return
  }
}
