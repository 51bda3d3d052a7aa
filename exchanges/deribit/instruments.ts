import { z } from 'zod'

/** The fields that decide what is subscribed; all others are recorded as they came. Old answers lack some. */
const instrumentSchema = z.object({
  instrument_name: z.string().min(1),
  kind: z.enum(['option', 'future', 'spot', 'future_combo', 'option_combo']),
  base_currency: z.string(),
  settlement_currency: z.string().optional(),
  settlement_period: z.string().optional(),
  quote_currency: z.string().optional(),
  price_index: z.string().optional(),
  is_active: z.boolean().optional(),
})

export type Instrument = z.infer<typeof instrumentSchema>

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

/** An instrument as it stands alone, in a frame that announces it; undefined for anything else. */
export function parseInstrument(value: unknown): Instrument | undefined {
  return instrumentSchema.safeParse(value).data
}

/** The active instruments of an answer, and how many entries were not understood. */
export function parseInstruments(result: unknown): { instruments: Instrument[]; notUnderstood: number } {
  if (!Array.isArray(result)) return { instruments: [], notUnderstood: 1 }
  const parsed = result.map(entry => instrumentSchema.safeParse(entry))
  const instruments = parsed.flatMap(entry => (entry.success && entry.data.is_active !== false ? [entry.data] : []))
  return { instruments, notUnderstood: parsed.filter(entry => !entry.success).length }
}
