import { bringsBooks, type Books } from '../../exchanges/book.js'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'
import { exchangesIn, oneOf } from '../recorded-exchange.js'

/** An exchange that has books of an instrument, by what its names say. */
export interface BookExchange {
  /** Its folders below `raw/` and `parquet/`. */
  name: string
  books: Books
}

/**
 * Whose book of an instrument is read below a root: of the exchange that is named, else of the only one there that knows
 * such a name, or has books at all. Undefined where none has.
 * @throws EdgeError EXCHANGE_NOT_NAMED several may be meant; EXCHANGE_NOT_RECORDED
 */
export function whoseBook(root: string, instrument: string, name?: string): BookExchange | undefined {
  const withBooks = exchangesIn(root).filter(each => exchangeNamed(each).books)
  if (withBooks.length === 0) return undefined
  const knowing = withBooks.filter(each => exchangeNamed(each).names.partitionOfInstrument(instrument).kind !== 'none')
  const found = oneOf(
    knowing.length === 0 || name !== undefined ? withBooks : knowing,
    name,
    `${instrument} in ${root}`,
  )
  const { books } = exchangeNamed(found)
  return books && { name: found, books }
}

/** Whether a family brings full books, whichever exchange it is of. */
export const isOfBooks = (family: string) => exchanges.some(({ books }) => books && bringsBooks(books, family))
