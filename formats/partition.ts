/** Kind and currency of an instrument, by which rows and, where that is configured, segments lie together; both are spelled safely for any path. */
export interface Partition {
  kind: Kind
  /** Settlement currency. */
  currency: string
}

export type Kind = 'perpetual' | 'future' | 'option' | 'spot' | 'future_combo' | 'option_combo' | 'index' | 'none'

const BASE = '[A-Z0-9]+(?:_[A-Z0-9]+)?'
const DATE = '[0-9]{1,2}[A-Z]{3}[0-9]{2}'

/** In this order: the first pattern that fits decides. Rules of api.md §8. */
const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['perpetual', new RegExp(`^${BASE}-PERPETUAL$`)],
  ['future', new RegExp(`^${BASE}-${DATE}$`)],
  ['option', new RegExp(`^${BASE}-${DATE}-[0-9]+(?:d[0-9]+)?-[CP]$`)],
  ['spot', /^[A-Z0-9]+_[A-Z0-9]+$/],
  ['future_combo', new RegExp(`^${BASE}-FS-(?:${DATE}|PERP)_(?:${DATE}|PERP)$`)],
  // Codes of option combos are an open set: what starts with a code and names a date.
  ['option_combo', new RegExp(`^${BASE}-[A-Z][A-Z0-9]*-${DATE}(?:[-_][0-9A-Za-z_]+)*$`)],
]

/** Any other text, a name from the wire above all, gives `OTHER`. */
function safeCurrency(text: string | undefined): string {
  return text !== undefined && /^[A-Z0-9]{1,16}$/.test(text) ? text : 'OTHER'
}

/** Where rows of an instrument belong. A name that fits no rule has kind `none` and currency `OTHER`. */
export function partitionOfInstrument(name: string): Partition {
  const kind = KINDS.find(([, pattern]) => pattern.test(name))?.[0]
  if (kind === undefined) return { kind: 'none', currency: 'OTHER' }
  const [pair = ''] = name.split('-')
  const [base, quote] = pair.split('_')
  return { kind, currency: safeCurrency(quote ?? base) }
}

/** Where rows of an index belong: `btc_usd` → BTC. */
export function partitionOfIndex(name: string): Partition {
  return { kind: 'index', currency: safeCurrency(name.split('_')[0]?.toUpperCase()) }
}

export const noPartition: Partition = { kind: 'none', currency: 'none' }
