import { parsedObject } from '../../platform/json-object.js'
import { frontsOf, numberIn, type Shown } from '../shown.js'
import type { Instrument } from './instruments.js'

const baseOf = (name: string) => name.split('-', 1)[0]

const names = {
  baseOfPerpetual: ({ kind, instrument_name: name }: Instrument) =>
    kind === 'perpetual' && name.endsWith('-USDT-SWAP') ? baseOf(name) : undefined,
  baseOfCall: ({ kind, instrument_name: name }: Instrument) =>
    kind === 'option' && name.endsWith('-C') ? baseOf(name) : undefined,
}

/** What the page shows of OKX, from tickers and the summary of options. */
export function shownOf(
  instruments: readonly Instrument[],
  priceOf: (name: string) => number | undefined,
  nowMs: number,
): Shown[] {
  const byName = new Map(instruments.map(instrument => [instrument.instrument_name, instrument]))
  return frontsOf(instruments, names, priceOf, nowMs).flatMap(({ price, option }): Shown[] => {
    const family = byName.get(option?.instrument ?? '')?.instFamily
    return [
      ...(price === undefined ? [] : [tickerOf(price)]),
      ...(option && family !== undefined ? [summaryOf(option.name, option.instrument, family)] : []),
    ]
  })
}

const tickerOf = (name: string): Shown => ({
  ...{ name, family: 'tickers', text: `"instId":"${name}"` },
  read: frame => {
    const row = rowIn(frame, name)
    return { price: numberIn(row?.['last']), bid: numberIn(row?.['bidPx']), ask: numberIn(row?.['askPx']) }
  },
})

/** A frame is about many options: one of them is read. */
const summaryOf = (name: string, instrument: string, family: string): Shown => ({
  ...{ name, family: 'opt-summary', text: `"instFamily":"${family}"` },
  read: frame => {
    const fraction = numberIn(rowIn(frame, instrument)?.['markVol'])
    return { iv: fraction === undefined ? undefined : 100 * fraction }
  },
})

/** The row about an instrument; its bytes alone are parsed. */
function rowIn(frame: Buffer, instrument: string): Record<string, unknown> | undefined {
  const at = frame.lastIndexOf(`"instId":"${instrument}"`)
  if (at < 0) return undefined
  const [from, end] = [frame.lastIndexOf('{', at), frame.indexOf('}', at)]
  return parsedObject(frame.subarray(from, end + 1))
}
