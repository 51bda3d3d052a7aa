import type { BookBuilder, BookLink } from './book-builder.js'

/** `data` of a frame of a full book, as the exchange documents it; frames of 2019 have no `type`. */
interface BookData {
  type?: unknown
  timestamp?: unknown
  change_id?: unknown
  prev_change_id?: unknown
  bids?: unknown
  asks?: unknown
}

/** `odd`: the frame is none of a full book, so nobody knows what it did to it; the book is unknown from here on. */
export type AppliedFrame = BookLink | 'odd'

/**
 * Applies a recorded frame of a full book, given as the text that was received.
 * @param source host and connection that received it
 */
export function applyBookFrame(builder: BookBuilder, text: string, recvUs: number, source: string): AppliedFrame {
  return applyBookData(builder, dataOf(text), recvUs, source)
}

/** Applies `params.data` of a frame of a full book. */
export function applyBookData(builder: BookBuilder, data: BookData, recvUs: number, source: string): AppliedFrame {
  const { timestamp, change_id: changeId, prev_change_id: prev, bids, asks } = data
  const isSnapshot = data.type === undefined ? prev === undefined : data.type === 'snapshot'
  if (typeof timestamp !== 'number' || typeof changeId !== 'number' || !isLevels(bids) || !isLevels(asks)) {
    builder.lose(recvUs, 'a frame of the book is not understood')
    return 'odd'
  }
  const prevChangeId = typeof prev === 'number' ? prev : undefined
  const link = builder.begin({ recvUs, exchangeMs: timestamp, source, isSnapshot, changeId, prevChangeId })
  if (link !== 'snapshot' && link !== 'next') return link
  for (const [action, price, amount] of bids) builder.set('bids', price, action === 'delete' ? 0 : amount)
  for (const [action, price, amount] of asks) builder.set('asks', price, action === 'delete' ? 0 : amount)
  return link
}

function dataOf(text: string): BookData {
  try {
    const frame = JSON.parse(text) as { params?: { data?: unknown } } | null
    const data = frame?.params?.data
    return typeof data === 'object' && data !== null ? data : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

type Level = readonly [action: string, price: number, amount: number]

function isLevels(value: unknown): value is readonly Level[] {
  return Array.isArray(value) && value.every(isLevel)
}

function isLevel(value: unknown): value is Level {
  if (!Array.isArray(value)) return false
  const [action, price, amount] = value as unknown[]
  const isKnownAction = action === 'new' || action === 'change' || action === 'delete'
  return isKnownAction && typeof price === 'number' && typeof amount === 'number'
}
