import { parsedObject } from '../../../platform/json-object.js'
import { Faults } from '../../../simulator/faults.js'
import type { Service } from '../../../simulator/protocol.js'
import type { KnownBook, PlayedRecording, ReplayProtocol } from '../../../simulator/replay.js'
import { FULL_TOPIC } from '../frames.js'
import { isFullBook } from '../full-book-frames.js'
import { CATEGORIES, categoryOfChannel, channelOf, familyOfChannel, topicOf } from '../names.js'
import { frameText } from './channels.js'
import { MethodError, type Query } from './methods.js'
import { trades } from './replayed-trades.js'
import { BybitService } from './service.js'

/** Said where the book is not known now: it passes. */
const NOT_NOW = 10016

/** Recordings served as Bybit itself. */
export const replay: ReplayProtocol = {
  serve,
  questionOf,
  // Those of all levels are asked for.
  isBook: channel => familyOfChannel(channel).startsWith('book') && !isFullBook(channel),
  snapshot,
  trades,
}

function serve(recording: PlayedRecording): Service {
  const { channels, clock } = recording
  return new BybitService({
    channels,
    faults: new Faults(
      () => undefined,
      (_channel, data) => data,
    ),
    nowMs: () => clock.nowMs(),
    subscribed: () => undefined,
    knows: (socket, topic) => recording.has(channelOf(socket, topic)),
    call: (method, query) => call(recording, method, query),
  })
}

/** Lists of instruments by category and what they begin with: it distinguishes pages, and those of several coins. */
function questionOf(answer: string): string | undefined {
  const result = parsedObject(answer)?.['result']
  if (typeof result !== 'object' || result === null) return undefined
  const { category, list } = result as { category?: unknown; list?: unknown }
  const [first] = Array.isArray(list) ? (list as unknown[]) : []
  if (typeof category !== 'string' || typeof first !== 'object' || first === null) return undefined
  return 'status' in first && 'symbol' in first ? `instruments ${category} ${String(first.symbol)}` : undefined
}

/** All trades that are known are played in their place; what else is asked for is as it was recorded, as far as it was. */
function call(
  recording: PlayedRecording,
  method: string,
  query: Query,
): object | undefined | Promise<object | undefined> {
  const { category = 'linear' } = query
  if (method === 'market/full_orderbook') return fullBook(recording, query)
  if (method === 'market/recent-trade') return { category, list: [] }
  if (method !== 'market/instruments-info') return undefined
  const rows =
    CATEGORIES.some(known => known === category) && (query['status'] ?? 'Trading') === 'Trading'
      ? listed(recording, category)
      : []
  const { baseCoin, symbol } = query
  const list = rows.filter(
    row =>
      (baseCoin === undefined || row['baseCoin'] === baseCoin) && (symbol === undefined || row['symbol'] === symbol),
  )
  return { category, list, nextPageCursor: '' }
}

async function fullBook(recording: PlayedRecording, { category, symbol = '' }: Query): Promise<object> {
  const known = await recording.book(channelOf(category === 'spot' ? 'spot' : 'linear', FULL_TOPIC + symbol))
  if (!known) throw new MethodError(NOT_NOW, 'server error')
  return { ...bookData(symbol, known), ts: known.exchangeMs, cts: known.exchangeMs }
}

function listed(recording: PlayedRecording, category: string): Record<string, unknown>[] {
  const bySymbol = new Map<unknown, Record<string, unknown>>()
  for (const text of recording.answersOf('instruments')) {
    const result = parsedObject(text)?.['result'] as { category?: unknown; list?: unknown } | undefined
    if (result?.category !== category || !Array.isArray(result.list)) continue
    for (const row of result.list as Record<string, unknown>[]) bySymbol.set(row['symbol'], row)
  }
  return [...bySymbol.values()]
}

function bookData(symbol: string, { bids, asks, changeId }: KnownBook) {
  const levels = (side: readonly [number, number][]) => side.map(level => level.map(String))
  return { s: symbol, b: levels(bids), a: levels(asks), u: changeId, seq: 0 }
}

function snapshot(channel: string, book: KnownBook): string {
  const { exchangeMs } = book
  const data = bookData(topicOf(channel).split('.').slice(2).join('.'), book)
  return frameText(
    channel,
    { type: 'snapshot', ts: exchangeMs, data, cts: exchangeMs },
    categoryOfChannel(channel) === 'option',
  )
}
