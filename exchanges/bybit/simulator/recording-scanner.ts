import { NEVER_MS } from '../../../simulator/market/calendar.js'
import type { Instrument } from '../../../simulator/market/instruments.js'
import type { RecordedListings } from '../../../simulator/market/market.js'
import { PriceGrid } from '../../../simulator/market/price-grid.js'
import type { RecordingScanner } from '../../../simulator/protocol.js'
import { topicIn } from '../frames.js'
import { categoryOfName, expiryMsOf, partitionOfInstrument, symbolOf } from '../names.js'
import { called } from './plan.js'

const INDEX = 'RECORDED'

/** What a recording is about: symbols, from the topics of its frames. Frames do not distinguish spot from linear: both are listed. */
export class SymbolScanner implements RecordingScanner {
  readonly #symbols = new Set<string>()

  look(frame: string): void {
    const topic = topicIn(Buffer.from(frame))
    const symbol = topic === undefined ? undefined : symbolOf(topic)
    if (symbol !== undefined && symbol.length <= 60) this.#symbols.add(symbol)
  }

  listings(createdMs: number): RecordedListings {
    const names = [...this.#symbols].sort().flatMap(symbol => [
      { ...called(categoryOfName(symbol), symbol), kind: partitionOfInstrument(symbol).kind },
      { ...called('spot', symbol), kind: 'spot' as const },
    ])
    const instruments = names.flatMap(({ kind, ...own }, position): Instrument[] => {
      if (kind !== 'perpetual' && kind !== 'future' && kind !== 'option' && kind !== 'spot') return []
      const expiryMs = expiryMsOf(`tickers.${own.symbol}`)
      return [
        {
          ...own,
          kind,
          ...{ base: own.symbol, quote: 'USDT', settle: 'USDT', linear: true, index: INDEX, underlying: own.symbol },
          expiryMs: kind === 'spot' || !Number.isFinite(expiryMs) ? NEVER_MS : expiryMs,
          ...{ id: position + 1, createdMs, grid: new PriceGrid(0.01), minAmount: 0.001, contractSize: 1 },
        },
      ]
    })
    return { instruments, indices: [{ name: INDEX, startPrice: 1, decimals: 2, volatility: 0 }] }
  }
}
