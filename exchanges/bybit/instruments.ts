import { z } from '../../platform/zod.js'
import type { BybitConfig, ConfigKind } from './config.js'
import { channelOf, type Category } from './names.js'

/** A member that is null, or of a type that nobody expects, counts as absent: the instrument is there all the same. */
const text = z.string().optional().catch(undefined)

/** The fields that decide what is subscribed; all others are recorded as they came. */
const wireSchema = z.object({
  symbol: z.string().min(1),
  status: text,
  contractType: text,
  deliveryTime: text,
  launchTime: text,
})

export interface Instrument {
  category: Category
  symbol: string
  kind: ConfigKind
  status: string
  /** As channels and people call it: of spot `spot.BTCUSDT`, unique over all categories. */
  instrument_name: string
  /** When it ends, or is to be delisted; undefined for never. */
  expiration_timestamp: number | undefined
  /** When it was listed. */
  creation_timestamp: number | undefined
}

/** States in which there is something to be had of it. */
const ALIVE = new Set(['Trading', 'PreLaunch', ''])
/** How much of an entry without a name is quoted. */
const SHOWN_CHARACTERS = 200

/** What an answer lists. */
export interface InstrumentList {
  instruments: Instrument[]
  /** Names of those that are not to be had any more, with their states. */
  inactive: Map<string, string>
  /** Entries that name no instrument, as they came: such cannot be recorded. */
  nameless: string[]
}

export function parseInstruments(category: Category, entries: readonly unknown[]): InstrumentList {
  const list: InstrumentList = { instruments: [], inactive: new Map(), nameless: [] }
  for (const entry of entries) {
    const { data } = wireSchema.safeParse(entry)
    if (!data) {
      list.nameless.push(JSON.stringify(entry).slice(0, SHOWN_CHARACTERS))
      continue
    }
    const { symbol, status = '', contractType = '', deliveryTime, launchTime } = data
    const name = channelOf(category, symbol)
    if (!ALIVE.has(status)) {
      list.inactive.set(name, status)
      continue
    }
    list.instruments.push({
      category,
      symbol,
      status,
      kind: kindOf(category, contractType),
      instrument_name: name,
      expiration_timestamp: timeOf(deliveryTime),
      creation_timestamp: timeOf(launchTime),
    })
  }
  return list
}

/** ms as text; 0 is none. */
function timeOf(text: string | undefined): number | undefined {
  const ms = Number(text)
  return ms > 0 ? ms : undefined
}

function kindOf(category: Category, contractType: string): ConfigKind {
  if (category === 'spot' || category === 'option') return category
  return contractType.endsWith('Futures') ? 'future' : 'perpetual'
}

/** Coins of which the patterns may name an option: by the text before the first star, or before the first dash. */
export function optionCoinsOf({
  instruments,
  optionCoins,
}: Pick<BybitConfig, 'instruments' | 'optionCoins'>): string[] {
  return optionCoins.filter(coin =>
    instruments.some(pattern => {
      const [head = ''] = pattern.split('*')
      return pattern.includes('*') && !head.includes('-') ? coin.startsWith(head) : head.startsWith(`${coin}-`)
    }),
  )
}
