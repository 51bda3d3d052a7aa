import { frontsOf, numberIn, type Shown } from '../shown.js'
import { parsed } from './frames.js'
import type { Instrument } from './instruments.js'

const names = {
  baseOfPerpetual: ({ kind, symbol }: Instrument) =>
    kind === 'perpetual' ? /^([A-Z0-9]+)USDT$/.exec(symbol)?.[1] : undefined,
  baseOfCall: ({ kind, symbol }: Instrument) =>
    kind === 'option' ? /^([A-Z0-9]+)-.*-C(?:-|$)/.exec(symbol)?.[1] : undefined,
}

/** What the page shows of Bybit, from tickers, of which most frames tell what changed. */
export function shownOf(
  instruments: readonly Instrument[],
  priceOf: (name: string) => number | undefined,
  nowMs: number,
): Shown[] {
  const ticker = (
    name: string,
    symbol: string,
    read: (data: Record<string, unknown>) => ReturnType<Shown['read']>,
  ) => ({
    ...{ name, family: 'ticker', text: `"tickers.${symbol}"` },
    read: (frame: Buffer) => {
      const data = parsed(frame)?.['data']
      return typeof data === 'object' && data !== null ? read(data as Record<string, unknown>) : {}
    },
  })
  return frontsOf(instruments, names, priceOf, nowMs).flatMap(({ price, option }) => [
    ...(price === undefined
      ? []
      : [
          ticker(price, price, data => ({
            price: numberIn(data['lastPrice']),
            bid: numberIn(data['bid1Price']),
            ask: numberIn(data['ask1Price']),
          })),
        ]),
    ...(option
      ? [ticker(option.name, option.instrument, data => ({ iv: percent(numberIn(data['markPriceIv'])) }))]
      : []),
  ])
}

const percent = (fraction: number | undefined) => (fraction === undefined ? undefined : 100 * fraction)
