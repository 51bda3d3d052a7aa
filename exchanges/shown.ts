/** What people look at to see that the data make sense: a few prices, and the IV of the options that end first. */

/** What a frame says of it; what it leaves out is as before. */
export interface Glance {
  price?: number | undefined
  bid?: number | undefined
  ask?: number | undefined
  /** Implied volatility, percent. */
  iv?: number | undefined
}

export interface Shown {
  /** As people call it. */
  name: string
  family: string
  /** Text that stands in its frames and in no others of their family. */
  text: string
  read: (frame: Buffer) => Glance
}

/** An underlying: what is traded most, and the option at the money of those that end first. */
export interface Front {
  base: string
  price?: string
  option?: { instrument: string; name: string }
}

/** How frames of family `ticker` describe one instrument each. */
interface Tickers {
  /** Text of its channel, which stands in its frames. */
  textOf: (instrument: string) => string
  dataOf: (frame: Buffer) => unknown
  price: (data: Record<string, unknown>) => Glance
  iv: (data: Record<string, unknown>) => Glance
}

/** What is shown of each front where tickers bring prices and IV. */
export function shownByTickers(fronts: readonly Front[], { textOf, dataOf, price, iv }: Tickers): Shown[] {
  const ticker = (name: string, instrument: string, glance: Tickers['price']): Shown => ({
    ...{ name, family: 'ticker', text: textOf(instrument) },
    read: frame => {
      const data = dataOf(frame)
      return typeof data === 'object' && data !== null ? glance(data as Record<string, unknown>) : {}
    },
  })
  return fronts.flatMap(front => [
    ...(front.price === undefined ? [] : [ticker(front.price, front.price, price)]),
    ...(front.option ? [ticker(front.option.name, front.option.instrument, iv)] : []),
  ])
}

interface Listed {
  readonly instrument_name: string
  readonly expiration_timestamp?: number | undefined
}

interface Names<Instrument> {
  /** The perpetual that shows prices best, where there is one; of several the first by name is taken. */
  baseOfPerpetual: (instrument: Instrument) => string | undefined
  /** Of a call; others are left out. */
  baseOfCall: (instrument: Instrument) => string | undefined
}

const BASES_MAX = 2
/** Known to all, where nothing else decides. */
const KNOWN = ['ETH', 'BTC']
const STRIKE = /-(\d+(?:[d.]\d+)?)-C(?:-|$)/

const strikeOf = (name: string) => Number(STRIKE.exec(name)?.[1]?.replace('d', '.') ?? NaN)

/**
 * The underlyings with most options, or else those that are known best, and what is shown of each. Pure.
 * @param priceOf the last price of an instrument that was shown
 */
export function frontsOf<Instrument extends Listed>(
  instruments: readonly Instrument[],
  { baseOfPerpetual, baseOfCall }: Names<Instrument>,
  priceOf: (name: string) => number | undefined,
  nowMs: number,
): Front[] {
  const found = new Map<string, { price?: string; calls: Listed[] }>()
  const at = (base: string) => {
    const known = found.get(base) ?? { calls: [] }
    found.set(base, known)
    return known
  }
  for (const instrument of instruments) {
    const { instrument_name: name, expiration_timestamp: endMs = 0 } = instrument
    const base = baseOfPerpetual(instrument)
    if (base !== undefined) {
      const known = at(base)
      if (known.price === undefined || name < known.price) known.price = name
    }
    const coin = baseOfCall(instrument)
    if (coin !== undefined && endMs > nowMs) at(coin).calls.push(instrument)
  }
  return [...found]
    .sort(
      ([a, { calls: ofA }], [b, { calls: ofB }]) =>
        ofB.length - ofA.length || KNOWN.indexOf(b) - KNOWN.indexOf(a) || (a < b ? -1 : 1),
    )
    .slice(0, BASES_MAX)
    .map(([base, { price, calls }]) => {
      const option = atTheMoney(calls, price === undefined ? undefined : priceOf(price))
      return {
        base,
        ...(price !== undefined && { price }),
        ...(option !== undefined && {
          option: { instrument: option, name: option.replace(/-\d+(?:[d.]\d+)?-C.*$/, '') },
        }),
      }
    })
}

/** Where no price is known yet, the strike in the middle. */
function atTheMoney(calls: readonly Listed[], price: number | undefined): string | undefined {
  const firstMs = calls.reduce((first, { expiration_timestamp: ms = Infinity }) => Math.min(first, ms), Infinity)
  const names = calls.flatMap(({ instrument_name: name, expiration_timestamp: ms }) =>
    ms === firstMs && !Number.isNaN(strikeOf(name)) ? [name] : [],
  )
  const byStrike = names.sort((a, b) => strikeOf(a) - strikeOf(b))
  if (price === undefined) return byStrike[Math.floor(byStrike.length / 2)]
  return byStrike.sort((a, b) => Math.abs(strikeOf(a) - price) - Math.abs(strikeOf(b) - price))[0]
}

/** A number as exchanges spell it: as one, or as text; undefined for what is none. */
export function numberIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
