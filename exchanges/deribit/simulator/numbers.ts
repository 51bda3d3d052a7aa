import { isPerpetual, type Instrument } from '../../../simulator/market/instruments.js'
import type { Numbers, TradeNumbers } from '../../../simulator/market/numbers.js'
import type { Random } from '../../../simulator/market/random.js'

const NS_PER_MS = 1_000_000n
/** About the ids of autumn 2026; they count up with time. */
const STARBASE_BASE = 227_000_000_000_000_000n

/** Change ids are counted per engine, not per book: those of one book jump by any amount. */
class ChangeIds {
  private readonly counters = new Map<string, number>()

  constructor(private readonly random: Random) {}

  next(instrument: Instrument): number {
    const engine = engineOf(instrument)
    const last = this.counters.get(engine) ?? 100_000_000_000 + this.random.int(0, 999_999_999)
    // Now and then two changes of one book do follow each other.
    const id = last + (this.random.chance(0.1) ? 1 : this.random.int(2, 60))
    this.counters.set(engine, id)
    return id
  }
}

function engineOf(instrument: Instrument): string {
  if (instrument.kind === 'spot') return 'spot'
  if (instrument.settle === 'USDC') return isPerpetual(instrument) ? 'usdc perpetuals' : 'usdc'
  return instrument.settle
}

/** Numbers trades: `445682190` for BTC, `ETH-284830839` elsewhere, unique per currency. */
class TradeIds {
  private readonly counters = new Map<string, number>()

  constructor(private readonly random: Random) {}

  next({ settle, kind, underlying }: Instrument): string {
    const family = settle === 'BTC' && kind !== 'spot' ? '' : settle === 'USDC' || kind === 'spot' ? underlying : settle
    const next = (this.counters.get(family) ?? this.random.int(400_000, 445_000_000)) + 1
    this.counters.set(family, next)
    return family === '' ? String(next) : `${family}-${next}`
  }
}

/** Numbers as the exchange gives them, by its chances. */
export class DeribitNumbers implements Numbers {
  private readonly changes: ChangeIds
  private readonly trades: TradeIds
  private matches = 0n

  constructor(private readonly random: Random) {
    this.changes = new ChangeIds(random)
    this.trades = new TradeIds(random)
  }

  bookChange(instrument: Instrument): number {
    return this.changes.next(instrument)
  }

  trade(instrument: Instrument, ms: number): TradeNumbers {
    return { tradeId: this.trades.next(instrument), ...this.starbase(ms) }
  }

  /** Match id and time stamp of the matching engine, both beyond what a float holds. */
  private starbase(ms: number): Pick<TradeNumbers, 'matchId' | 'matchedNs'> {
    this.matches += 1n
    const nanos = BigInt(this.random.int(0, 999_999))
    return {
      matchId: STARBASE_BASE + ((BigInt(ms) * 4_000n) % 1_000_000_000_000_000n) + this.matches * 4097n,
      matchedNs: BigInt(ms) * NS_PER_MS + nanos,
    }
  }
}
