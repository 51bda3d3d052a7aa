import type { Exchange } from '../exchange.js'
import { books } from './book.js'
import type { BybitConfig } from './config.js'
import { exports } from './export.js'
import { families } from './families.js'
import { frames } from './frames.js'
import * as names from './names.js'
import { settings } from './settings.js'
import { tables } from './tables.js'

/** Bybit, its public data: linear, inverse, spot and options. */
export const bybit: Exchange<BybitConfig> = {
  name: 'bybit',
  title: 'Bybit',
  place: 'Singapore',
  families,
  names,
  frames,
  books,
  exports,
  tables,
  settings,
  openAdapter: async (config, _credentials, log) => (await import('./adapter.js')).bybit(config, log),
  simulation: () => import('./simulator/main.js'),
}
