import { HOUR_MS, NEVER_MS } from '../../../simulator/market/calendar.js'
import type { Birth, Instrument, InstrumentNames, Kind, Terms } from '../../../simulator/market/instruments.js'
import type { ListingPlan } from '../../../simulator/market/listing-plan.js'
import type { Numbers } from '../../../simulator/market/numbers.js'
import { PriceGrid } from '../../../simulator/market/price-grid.js'
import type { Random } from '../../../simulator/market/random.js'
import { typeOfInstrument, expiryMsOf, partitionOfInstrument } from '../names.js'
import { INDEX_SOURCES, SPOT_PAIRS, UNDERLYINGS } from './underlyings.js'

/** What is listed, and how it is called and numbered. */
export const okxPlan: ListingPlan = {
  indices: INDEX_SOURCES,
  underlyings: UNDERLYINGS,
  spotPairs: SPOT_PAIRS,
  settlesAtMs: 8 * HOUR_MS,
  namesOf,
  combos: () => [],
  numbers: random => new OkxNumbers(random),
}

const CATEGORY: Readonly<Record<Kind, string>> = {
  perpetual: 'SWAP',
  future: 'FUTURES',
  option: 'OPTION',
  spot: 'SPOT',
  future_combo: 'SPREAD',
  option_combo: 'SPREAD',
}

/** `BTC-USDT-SWAP`, `BTC-USD-241220`, `BTC-USD-241217-92000-C`, `BTC-USDT`. */
function namesOf(terms: Terms): InstrumentNames {
  const name = nameOf(terms)
  return { name, symbol: name, category: CATEGORY[terms.kind] }
}

function nameOf({ kind, underlying, base, quote, expiryMs, strike, call }: Terms): string {
  if (kind === 'perpetual') return `${underlying}-SWAP`
  if (kind === 'spot') return `${base}-${quote}`
  const date = new Date(expiryMs).toISOString().slice(2, 10).replaceAll('-', '')
  return kind === 'option' ? `${underlying}-${date}-${strike ?? 0}-${call ? 'C' : 'P'}` : `${underlying}-${date}`
}

/** Numbers of books and trades of an instrument are of one sequence, in which they jump by any amount. */
class OkxNumbers implements Numbers {
  readonly #last = new Map<string, number>()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  bookChange(instrument: Instrument): number {
    return this.#next(instrument)
  }

  trade(instrument: Instrument, ms: number) {
    // The number of a trade in its instrument is all that the exchange sends; where it lies among the books stands beside it.
    return { tradeId: '', matchId: BigInt(this.#next(instrument)), matchedNs: BigInt(ms) * 1_000_000n }
  }

  #next({ name }: Instrument): number {
    const last = this.#last.get(name) ?? 300_000_000_000 + this.#random.int(0, 999_999_999)
    const next = last + this.#random.int(1, 90)
    this.#last.set(name, next)
    return next
  }
}

/** An instrument as far as its name says; undefined for a name by no known rule. Steps are guesses. */
export function instrumentFromName(name: string, birth: Birth): Instrument | undefined {
  const type = typeOfInstrument(name)
  if (type === undefined) return undefined
  const { kind } = partitionOfInstrument(name)
  const [base = '', quote = '', , strike, right] = name.split('-')
  const pair = `${base}-${quote}`
  const known = UNDERLYINGS.find(underlying => underlying.name === pair)
  const steps = (kind === 'option' ? known?.option : known?.perpetual) ?? {
    tickSize: 0.0001,
    minAmount: 1,
    contractSize: 1,
  }
  const expiryMs = kind === 'future' || kind === 'option' ? expiryMsOf(name) : NEVER_MS
  return {
    ...birth,
    kind: kind as Kind,
    base,
    quote: quote.replace(/_UM$/, ''),
    settle: partitionOfInstrument(name).currency,
    linear: quote !== 'USD' || kind === 'spot',
    index: pair.replace(/_UM$/, ''),
    underlying: pair,
    expiryMs,
    ...(kind === 'option' && { strike: Number(strike), call: right === 'C' }),
    name,
    symbol: name,
    category: type,
    grid: new PriceGrid(steps.tickSize),
    minAmount: steps.minAmount,
    contractSize: steps.contractSize,
  }
}
