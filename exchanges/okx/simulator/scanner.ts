import type { RecordedListings } from '../../../simulator/market/market.js'
import type { RecordingScanner } from '../../../simulator/protocol.js'
import { instrumentFromName } from './plan.js'
import { INDEX_SOURCES } from './underlyings.js'

const NAMED = /"instId":"([^"\\]{1,64})"/g

/** What a recording is about: instruments and indices, from the names in its frames. */
export class NameScanner implements RecordingScanner {
  readonly #names = new Set<string>()

  look(frame: string): void {
    for (const [, name = ''] of frame.matchAll(NAMED)) this.#names.add(name)
  }

  listings(createdMs: number): RecordedListings {
    const instruments = [...this.#names].sort().flatMap((name, position) => {
      return instrumentFromName(name, { id: position + 1, createdMs }) ?? []
    })
    const indices = new Set([...INDEX_SOURCES.map(({ name }) => name), ...instruments.map(({ index }) => index)])
    return {
      instruments,
      indices: [...indices].map(
        name =>
          INDEX_SOURCES.find(source => source.name === name) ?? { name, startPrice: 1, decimals: 4, volatility: 0 },
      ),
    }
  }
}
