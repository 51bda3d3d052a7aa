import type { Exchange } from '../exchange.js'
import { books } from './book.js'
import { families } from './families.js'
import { namedChannel } from './frame-channel.js'
import * as names from './names.js'
import { tables } from './tables.js'

/** Deribit. */
export const deribit: Exchange = {
  name: 'deribit',
  families,
  names,
  frames: { channelOf: namedChannel },
  books,
  tables,
  viewsFolder: 'exchanges/deribit/views',
  simulation: () => import('./simulator/main.js'),
}
