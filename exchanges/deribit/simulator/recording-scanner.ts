import type { IndexSource } from '../../../simulator/market/listing-plan.js'
import type { RecordedListings } from '../../../simulator/market/market.js'
import type { RecordingScanner } from '../../../simulator/protocol.js'
import { instrumentFromName } from './instrument-names.js'
import { INDEX_SOURCES } from './underlyings.js'

const NAMED = /"(instrument_name|index_name|price_index|channel)":"([^"\\]{1,100})"/g

/** What a recording is about: instruments and indices, from the names in its frames. */
export class NameScanner implements RecordingScanner {
  readonly #names = new Set<string>()
  readonly #indices = new Set(INDEX_SOURCES.map(({ name }) => name))

  look(frame: string): void {
    for (const [, key = '', value = ''] of frame.matchAll(NAMED)) {
      if (key === 'instrument_name') this.#names.add(value)
      else if (key === 'channel') this.#lookAtChannel(value)
      else this.#indices.add(value)
    }
  }

  listings(createdMs: number): RecordedListings {
    const instruments = [...this.#names].sort().flatMap((name, position) => {
      return instrumentFromName(name, { id: position + 1, createdMs }) ?? []
    })
    const indices = new Set([...this.#indices, ...instruments.map(({ index }) => index)])
    return { instruments, indices: [...indices].map(indexSource) }
  }

  /** Some payloads name neither instrument nor index: the channel does. */
  #lookAtChannel(channel: string): void {
    for (const word of channel.split('.')) {
      if (/^[a-z0-9]+_[a-z0-9]+$/.test(word) && !/^(price|incremental|block|platform)_/.test(word))
        this.#indices.add(word)
      else if (/^[A-Z0-9_]+-[A-Z0-9_d-]+$/.test(word)) this.#names.add(word)
    }
  }
}

function indexSource(name: string): IndexSource {
  return INDEX_SOURCES.find(known => known.name === name) ?? { name, startPrice: 1, decimals: 4, volatility: 0 }
}
