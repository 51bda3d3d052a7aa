import { timeText } from '../../platform/moment.js'
import { figuresOf, type BookSample } from './sample-book.js'

/** A cell of a table of samples; null where there is nothing to say. */
export type Cell = string | number | null

/** Columns of samples with so many levels of each side; prices and amounts of the n-th best level end in n. */
export function sampleColumns(top: number): string[] {
  const levels = Array.from({ length: top }, (_, place) => place + 1)
  return [
    ...['ts', 'state', 'change_id', 'mid', 'spread', 'bid_amount', 'ask_amount', 'imbalance'],
    ...levels.flatMap(n => [`bid_price_${n}`, `bid_amount_${n}`]),
    ...levels.flatMap(n => [`ask_price_${n}`, `ask_amount_${n}`]),
  ]
}

/** A sample as the cells of these columns. */
export function sampleCells(sample: BookSample, top: number): Cell[] {
  const { mid, spread, bidAmount, askAmount, imbalance } = figuresOf(sample)
  const side = (levels: readonly [number, number][]) =>
    Array.from({ length: top }, (_, place) => levels[place] ?? [null, null]).flat()
  return [
    timeText(sample.atUs),
    sample.state,
    sample.changeId ?? null,
    ...[mid, spread, bidAmount, askAmount, imbalance].map(value => (Number.isFinite(value) ? value : null)),
    ...side(sample.bids),
    ...side(sample.asks),
  ]
}

export const LEVEL_COLUMNS = ['side', 'level', 'price', 'amount', 'total']

/** The whole book of a sample as the cells of `LEVEL_COLUMNS`; `total` adds up the amounts from the best level on. */
export function levelCells({ bids, asks }: BookSample): Cell[][] {
  const side = (name: string, levels: readonly [number, number][]) => {
    let total = 0
    return levels.map(([price, amount], place) => [name, place + 1, price, amount, (total += amount)])
  }
  return [...side('bid', bids), ...side('ask', asks)]
}
