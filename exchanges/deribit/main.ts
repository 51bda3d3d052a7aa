import type { Exchange } from '../exchange.js'
import { families } from './families.js'
import * as names from './names.js'
import { tables } from './tables.js'

/** Deribit. */
export const deribit: Exchange = {
  name: 'deribit',
  families,
  names,
  tables,
  simulation: () => import('./simulator/main.js'),
}
