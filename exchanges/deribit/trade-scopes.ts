import { partitionOfInstrument } from './names.js'

/** Trades that one question to the exchange is about. */
export interface TradeScope {
  /** As the exchange's methods name it: perpetuals are futures there. */
  kind: string
  currency: string
  /** Undefined: all instruments of the kind. */
  instruments: Set<string> | undefined
  /** It is asked for by its name alone: trades of a whole currency are refused as soon as one pair of it is routed elsewhere. */
  name?: string
}

const BY_KIND = /^trades\.(future|option|spot|future_combo|option_combo)\.([A-Z0-9]{1,16})\.[^.]+$/
const BY_INSTRUMENT = /^trades\.([^.]+)\.[^.]+$/

/** Whose trades are recorded, by the channels that were ever asked for. */
export class TradeScopes {
  readonly #scopes = new Map<string, TradeScope>()

  get all(): TradeScope[] {
    return [...this.#scopes.values()]
  }

  add(channels: Iterable<string>): void {
    for (const channel of channels) {
      const [, kind, currency] = BY_KIND.exec(channel) ?? []
      if (kind !== undefined && currency !== undefined) this.#scope(kind, currency).instruments = undefined
      else this.#addInstrument(BY_INSTRUMENT.exec(channel)?.[1])
    }
  }

  #addInstrument(name: string | undefined): void {
    if (name === undefined) return
    const { kind, currency } = partitionOfInstrument(name)
    if (kind === 'none' || kind === 'index') return
    if (kind === 'spot') {
      this.#scopes.set(keyOf(kind, name), { kind, currency, instruments: new Set([name]), name })
      return
    }
    const isNew = !this.#scopes.has(keyOf(kind, currency))
    const scope = this.#scope(kind, currency)
    if (isNew) scope.instruments = new Set()
    scope.instruments?.add(name)
  }

  #scope(kind: string, currency: string): TradeScope {
    const key = keyOf(kind, currency)
    const known = this.#scopes.get(key)
    if (known) return known
    const scope: TradeScope = { kind: restKind(kind), currency, instruments: undefined }
    this.#scopes.set(key, scope)
    return scope
  }
}

const restKind = (kind: string) => (kind === 'perpetual' ? 'future' : kind)
const keyOf = (kind: string, currency: string) => `${restKind(kind)} ${currency}`
