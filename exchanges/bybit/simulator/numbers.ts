import type { Instrument } from '../../../simulator/market/instruments.js'
import type { Numbers, TradeNumbers } from '../../../simulator/market/numbers.js'
import type { Random } from '../../../simulator/market/random.js'

/** About the cross sequences of autumn 2026. */
const CROSS_BASE = 753_843_000_000
/** Of spot trades; they rise with holes. */
const SPOT_BASE = 2_290_000_001_189_000_000n

/** Numbers as the exchange gives them: cross sequences with holes, shared by symbols; UUIDs for trades, numbers at spot. */
export class BybitNumbers implements Numbers {
  #cross: number
  #spotTrades = SPOT_BASE

  constructor(private readonly random: Random) {
    this.#cross = CROSS_BASE + random.int(0, 999_999)
  }

  bookChange(): number {
    this.#cross += this.random.int(1, 9)
    return this.#cross
  }

  trade({ kind }: Instrument, ms: number): TradeNumbers {
    this.#spotTrades += BigInt(this.random.int(1, 22))
    return {
      tradeId: kind === 'spot' ? String(this.#spotTrades) : this.#uuid(),
      matchId: BigInt(this.bookChange()),
      matchedNs: BigInt(ms) * 1_000_000n,
    }
  }

  #uuid(): string {
    const hex = (digits: number) => Array.from({ length: digits }, () => this.random.int(0, 15).toString(16)).join('')
    return `${hex(8)}-${hex(4)}-5${hex(3)}-a${hex(3)}-${hex(12)}`
  }
}
