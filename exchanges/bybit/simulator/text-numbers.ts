import type { Listing } from '../../../simulator/market/listing.js'

/** Decimals of a step such as 0.001. */
function decimalsOf(step: number): number {
  const [, decimals = ''] = step.toFixed(10).replace(/0+$/, '').split('.')
  return decimals.length
}

/** A number as the exchange writes it: zeros at the end are kept, at spot they are cut. */
const textOf = (value: number, decimals: number, isCut: boolean) =>
  isCut
    ? value
        .toFixed(decimals)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '')
    : value.toFixed(decimals)

const isSpot = ({ instrument }: Listing) => instrument.kind === 'spot'

export const priceText = (listing: Listing, price: number) =>
  textOf(price, Math.max(isSpot(listing) ? 0 : 2, decimalsOf(listing.instrument.grid.tickSize)), isSpot(listing))

export const amountText = (listing: Listing, amount: number) =>
  amount === 0 ? '0' : textOf(amount, decimalsOf(listing.instrument.minAmount), isSpot(listing))

/** Anything else: no more than ten decimals, none for nothing. */
export const plainText = (value: number, decimals = 8) =>
  Number.isFinite(value) ? String(Number(value.toFixed(decimals))) : ''
