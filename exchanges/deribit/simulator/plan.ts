import { isPerpetual, type Instrument } from '../../../simulator/market/instruments.js'
import type { ComboPlan, ListingPlan, Underlying } from '../../../simulator/market/listing-plan.js'
import { dateCode, EXPIRY_HOUR_MS } from './calendar.js'
import { called, namesOf, strikeCode } from './instrument-names.js'
import { DeribitNumbers } from './numbers.js'
import { INDEX_SOURCES, SPOT_PAIRS, UNDERLYINGS } from './underlyings.js'

/** What is listed, and how it is called and numbered. */
export const deribitPlan: ListingPlan = {
  indices: INDEX_SOURCES,
  underlyings: UNDERLYINGS,
  spotPairs: SPOT_PAIRS,
  settlesAtMs: EXPIRY_HOUR_MS,
  namesOf,
  combos,
  numbers: random => new DeribitNumbers(random),
}

/** Per coin: the perpetual against its futures, a call spread, a strangle. */
function combos(listed: readonly Instrument[]): ComboPlan[] {
  return UNDERLYINGS.filter(({ linear }) => !linear).flatMap(underlying => {
    const own = listed.filter(instrument => instrument.underlying === underlying.name)
    const far = own.filter(({ kind }) => kind === 'option').at(-1)?.expiryMs
    const calls = own.filter(({ call, expiryMs }) => call === true && expiryMs === far)
    const puts = own.filter(({ call, expiryMs }) => call === false && expiryMs === far)
    return [
      ...futureSpreads(underlying, own),
      ...callSpread(underlying, calls.at(0), calls.at(-1)),
      ...strangle(underlying, puts.at(0), calls.at(-1)),
    ]
  })
}

function futureSpreads(underlying: Underlying, own: readonly Instrument[]): ComboPlan[] {
  const perpetual = own.find(isPerpetual)
  if (!perpetual) return []
  const farthest = own.filter(({ kind }) => kind === 'future').slice(-2)
  return farthest.map(dated => ({
    underlying,
    names: called(`${underlying.name}-FS-${dateCode(dated.expiryMs)}_PERP`, 'future_combo'),
    legs: [
      [perpetual, -1],
      [dated, 1],
    ],
  }))
}

function callSpread(underlying: Underlying, low: Instrument | undefined, high: Instrument | undefined): ComboPlan[] {
  if (!low || !high || low === high) return []
  const names = called(`${underlying.name}-CS-${dateCode(low.expiryMs)}-${strikes(low, high)}`, 'option_combo')
  const legs: ComboPlan['legs'] = [
    [low, 1],
    [high, -1],
  ]
  return [{ underlying, names, legs }]
}

function strangle(underlying: Underlying, put: Instrument | undefined, call: Instrument | undefined): ComboPlan[] {
  if (!put || !call || put.strike === call.strike) return []
  const names = called(`${underlying.name}-STRG-${dateCode(put.expiryMs)}-${strikes(put, call)}`, 'option_combo')
  const legs: ComboPlan['legs'] = [
    [put, 1],
    [call, 1],
  ]
  return [{ underlying, names, legs }]
}

function strikes(low: Instrument, high: Instrument): string {
  return `${strikeCode(low.strike ?? 0)}_${strikeCode(high.strike ?? 0)}`
}
