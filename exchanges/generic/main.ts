import type { Exchange } from '../exchange.js'

/**
 * Any feed that a config describes, under any name. Its families are `frames.<name from the config>`, so that the wire
 * names no folder and no table takes them for another exchange's; what its names mean nobody knows.
 */
export const generic: Exchange = {
  name: 'generic',
  families: [],
  names: {
    familyOfChannel: family => family,
    partitionOfInstrument: () => ({ kind: 'none', currency: 'OTHER' }),
    subjectOf: () => undefined,
    isAbout: () => false,
    expiryMsOf: () => Infinity,
  },
  // Where they name it is written in a config, which no recording carries.
  frames: { channelOf: () => undefined },
  tables: [],
}
