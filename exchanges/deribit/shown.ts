import { frontsOf, numberIn, type Shown } from '../shown.js'
import { newsOf } from './catalogue.js'
import { configKindOf, type Instrument } from './instruments.js'

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
  const ticker = (
    name: string,
    instrument: string,
    read: (data: Record<string, unknown>) => ReturnType<Shown['read']>,
  ) => ({
    ...{ name, family: 'ticker', text: `"ticker.${instrument}.` },
    read: (frame: Buffer) => {
      const data = newsOf(frame)
      return typeof data === 'object' && data !== null ? read(data as Record<string, unknown>) : {}
    },
  })
  return frontsOf(instruments, names, priceOf, nowMs).flatMap(({ price, option }) => [
    ...(price === undefined
      ? []
      : [
          ticker(price, price, data => ({
            price: numberIn(data['last_price']),
            bid: numberIn(data['best_bid_price']),
            ask: numberIn(data['best_ask_price']),
          })),
        ]),
    ...(option ? [ticker(option.name, option.instrument, data => ({ iv: numberIn(data['mark_iv']) }))] : []),
  ])
}
