import { familyOfChannel } from '../../exchanges/deribit/names.js'

/** Kinds as the table shows them: both sorts of combo are one. */
export const kinds = ['option', 'perpetual', 'future', 'spot', 'combo', 'index'] as const
export type Kind = (typeof kinds)[number]

/** The Parquet table of a family, where its name is another. */
const TABLES: Readonly<Record<string, string>> = {
  'chart.trades': 'candles',
  deribit_price_index: 'price_index',
  deribit_price_ranking: 'price_ranking',
  deribit_price_statistics: 'price_statistics',
  deribit_volatility_index: 'volatility_index',
  'markprice.options': 'option_marks',
  estimated_expiration_price: 'expiration_estimate',
}

export function tableOfFamily(family: string): string {
  return TABLES[family] ?? family
}

/** Families whose tables have a row or more for each frame about one instrument or index. */
export const FAMILIES = [
  'trades',
  'quote',
  'book',
  'book_grouped',
  'ticker',
  'incremental_ticker',
  'perpetual',
  'chart.trades',
  'deribit_price_index',
  'deribit_price_ranking',
  'deribit_price_statistics',
  'deribit_volatility_index',
  'markprice.options',
  'estimated_expiration_price',
]

/** What a subscribed channel promises data of. */
export interface ChannelTarget {
  family: string
  kinds: readonly Kind[]
  /** Instrument or index; undefined for a channel of a whole kind, such as `trades.option.BTC.100ms`. */
  name: string | undefined
  /** Of a channel of a whole kind: settlement currency, or `any`. */
  currency?: string
}

const WHOLE_KIND: Readonly<Record<string, readonly Kind[]>> = {
  future: ['future', 'perpetual'],
  option: ['option'],
  spot: ['spot'],
  future_combo: ['combo'],
  option_combo: ['combo'],
  combo: ['combo'],
  any: ['option', 'perpetual', 'future', 'spot', 'combo'],
}

/** Undefined for channels that are about no instrument and no index. */
export function targetOf(channel: string): ChannelTarget | undefined {
  const family = familyOfChannel(channel)
  const base = family === 'book_grouped' ? 'book' : family
  if (!channel.startsWith(`${base}.`)) return undefined
  const [name = '', currency = 'any'] = channel.slice(base.length + 1).split('.')
  if (family === 'trades') {
    const whole = WHOLE_KIND[name]
    if (whole !== undefined) return { family, kinds: whole, name: undefined, currency }
  }
  const kind = kindOfName(name)
  return kind === undefined ? undefined : { family, kinds: [kind], name }
}

/** Whether a channel brings what is about this instrument or index. */
export function isAbout(
  { kinds: ofChannel, name, currency = 'any' }: ChannelTarget,
  kind: Kind,
  about: string,
): boolean {
  if (name !== undefined) return name === about
  if (!ofChannel.includes(kind)) return false
  return currency === 'any' || about.startsWith(`${currency}-`) || about.includes(`_${currency}`)
}

/** The kind that a name shows; the patterns are those of the exchange's naming. */
export function kindOfName(name: string): Kind | undefined {
  if (/^[a-z0-9-]+_[a-z0-9]+$/.test(name)) return 'index'
  if (/^[A-Z0-9]+_[A-Z0-9]+$/.test(name)) return 'spot'
  const parts = name.split('-')
  if (parts[1] === 'PERPETUAL') return 'perpetual'
  const dated = /^\d{1,2}[A-Z]{3}\d{2}$/.test(parts[1] ?? '')
  if (dated && parts.length === 2) return 'future'
  if (dated && /^[CP]$/.test(parts[3] ?? '')) return 'option'
  return /^[A-Z0-9_]+-[A-Z0-9]+-/.test(name) && !dated ? 'combo' : undefined
}

/** The kind of a partition, `kind=…`. */
export function kindOfPartition(kind: string): Kind | undefined {
  if (kind === 'future_combo' || kind === 'option_combo') return 'combo'
  return kinds.find(known => known === kind)
}
