/** Kind and currency of an instrument, by which rows and, where that is configured, segments lie together; both are spelled safely for any path. */
export interface Partition {
  kind: Kind
  /** Settlement currency. */
  currency: string
}

/** What sort of thing a name stands for, on any exchange. */
export type Kind = 'perpetual' | 'future' | 'option' | 'spot' | 'future_combo' | 'option_combo' | 'index' | 'none'

/** Of what is about no instrument and no index. */
export const noPartition: Partition = { kind: 'none', currency: 'none' }

/** A currency as part of a path. Any other text, a name from the wire above all, gives `OTHER`. */
export function safeCurrency(text: string | undefined): string {
  return text !== undefined && /^[A-Z0-9]{1,16}$/.test(text) ? text : 'OTHER'
}
