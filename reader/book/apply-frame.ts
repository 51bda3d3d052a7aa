import type { BookChange, Books } from '../../exchanges/book.js'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'
import type { Frame } from '../frame.js'
import type { BookBuilder, BookLink } from './book-builder.js'

/** `odd`: the frame is none of a full book, so nobody knows what it did to it; the book is unknown from here on. */
export type AppliedFrame = BookLink | 'odd'

/**
 * Applies a recorded frame of a full book, given as the text that was received.
 * @param source host and connection that received it
 */
export function applyBookFrame(builder: BookBuilder, text: string, recvUs: number, source: string): AppliedFrame {
  return applyChange(builder, whoevers.changeOf(text), recvUs, source)
}

/** The same for a frame of a recording, of the exchange that it is of. */
export function applyRecorded(builder: BookBuilder, frame: Frame): AppliedFrame {
  const books = booksOf(frame)
  builder.isAnswered = answerLagUs(books, frame.channel) > 0
  return applyChange(builder, books.changeOf(frame.text), frame.recvUs, sourceOf(frame))
}

/** Host and connection that received a frame; the order of one source is the exchange's. */
export function sourceOf({ segment, conn }: Frame): string {
  return `${segment?.host ?? ''}/${conn}`
}

type FrameBooks = Pick<Books, 'changeOf' | 'isSnapshot' | 'answerLagUs'>

/** How long before a snapshot of a channel changes may have come that follow it, µs. */
export const answerLagUs = ({ answerLagUs }: Pick<Books, 'answerLagUs'>, channel = '') => answerLagUs?.(channel) ?? 0

/** What is known of books of the exchange that a frame is of. */
export function booksOf({ segment }: Frame): FrameBooks {
  return (segment && exchangeNamed(segment.exchange).books) ?? whoevers
}

/** For frames of which nobody says where they are from: of whichever exchange understands them. */
const whoevers: FrameBooks = {
  changeOf: text => firstOf(exchanges, ({ books }) => books?.changeOf(text)),
  isSnapshot: frame => exchanges.some(({ books }) => books?.isSnapshot(frame)),
}

function firstOf<T, R>(list: readonly T[], find: (one: T) => R | undefined): R | undefined {
  for (const one of list) {
    const found = find(one)
    if (found !== undefined) return found
  }
  return undefined
}

function applyChange(
  builder: BookBuilder,
  change: BookChange | undefined,
  recvUs: number,
  source: string,
): AppliedFrame {
  if (!change) {
    builder.lose(recvUs, 'a frame of the book is not understood')
    return 'odd'
  }
  const { bids, asks, ...head } = change
  const link = builder.begin({ recvUs, source, ...head })
  if (!builder.takesLevels) return link
  for (const [price, amount] of bids) builder.set('bids', price, amount)
  for (const [price, amount] of asks) builder.set('asks', price, amount)
  return link
}
