/** Prices and amounts as whole steps, so that a book never drifts off its grid. */

export interface TickStep {
  abovePrice: number
  tickSize: number
}

/** `ticks` steps of `size` as the nearest float of the decimal value: 3 × 0.1 is 0.3. */
export function stepsToValue(steps: number, size: number): number {
  return size < 1 ? steps / Math.round(1 / size) : steps * size
}

/** Price steps of one instrument: a base tick, and perhaps a larger one above some price. */
export class PriceGrid {
  private readonly coarseAbove: number
  private readonly coarse: number

  constructor(
    readonly tickSize: number,
    readonly steps: readonly TickStep[] = [],
  ) {
    const step = steps[0]
    this.coarseAbove = step ? Math.round(step.abovePrice / tickSize) : Infinity
    this.coarse = step ? Math.round(step.tickSize / tickSize) : 1
  }

  /** How many base ticks lie between two allowed prices around `ticks`. */
  stepAt(ticks: number): number {
    return ticks > this.coarseAbove ? this.coarse : 1
  }

  /** The nearest allowed price at or below (`floor`), or at or above (`ceil`). */
  snap(ticks: number, direction: 'floor' | 'ceil'): number {
    const step = this.stepAt(ticks)
    return Math[direction](ticks / step) * step
  }

  toTicks(price: number): number {
    return price / this.tickSize
  }

  toPrice(ticks: number): number {
    return stepsToValue(ticks, this.tickSize)
  }
}
