import type { Exchange } from '../exchange.js'
import { books } from './book.js'
import type { OkxConfig } from './config.js'
import { exports } from './export.js'
import { families } from './families.js'
import { frames } from './frames.js'
import * as names from './names.js'
import { settings } from './settings.js'
import { tables } from './tables.js'

/** OKX. */
export const okx: Exchange<OkxConfig> = {
  name: 'okx',
  title: 'OKX',
  place: 'Hong Kong',
  families,
  names,
  frames,
  books,
  exports,
  tables,
  settings,
  openAdapter: async (config, _credentials, log) => (await import('./adapter.js')).okx(config, log),
  simulation: () => import('./simulator/main.js'),
}
