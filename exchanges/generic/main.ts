import { shownUrl } from '../../platform/shown-url.js'
import type { Exchange } from '../exchange.js'
import type { GenericConfig } from './config.js'

/**
 * Any feed that a config describes, under any name. Its families are `frames.<name from the config>`, so that the wire
 * names no folder and no table takes them for another exchange's; what its names mean nobody knows.
 */
export const generic: Exchange<GenericConfig> = {
  name: 'generic',
  title: 'a described feed',
  families: [],
  names: {
    familyOfChannel: family => family,
    partitionOfInstrument: () => ({ kind: 'none', currency: 'OTHER' }),
    partitionOfChannel: () => undefined,
    subjectOf: () => undefined,
    isAbout: () => false,
    expiryMsOf: () => Infinity,
  },
  // Where they name it is written in a config, which no recording carries.
  frames: { channelOf: () => undefined, channelText: /"channel"\s*:\s*"([^"]*)"/ },
  tables: [],
  settings: {
    schema: async () => (await import('./config.js')).genericConfig,
    summaryOf: config => shownUrl(config.url),
    connectionsMax: config => config.redundancy,
    reading: ({ channelAt, decode }) => ({ channelAt, decode: decode === 'none' ? undefined : decode }),
    questions: [],
    valuesOf: () => ({}),
    hints: { plansNothing: 'check exchange.families', refused: 'check exchange.url and exchange.send' },
  },
  openAdapter: async config => (await import('./adapter.js')).generic(config),
}
