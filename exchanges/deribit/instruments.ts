import { z } from '../../platform/zod.js'
import { partitionOfInstrument } from './names.js'

/** Kinds as the exchange names them. */
const KINDS = ['option', 'future', 'spot', 'future_combo', 'option_combo'] as const
type WireKind = (typeof KINDS)[number]

/** A member that is null, or of a type that nobody expects, counts as absent: the instrument is there all the same. */
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined)
const text = maybe(z.string())

/** The fields that decide what is subscribed; all others are recorded as they came. Old answers lack some. */
const wireSchema = z.object({
  instrument_name: z.string().min(1),
  kind: text,
  base_currency: text,
  settlement_currency: text,
  settlement_period: text,
  quote_currency: text,
  price_index: text,
  expiration_timestamp: maybe(z.number()),
  creation_timestamp: maybe(z.number()),
  state: text,
  is_active: maybe(z.boolean()),
  is_cbe_routed: maybe(z.boolean()),
})

type Wire = z.infer<typeof wireSchema>

export interface Instrument extends Omit<Wire, 'kind' | 'base_currency'> {
  kind: WireKind
  base_currency: string
}

/** Kinds as the config names them: perpetuals apart from dated futures, both sorts of combo together. */
export type ConfigKind = 'perpetual' | 'future' | 'option' | 'spot' | 'combo'

export function configKindOf(instrument: Instrument): ConfigKind {
  if (instrument.kind === 'future') return instrument.settlement_period === 'perpetual' ? 'perpetual' : 'future'
  return instrument.kind === 'future_combo' || instrument.kind === 'option_combo' ? 'combo' : instrument.kind
}

/** The currency that calls and channels of a kind go by; spot has no settlement currency. */
export function currencyOf(instrument: Instrument): string {
  return instrument.settlement_currency ?? instrument.quote_currency ?? instrument.base_currency
}

/** The price index an instrument settles against; answers before 2022 did not name it. */
export function indexOf(instrument: Instrument): string {
  return instrument.price_index ?? `${instrument.base_currency.toLowerCase()}_usd`
}

/** A spot pair that another exchange matches on this one's behalf, which brings nothing of its trades and candles. */
export const isRouted = ({ is_cbe_routed }: Instrument) => is_cbe_routed === true

/** An instrument as it stands alone, in a frame that announces it; undefined for anything else. */
export function parseInstrument(value: unknown): Instrument | undefined {
  const { data } = wireSchema.safeParse(value)
  // News of a state names the instrument and says nothing else of it.
  return data && (data.kind ?? data.base_currency) !== undefined ? understood(data) : undefined
}

/** What an answer lists. */
export interface InstrumentList {
  /** Active ones. */
  instruments: Instrument[]
  /** Names of those that are not active, with their states. */
  inactive: Map<string, string>
  /** Entries that name no instrument, as they came: such cannot be recorded. */
  nameless: string[]
  /** Names of those whose kind is none that is known, and what it says. */
  oddKinds: Map<string, string>
}

/** How much of an entry without a name is quoted. */
const SHOWN_CHARACTERS = 200

/** What the entries of an answer are. */
export function parseInstruments(entries: readonly unknown[]): InstrumentList {
  const list: InstrumentList = { instruments: [], inactive: new Map(), nameless: [], oddKinds: new Map() }
  for (const entry of entries) {
    const { data } = wireSchema.safeParse(entry)
    if (!data) {
      list.nameless.push(JSON.stringify(entry).slice(0, SHOWN_CHARACTERS))
      continue
    }
    const { instrument_name: name, kind } = data
    if (data.is_active === false) list.inactive.set(name, data.state ?? '')
    else list.instruments.push(understood(data))
    if (!isKnown(kind)) list.oddKinds.set(name, kind ?? 'none')
  }
  return list
}

/** What is not said is taken from the name; what has neither a known kind nor such a name is taken as a future is. */
function understood({ kind, base_currency, settlement_period, ...rest }: Wire): Instrument {
  const name = rest.instrument_name
  const base = base_currency ?? /^[A-Z0-9]+/.exec(name)?.[0] ?? name
  if (isKnown(kind)) return { ...rest, settlement_period, kind, base_currency: base }
  const byName = partitionOfInstrument(name).kind
  return {
    ...rest,
    kind: isKnown(byName) ? byName : 'future',
    settlement_period: byName === 'perpetual' ? 'perpetual' : settlement_period,
    base_currency: base,
  }
}

const isKnown = (kind: string | undefined): kind is WireKind => KINDS.some(known => known === kind)
