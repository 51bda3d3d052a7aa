import { dataStart } from './frame-channel.js'
import type { BookWatch } from '../book-watch.js'
import { KnownTexts } from '../known-texts.js'
import { isText } from '../../platform/json-bytes.js'
import { dataOf } from './notification.js'
import { bookIdsAt, eachTradeAt } from './sequence-bytes.js'
import { bookIdsOf, tradeRowsOf } from './sequence-json.js'
import type { TradeSequences } from '../trade-sequences.js'

/** Checks each data frame of one connection against the sequence it belongs to. */
export class SequenceWatch {
  readonly #books: BookWatch
  readonly #trades: TradeSequences
  readonly #instruments = new KnownTexts()

  /** @param trades of all connections together */
  constructor(books: BookWatch, trades: TradeSequences) {
    this.#books = books
    this.#trades = trades
  }

  /**
   * @param nameEnd where the channel's name ends in the frame
   * @param recvUs the frame's receive stamp
   */
  see(channel: string, family: string, frame: Buffer, nameEnd: number, recvUs: number): void {
    if (family === 'book') this.#seeBook(channel, frame, nameEnd, recvUs)
    else if (family === 'trades') this.#seeTrades(channel, frame, nameEnd, recvUs)
  }

  #seeBook(channel: string, frame: Buffer, nameEnd: number, recvUs: number): void {
    const ids = endsWith(frame, BOOK_END) ? bookIdsAt(frame, dataStart(frame, nameEnd)) : undefined
    if (ids) this.#books.see(channel, ids, recvUs)
    else this.seeParsed(channel, 'book', dataOf(frame), recvUs)
  }

  #seeTrades(channel: string, frame: Buffer, nameEnd: number, recvUs: number): void {
    let strange = 0
    const isRead =
      endsWith(frame, TRADES_END) &&
      eachTradeAt(frame, dataStart(frame, nameEnd), (from, to, seq) => {
        if (this.#trades.see(this.#instruments.textAt(frame, from, to), seq, recvUs)) strange++
      })
    // When trades were made is read only where their numbers do not fit.
    if (!isRead || strange > 0) this.seeParsed(channel, 'trades', dataOf(frame), recvUs)
  }

  /** The same for a frame whose spelling only a parser understands. */
  seeParsed(channel: string, family: string, data: unknown, recvUs: number): void {
    const ids = family === 'book' ? bookIdsOf(data) : undefined
    if (ids) this.#books.see(channel, ids, recvUs)
    if (family === 'trades')
      for (const { instrument, ...trade } of tradeRowsOf(data))
        if (this.#trades.see(instrument, trade.seq, recvUs)) this.#trades.doubt(instrument, trade, recvUs)
  }
}

/** How whole frames end, as the exchange spells them today: of what lacks an end nothing is believed unless a parser takes it. */
const BOOK_END = Buffer.from('}}}')
const TRADES_END = Buffer.from(']}}')

const endsWith = (frame: Buffer, end: Buffer) => isText(frame, frame.length - end.length, frame.length, end)
