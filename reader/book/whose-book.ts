import type { Books } from '../../exchanges/book.js'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'
import { partitionFolders } from '../../formats/partition-folders.js'

/** An exchange that has books of an instrument, by what its names say. */
export interface BookExchange {
  /** Its folders below `raw/` and `parquet/`. */
  name: string
  books: Books
}

/** Whose book of an instrument is read below a root: of the exchanges that are there, the first that knows such a name. */
export function whoseBook(root: string, instrument: string): BookExchange | undefined {
  const found = new Set(
    ['raw', 'parquet'].flatMap(path =>
      [...partitionFolders(root, { path, values: {} }, [{ key: 'exchange' }], {})].map(
        ({ values }) => values['exchange'] ?? '',
      ),
    ),
  )
  const withBooks = [...found].sort().flatMap(name => {
    const { books, names } = exchangeNamed(name)
    return books ? [{ name, books, knows: names.partitionOfInstrument(instrument).kind !== 'none' }] : []
  })
  return withBooks.find(({ knows }) => knows) ?? withBooks[0]
}

/** Whether a family brings full books, whichever exchange it is of. */
export const isOfBooks = (family: string) => exchanges.some(({ books }) => books?.family === family)
