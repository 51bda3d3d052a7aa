import type { Listed } from '../listings.js'
import type { ConfigKind } from './families.js'
import { textOf, type Message } from './message.js'

/** What decides about an instrument; all else of it is recorded as it came. */
export interface Instrument extends Listed {
  kind: ConfigKind
  /** The index that it is about. */
  index: string
  /** Product family: what options are asked for by. */
  instFamily: string
}

/** Types that are asked for, in this order. */
export const TYPES = ['SWAP', 'FUTURES', 'OPTION', 'SPOT'] as const
export type InstType = (typeof TYPES)[number]
export const kindOfType: Readonly<Record<InstType, ConfigKind>> = {
  SWAP: 'perpetual',
  FUTURES: 'future',
  OPTION: 'option',
  SPOT: 'spot',
}

/** States in which an instrument can be subscribed and says something. */
const OPEN = new Set(['live', 'preopen', 'suspend', 'rebase', 'post_only', 'settling'])
/** Of one that the exchange knows nothing of, asked for it alone. */
export const NOT_LISTED = 'not listed any more'
/** After it nothing more comes. */
export const GONE = new Set(['expired', NOT_LISTED])

export const isOpen = (row: Message) => OPEN.has(textOf(row['state']))
export const stateOf = (row: Message) => textOf(row['state'])
export const nameOf = (row: Message) => textOf(row['instId'])

/** The instrument that a row defines; undefined for one that it does not name, or of another type. */
export function instrumentOf(row: Message): Instrument | undefined {
  const name = nameOf(row)
  const type = TYPES.find(known => known === row['instType'])
  if (name === '' || type === undefined) return undefined
  const expiry = Number(textOf(row['expTime']) || NaN)
  const pair = name.split('-').slice(0, 2).join('-')
  return {
    instrument_name: name,
    kind: kindOfType[type],
    // Answers of before 2022 have no family, and spot pairs have none at all.
    instFamily: textOf(row['instFamily']) || textOf(row['uly']) || pair,
    index: textOf(row['uly']) || pair.replace(/_UM$/, ''),
    expiration_timestamp: Number.isFinite(expiry) && expiry > 0 ? expiry : undefined,
  }
}
