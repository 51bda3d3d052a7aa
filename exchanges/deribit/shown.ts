import { frontsOf, numberIn, shownByTickers, type Shown } from '../shown.js'
import { configKindOf, type Instrument } from './instruments.js'
import { dataOf } from './notification.js'

const names = {
  // The one that is settled in its coin, `BTC-PERPETUAL`.
  baseOfPerpetual: (instrument: Instrument) =>
    configKindOf(instrument) === 'perpetual' && !instrument.instrument_name.includes('_')
      ? instrument.base_currency
      : undefined,
  baseOfCall: ({ kind, instrument_name: name, base_currency }: Instrument) =>
    kind === 'option' && name.endsWith('-C') && !name.includes('_') ? base_currency : undefined,
}

/** What the page shows of Deribit, from tickers. */
export function shownOf(
  instruments: readonly Instrument[],
  priceOf: (name: string) => number | undefined,
  nowMs: number,
): Shown[] {
  return shownByTickers(frontsOf(instruments, names, priceOf, nowMs), {
    textOf: instrument => `"ticker.${instrument}.`,
    dataOf,
    price: data => ({
      price: numberIn(data['last_price']),
      bid: numberIn(data['best_bid_price']),
      ask: numberIn(data['best_ask_price']),
    }),
    iv: data => ({ iv: numberIn(data['mark_iv']) }),
  })
}
