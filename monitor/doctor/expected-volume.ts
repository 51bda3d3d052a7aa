import { familyOf, type Exchange } from '../../exchanges/exchange.js'
import type { ExchangeProbe } from '../../recorder/probe-exchange.js'

/** What a day adds to the disk, raw and Parquet together, and how that is known. */
export interface ExpectedVolume {
  bytesPerDay: number
  from: 'recorded' | 'estimated'
}

const DAY_S = 86_400

/** Of a family of which nothing is known. */
const OTHER_BYTES_PER_FRAME = 40
/** Parquet beside raw. */
const WITH_PARQUET = 1.6

/** By what the exchange lists and the config asks for. Pure. */
export function estimateVolume(
  exchange: Pick<Exchange, 'families'>,
  families: ExchangeProbe['families'],
): ExpectedVolume {
  let bytesPerSecond = 0
  for (const [family, { framesPerSecond }] of families)
    bytesPerSecond += framesPerSecond * (familyOf(exchange, family).bytesPerFrame ?? OTHER_BYTES_PER_FRAME)
  return { bytesPerDay: bytesPerSecond * DAY_S * WITH_PARQUET, from: 'estimated' }
}
