import { BookHistory } from '../book/book-history.js'
import { FollowedBook, type BookEvent } from '../book/followed-book.js'
import type { Span } from '../../platform/spans.js'
import type { ExportGap } from './account.js'

/** A frame of a book in a span; `opening`: the book as it stood when the span began, made up as a snapshot. */
export interface ExportedFrame extends BookEvent {
  opening?: true
}

export interface BookQuestion extends Span {
  root: string
  instrument: string
  channel?: string | undefined
  onProblem?: (path: string, problem: string) => void
}

/**
 * The frames of an instrument's book in a span, in batches, each as it is applied to `book`. Where the book was lost they
 * begin anew with a snapshot.
 * @param taken hears each frame while the book is as it left it
 * @returns spans in which the book was not known
 * @throws EdgeError BOOK_NOT_RECORDED
 */
export async function* exportedFrames(
  { root, instrument, channel, fromUs, toUs, onProblem }: BookQuestion,
  taken: (event: ExportedFrame, book: FollowedBook) => void,
): AsyncGenerator<undefined, { unknown: ExportGap[]; channel: string }> {
  const unknown: ExportGap[] = []
  let lost: { fromUs: number; cause: string } | undefined
  let begun = false
  let usedChannel = ''
  const found = (atUs: number) => {
    if (lost) unknown.push({ fromUs: lost.fromUs, toUs: atUs, cause: lost.cause })
    lost = undefined
  }
  const book: FollowedBook = new FollowedBook({
    event: event => {
      if (!begun) return
      found(event.recvUs)
      taken(event, book)
    },
    lost: (sinceUs, cause) => {
      if (begun) lost ??= { fromUs: Math.max(sinceUs, fromUs), cause }
    },
    // What seemed lost was not.
    proved: () => (lost = undefined),
  })
  const history = await BookHistory.open({ path: root, instrument, channel, onProblem })
  try {
    const atBegin = (atUs: number, name: string) => {
      book.finish()
      begun = true
      usedChannel = name
      if (!book.isKnown) {
        lost = { fromUs: atUs, cause: book.unknown?.because ?? 'unknown' }
        return
      }
      const { exchangeMs, changeId } = book
      taken({ kind: 'snapshot', recvUs: atUs, exchangeMs, changeId, levels: allLevels(book), opening: true }, book)
    }
    yield* history.walk({ fromUs, toUs, everyUs: Infinity }, atBegin, book)
    book.finish()
  } finally {
    history.close()
  }
  found(toUs)
  return { unknown, channel: usedChannel }
}

/** Bids first, the best level first. */
export function allLevels(book: FollowedBook): BookEvent['levels'] {
  return (['bids', 'asks'] as const).flatMap(side =>
    book[side].list().map(([price, amount]) => [side, price, amount, true] as const),
  )
}
