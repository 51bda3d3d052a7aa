import { parsedObject } from '../../../platform/json-object.js'
import type { ReplayedTrades } from '../../../simulator/replay.js'
import { SPOT } from '../families.js'
import { channelOf, isAbout, isSpot, subjectOf, topicOf } from '../names.js'

type Row = Readonly<Record<string, unknown>>

/**
 * Recorded trades as the channels bring them. Ids are of no order: a trade's place is its time. Pairs are called as their
 * channels are, `spot.BTCUSDT`, since a perpetual may bear the same name.
 */
export const trades: ReplayedTrades = {
  families: ['trades', `trades${SPOT}`],
  tradesOf: (frame, family) => {
    const { data, result } = parsedObject(frame) ?? {}
    const category = family.endsWith(SPOT) ? 'spot' : 'linear'
    const rows = isRow(result) ? rowsOf(result['list']).reverse().map(asPushed) : rowsOf(data)
    return rows.flatMap(row => {
      const { s: symbol, i: id, T: ms } = row
      if (typeof symbol !== 'string' || typeof id !== 'string' || typeof ms !== 'number' || !(ms > 0)) return []
      return [{ instrument: channelOf(category, symbol), id, executedUs: ms * 1000, row: JSON.stringify(row) }]
    })
  },
  carries: (channel, instrument) => {
    const subject = isSpot(channel) === isSpot(instrument) ? subjectOf(channel) : undefined
    return subject?.family.startsWith('trades') === true && isAbout(subject, topicOf(instrument))
  },
  frame: (channel, rows) =>
    `{"topic":${JSON.stringify(topicOf(channel))},"type":"snapshot","ts":0,"data":[${rows.join(',')}]}`,
}

/** A row of `recent-trade`, newest first there, in the words of the channels. */
function asPushed({ time, symbol, side, size, price, execId, isBlockTrade, isRPITrade, seq, ...others }: Row): Row {
  const head = { T: Number(time), s: symbol, S: side, v: size, p: price, i: execId }
  return { ...head, BT: isBlockTrade, RPI: isRPITrade, ...(seq !== undefined && { seq: Number(seq) }), ...others }
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null
const rowsOf = (list: unknown): Row[] => (Array.isArray(list) ? list.filter(isRow) : [])
