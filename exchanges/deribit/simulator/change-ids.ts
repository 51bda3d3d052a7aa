import type { Instrument } from '../../../simulator/market/instruments.js'
import { isPerpetual } from '../../../simulator/market/instruments.js'
import type { Random } from '../../../simulator/market/random.js'

/** Change ids are counted per engine, not per book: those of one book jump by any amount. */
export class ChangeIds {
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
  if (instrument.currency === 'USDC') return isPerpetual(instrument) ? 'usdc perpetuals' : 'usdc'
  return instrument.currency
}
