import { parsedObject } from '../../platform/json-object.js'
import type { TradeReader } from '../earlier-trades.js'
import { rowsOf, textOf, type Message } from './message.js'

/** A trade with the numbers that it stands for: several fills of one order at one price come as one. */
export interface TradeRow {
  instrument: string
  first: number
  last: number
  timestampMs: number
}

const NUMBER = /^\d{1,15}$/

/** The trades of a frame or an answer that have a number. */
export function tradeRowsOf(message: Message | undefined): TradeRow[] {
  return rowsOf(message).flatMap(row => {
    const instrument = textOf(row['instId'])
    const id = textOf(row['tradeId'])
    if (instrument === '' || !NUMBER.test(id)) return []
    const last = Number(id)
    const fills = Number(textOf(row['count']) || 1)
    const isCount = Number.isSafeInteger(fills) && fills >= 1 && fills <= last
    return [{ instrument, first: isCount ? last - fills + 1 : last, last, timestampMs: Number(row['ts']) || 0 }]
  })
}

/** Trades of frames as they were recorded: pushed, or of an answer that filled a hole. */
export const recordedTrades: TradeReader = {
  each(frame, visit) {
    for (const { instrument, first, last } of tradeRowsOf(parsedObject(frame))) visit(instrument, first, last)
  },
  newestMs: frame =>
    tradeRowsOf(parsedObject(frame)).reduce((newest, { timestampMs }) => Math.max(newest, timestampMs), 0),
}
