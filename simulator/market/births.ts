import { NEVER_MS } from './calendar.js'
import type { Birth, Instrument, Terms } from './instruments.js'
import type { ComboPlan, ListingPlan, SpotPair, Steps, Underlying } from './listing-plan.js'
import { PriceGrid } from './price-grid.js'

/** How instruments of a plan come to be, kind by kind. */

type Namer = Pick<ListingPlan, 'namesOf'>

function derivative(
  plan: Namer,
  underlying: Underlying,
  steps: Steps,
  birth: Birth,
  own: Pick<Terms, 'kind' | 'expiryMs' | 'strike' | 'call'>,
): Instrument {
  const { base, quote, settle, linear, index, name } = underlying
  const terms: Terms = { ...own, base, quote, settle, linear, index, underlying: name }
  return { ...birth, ...terms, ...plan.namesOf(terms), ...stepping(steps) }
}

function stepping({ tickSize, tickSteps, minAmount, contractSize }: Steps) {
  return { grid: new PriceGrid(tickSize, tickSteps), minAmount, contractSize }
}

export function perpetual(plan: Namer, underlying: Underlying, birth: Birth): Instrument {
  return derivative(plan, underlying, underlying.perpetual, birth, { kind: 'perpetual', expiryMs: NEVER_MS })
}

export function future(plan: Namer, underlying: Underlying, birth: Birth, expiryMs: number): Instrument {
  const steps = underlying.future ?? underlying.perpetual
  return derivative(plan, underlying, steps, birth, { kind: 'future', expiryMs })
}

export function option(
  plan: Namer,
  underlying: Underlying,
  birth: Birth,
  own: { expiryMs: number; strike: number; call: boolean },
): Instrument {
  const steps = underlying.option ?? underlying.perpetual
  return derivative(plan, underlying, steps, birth, { kind: 'option', ...own })
}

export function spot(plan: Namer, { base, quote, index, steps }: SpotPair, birth: Birth): Instrument {
  const terms: Terms = {
    kind: 'spot',
    base,
    quote,
    settle: quote,
    linear: true,
    index,
    underlying: `${base}_${quote}`,
    expiryMs: NEVER_MS,
  }
  return { ...birth, ...terms, ...plan.namesOf(terms), ...stepping(steps) }
}

/** A combo lives until its nearest leg expires, and prices like the legs' kind. */
export function combo({ underlying, names, legs }: ComboPlan, birth: Birth): Instrument {
  const expiryMs = Math.min(...legs.map(([leg]) => leg.expiryMs))
  const ofOptions = legs[0]?.[0].kind === 'option'
  const steps = (ofOptions ? underlying.option : underlying.future) ?? underlying.perpetual
  const kind = ofOptions ? 'option_combo' : 'future_combo'
  return {
    ...derivative({ namesOf: () => names }, underlying, { ...steps, tickSteps: [] }, birth, { kind, expiryMs }),
    legs: legs.map(([leg, amount]) => ({ instrumentName: leg.name, amount })),
  }
}
