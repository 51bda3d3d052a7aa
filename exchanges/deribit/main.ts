import type { Exchange } from '../exchange.js'
import { books } from './book.js'
import type { DeribitConfig } from './config.js'
import { exports } from './export.js'
import { families } from './families.js'
import { frames } from './frames.js'
import * as names from './names.js'
import { settings } from './settings.js'
import { tables } from './tables.js'

/** Deribit. */
export const deribit: Exchange<DeribitConfig> = {
  name: 'deribit',
  title: 'Deribit',
  place: 'London',
  families,
  names,
  frames,
  books,
  exports: () => exports,
  tables,
  viewsFolder: 'exchanges/deribit/views',
  settings,
  openAdapter: async (config, credentials, log) => (await import('./adapter.js')).deribit(config, credentials, log),
  simulation: () => import('./simulator/main.js'),
}
