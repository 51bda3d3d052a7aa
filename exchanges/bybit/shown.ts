import { parsedObject } from '../../platform/json-object.js'
import { frontsOf, numberIn, shownByTickers, type Shown } from '../shown.js'
import type { Instrument } from './instruments.js'

const names = {
  baseOfPerpetual: ({ kind, symbol }: Instrument) =>
    kind === 'perpetual' ? /^([A-Z0-9]+)USDT$/.exec(symbol)?.[1] : undefined,
  baseOfCall: ({ kind, symbol }: Instrument) =>
    kind === 'option' ? /^([A-Z0-9]+)-.*-C(?:-|$)/.exec(symbol)?.[1] : undefined,
}

/** What the page shows of Bybit, from tickers, most frames of which bring only what changed. */
export function shownOf(
  instruments: readonly Instrument[],
  priceOf: (name: string) => number | undefined,
  nowMs: number,
): Shown[] {
  return shownByTickers(frontsOf(instruments, names, priceOf, nowMs), {
    textOf: symbol => `"tickers.${symbol}"`,
    dataOf: frame => parsedObject(frame)?.['data'],
    price: data => ({
      price: numberIn(data['lastPrice']),
      bid: numberIn(data['bid1Price']),
      ask: numberIn(data['ask1Price']),
    }),
    iv: data => ({ iv: percent(numberIn(data['markPriceIv'])) }),
  })
}

const percent = (fraction: number | undefined) => (fraction === undefined ? undefined : 100 * fraction)
