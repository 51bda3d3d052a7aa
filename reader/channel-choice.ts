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
    const taken = this.#names?.some(name => isBeginning(name, channel)) ?? true
    if (this.#seen.size >= CHANNELS_REMEMBERED) this.#seen.clear()
    this.#seen.set(channel, taken)
    return taken
  }
}

const CHANNELS_REMEMBERED = 50_000

/** Families are named after their channels' beginning, but for some, for what no family knows and for described feeds. */
function isPartOf(family: string, name: string): boolean {
  if (family === name || isBeginning(family, name) || isBeginning(name, family)) return true
  if (family === 'other' || family.startsWith('frames')) return true
  return exchanges.some(exchange => {
    if (exchange.names.familyOfChannel(name) === family) return true
    const { channelsBegin } = familyOf(exchange, family)
    return channelsBegin !== undefined && (isBeginning(channelsBegin, name) || isBeginning(name, channelsBegin))
  })
}

/** Up to a dot, or all of it. */
const isBeginning = (beginning: string, name: string) => name === beginning || name.startsWith(`${beginning}.`)
