import type { PlayedRecording } from '../../../../simulator/replay.js'
import type { Params } from '../params.js'
import { dataOf, tradesOf, type RecordedTrade } from '../recorded-frames.js'
import { RESOLUTIONS } from '../resolutions.js'
import { invalidParam, rpcError } from '../rpc-error.js'
import { pageOfInstrument, spanOf } from './trades.js'

/** Answers a call from the frames of a recording, with the JSON text of its result. @throws RpcError */
export type RecordedMethod = (params: Params, recording: PlayedRecording) => Promise<string>

const HOUR_MS = 3_600_000
/** As far as the exchange's own history reaches, hours. */
const HOURS_BACK = 24
const DEFAULT_DEPTH = 5

async function tickerText(instrument: string, recording: PlayedRecording): Promise<string | undefined> {
  const frame = await recording.last(`ticker.${instrument}.raw`)
  return frame === undefined ? undefined : dataOf(Buffer.from(frame))?.toString('utf8')
}

async function ticker(params: Params, recording: PlayedRecording): Promise<string> {
  const found = await tickerText(params.text('instrument_name'), recording)
  if (found === undefined) throw rpcError(13020)
  return found
}

/** The book as far as it was recorded, with the ticker beside it, as the exchange has it. */
async function orderBook(params: Params, recording: PlayedRecording): Promise<string> {
  const instrument = params.text('instrument_name')
  const depth = params.bounded('depth', 1, 10_000, DEFAULT_DEPTH)
  const book = await recording.book(`book.${instrument}.raw`)
  if (!book) throw rpcError(13020)
  const beside = JSON.parse((await tickerText(instrument, recording)) ?? '{}') as object
  const { changeId, exchangeMs, bids, asks } = book
  return JSON.stringify({
    ...beside,
    timestamp: exchangeMs,
    instrument_name: instrument,
    change_id: changeId,
    bids: bids.slice(0, depth),
    asks: asks.slice(0, depth),
  })
}

/** Trades as they were received, or fetched for holes, each once; hour by hour backwards until there are enough. */
function trades(byTime: boolean): RecordedMethod {
  return async (params, recording) => {
    const { clock } = recording
    const instrument = params.text('instrument_name')
    const span = spanOf(params, byTime)
    const endMs = Math.min(span.toMs ?? Infinity, clock.nowMs())
    const startMs = Math.max(span.fromMs ?? -Infinity, endMs - HOURS_BACK * HOUR_MS)
    const bySeq = new Map<number, RecordedTrade>()
    const page = () => {
      const inOrder = [...bySeq.values()].sort((a, b) => a.tradeSeq - b.tradeSeq)
      return pageOfInstrument(params, inOrder, span)
    }
    // Whoever asks for the newest ones needs no more than a page of them.
    const needsAll = span.order === 'asc' || params.optionalInteger('start_seq') !== undefined
    for (let toMs = clock.nowMs() + 1; toMs > startMs && (needsAll || !page().hasMore); toMs -= HOUR_MS)
      for await (const frame of recording.past('trades', Math.max(toMs - HOUR_MS, startMs), toMs))
        for (const trade of tradesOf(frame)) if (trade.instrument === instrument) bySeq.set(trade.tradeSeq, trade)
    const { rows, hasMore } = page()
    return `{"trades":[${rows.map(({ text }) => text).join(',')}],"has_more":${hasMore}}`
  }
}

const COLUMNS = ['open', 'high', 'low', 'close', 'volume', 'cost'] as const
type Bar = Readonly<Record<string, number>>

/** Candles that were asked for, and those that came by themselves, the last word on each. */
async function chartData(params: Params, recording: PlayedRecording): Promise<string> {
  const instrument = params.text('instrument_name')
  const resolution = params.text('resolution')
  if (!RESOLUTIONS.has(resolution)) throw invalidParam('invalid resolution', 'resolution')
  const [fromMs, toMs] = [params.integer('start_timestamp'), params.integer('end_timestamp')]
  const bars = new Map<number, Bar>()
  const polled = recording.answer(`candles ${instrument} ${resolution}`)
  if (polled !== undefined) {
    const { result } = JSON.parse(polled) as { result: Readonly<Record<string, number[]>> }
    for (const [n, tick] of (result['ticks'] ?? []).entries())
      bars.set(tick, Object.fromEntries(COLUMNS.map(column => [column, result[column]?.[n] ?? 0])))
  }
  const channel = Buffer.from(`"chart.trades.${instrument}.${resolution}"`)
  for await (const frame of recording.past('chart.trades', fromMs, toMs + 1)) {
    if (!frame.includes(channel)) continue
    const bar = JSON.parse(dataOf(frame)?.toString('utf8') ?? '{}') as Bar
    bars.set(bar['tick'] ?? 0, bar)
  }
  const found = [...bars].filter(([tick]) => tick >= fromMs && tick <= toMs).sort(([a], [b]) => a - b)
  return JSON.stringify({
    ticks: found.map(([tick]) => tick),
    ...Object.fromEntries(COLUMNS.map(column => [column, found.map(([, bar]) => bar[column] ?? 0)])),
    status: found.length > 0 ? 'ok' : 'no_data',
  })
}

/** Methods that are answered from the frames of a recording. */
export const recordedMethods: ReadonlyMap<string, RecordedMethod> = new Map(
  Object.entries<RecordedMethod>({
    'public/ticker': ticker,
    'public/get_order_book': orderBook,
    'public/get_last_trades_by_instrument': trades(false),
    'public/get_last_trades_by_instrument_and_time': trades(true),
    'public/get_tradingview_chart_data': chartData,
  }),
)
