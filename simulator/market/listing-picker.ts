import type { Listing } from './listing.js'
import type { Random } from './random.js'

/** Draws listings by their weight. */
export class ListingPicker {
  private listings: Listing[] = []
  /** Running sums of the weights. */
  private sums: number[] = []

  rebuild(listings: Iterable<Listing>): void {
    this.listings = [...listings]
    let sum = 0
    this.sums = this.listings.map(({ weight }) => (sum += weight))
  }

  pick(random: Random): Listing | undefined {
    const drawn = random.float() * (this.sums.at(-1) ?? 0)
    let low = 0
    let high = this.sums.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.sums[middle] ?? 0) > drawn) high = middle
      else low = middle + 1
    }
    return this.listings[low]
  }
}
