import { parsedJson, type JsonObject } from '../../../platform/json-object.js'
import { elementsAt, endOfValue, skipBlanks } from '../../../platform/json-bytes.js'
import { isAbout, subjectOf } from '../names.js'
import { notificationText } from './rpc.js'

const DATA = Buffer.from('"data":')
const TRADES = Buffer.from('"trades":')

/** The data of a notification as they are spelled. */
export function dataOf(frame: Buffer): Buffer | undefined {
  return valueBehind(frame, DATA)
}

function valueBehind(text: Buffer, key: Buffer): Buffer | undefined {
  const found = text.indexOf(key)
  if (found < 0) return undefined
  const at = skipBlanks(text, found + key.length)
  const end = endOfValue(text, at)
  return end < 0 ? undefined : text.subarray(at, end)
}

/** A recorded row of trades: what calls find it by, and how it is spelled. */
export interface RecordedTrade {
  instrument: string
  tradeSeq: number
  timestampMs: number
  text: string
}

/** The trades of a notification, or of an answer with a page of them. */
export function tradesOf(frame: Buffer): RecordedTrade[] {
  const list = valueBehind(frame, TRADES) ?? dataOf(frame)
  return list === undefined ? [] : [...elementsAt(list, 0)].flatMap(tradeOf)
}

function tradeOf(row: Buffer): RecordedTrade[] {
  const text = row.toString('utf8')
  const { instrument_name: name, trade_seq: seq, timestamp: ms } = fieldsOf(text)
  return typeof name === 'string' && typeof seq === 'number' && typeof ms === 'number'
    ? [{ instrument: name, tradeSeq: seq, timestampMs: ms, text }]
    : []
}

/** Frames that nobody can read are recorded, too. */
const fieldsOf = (row: string) => Object(parsedJson(row) ?? {}) as JsonObject

/** A recorded frame as the channel brings it that was asked for; of trades only those that it is about. */
export function reframed(asked: string, frame: Buffer): Buffer | undefined {
  const data = dataOf(frame)
  if (data === undefined) return undefined
  const subject = subjectOf(asked)
  if (subject?.family !== 'trades') return Buffer.from(notificationText(asked, data.toString('utf8')))
  const rows = tradesOf(frame).filter(({ instrument }) => isAbout(subject, instrument))
  if (rows.length === 0) return undefined
  return Buffer.from(notificationText(asked, `[${rows.map(({ text }) => text).join(',')}]`))
}
