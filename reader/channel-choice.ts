import { familyOf } from '../exchanges/exchange.js'
import { exchanges } from '../exchanges/registry.js'

/**
 * Names that people give for what they want: a family (`trades`), a channel (`trades.BTC-PERPETUAL.100ms`), or the
 * beginning of channels up to a dot (`trades.BTC-PERPETUAL`).
 */
export class ChannelChoice {
  readonly #names: readonly string[] | undefined
  /** Channels seen, and whether they were chosen; bounded, should names ever come without end. */
  readonly #seen = new Map<string, boolean>()

  /** @param names undefined: everything */
  constructor(names: readonly string[] | undefined) {
    this.#names = names
  }

  /** Whether segments of a family can hold anything chosen. */
  mayHold(family: string): boolean {
    return this.#names?.some(name => isPartOf(family, name)) ?? true
  }

  /** Whether all frames of a family were chosen, whatever channel they name. */
  takesAllOf(family: string): boolean {
    return this.#names?.includes(family) ?? true
  }

  takes(channel: string | undefined): boolean {
    if (channel === undefined) return false
    const known = this.#seen.get(channel)
    if (known !== undefined) return known
    const taken = this.#names?.some(name => channel === name || channel.startsWith(`${name}.`)) ?? true
    if (this.#seen.size >= CHANNELS_REMEMBERED) this.#seen.clear()
    this.#seen.set(channel, taken)
    return taken
  }
}

const CHANNELS_REMEMBERED = 50_000

/** Families are named after their channels' beginning, but for some, for what no family knows and for described feeds. */
function isPartOf(family: string, name: string): boolean {
  if (family === name || name.startsWith(`${family}.`)) return true
  if (exchanges.some(exchange => isBeginning(familyOf(exchange, family).channelsBegin, name))) return true
  return family === 'other' || family.startsWith('frames') || family.startsWith(`${name}.`)
}

const isBeginning = (beginning: string | undefined, name: string) =>
  beginning !== undefined && (name === beginning || name.startsWith(`${beginning}.`))
