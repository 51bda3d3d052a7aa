import { parsedJson } from '../../platform/json-object.js'
import type { TradeReader } from '../earlier-trades.js'
import { channelEnd, channelStart, dataStart } from './frame-channel.js'
import { eachTradeAt } from './sequence-bytes.js'
import { tradeRowsOf } from './sequence-json.js'

/** Trades of frames as they were recorded. */
export const recordedTrades: TradeReader = {
  each(frame, visit) {
    const start = channelStart(frame)
    const end = start < 0 ? -1 : channelEnd(frame, start)
    const isRead =
      end >= 0 &&
      eachTradeAt(frame, dataStart(frame, end), (from, to, seq) => visit(frame.toString('latin1', from, to), seq, seq))
    if (!isRead) for (const { instrument, seq } of rowsOf(frame)) visit(instrument, seq, seq)
  },
  newestMs: frame => rowsOf(frame).reduce((newest, { timestampMs }) => Math.max(newest, timestampMs), 0),
}

/** The trades of a frame that a parser reads: a notification in an odd spelling, or an answer that filled a hole. */
function rowsOf(frame: Buffer) {
  const message = parsedJson(frame) as { params?: { data?: unknown }; result?: { trades?: unknown } } | null | undefined
  return tradeRowsOf(message?.params?.data ?? message?.result?.trades)
}
